/** `forebay agent`: runs one agent of a Flume configuration until it is told to stop. */
import { Command, type Help, Option } from 'commander';
import { registry } from '../adapters/registry.ts';
import type { Log } from '../agent/contracts/components.ts';
import { type Logger, makeLogger } from '../agent/logger.ts';
import type { Plan } from '../agent/plan.ts';
import { AgentRunner } from '../agent/runner.ts';
import { systemClock } from '../base/clock.ts';
import { type Loaded, loadConfiguration } from '../config/load.ts';
import { problemText } from '../config/problems.ts';
import { type AgentOptions, agentFlags, parseAgentOptions, unusedProperties } from './agent-options.ts';
import { WatchedFiles } from './watched-files.ts';

const exitFailed = 1;
/** sysexits.h EX_USAGE and EX_CONFIG. */
const exitUsage = 64;
const exitConfig = 78;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

const help = `Usage: forebay agent -n NAME -f FILE [options]

Runs an agent of a Flume configuration, as it is, until it is told to stop.

Options:
  -n, --name NAME          the agent to run (required)
  -f, --conf-file FILE     the configuration (required); of several the later ones win
  -c, --conf DIR           look there for core-site.xml and hdfs-site.xml (default: HADOOP_CONF_DIR)
  -d, --dryrun             check the configuration and start nothing
  -i, --poll-interval S    look every S seconds whether the files were changed (default 30)
      --no-reload-conf     do not look; SIGHUP still reloads
      --lenient            leave out what Flume leaves out, instead of refusing to start
      --log-file FILE      the log as JSON lines in FILE (default: stderr, as text on a terminal)
  -Dkey=value              a value for \${sys:key}; -Dflume.root.logger=WARN sets the log's level
  -u, --conf-uri URI       a file URI, read before the files
  -h, --help               print this help

Accepted as flume-ng takes them, without effect; a note says what to do where that matters:
-C/--classpath, --plugins-path, -X…, -agentlib…, -agentpath…, -javaagent…, -a/--auth-provider,
-b/--backup-directory, -p/--zkBasePath, -user/--conf-user, -pwd/--conf-password.
Refused: -z/--zkConnString and -prov/--conf-provider; write the configuration to a file.

Example:
  $ forebay agent -n a1 -f /etc/flume/agent.properties --log-file /var/log/forebay/a1.log

Signals: TERM or INT stops in order (sources, sinks, channels; 60 s at most), a second one at once; HUP reads the
configuration again, and opens the log's file anew.

Exit status: 0 after an orderly stop, 1 failed, 64 usage, 78 bad configuration, 130 and 143 on a second signal.
`;

/** Options are Flume's, in Flume's way: they are not commander's to read, nor to list. */
class AgentCommand extends Command {
  override helpInformation(): string {
    return help;
  }

  /** For the completion of command lines. */
  override createHelp(): Help {
    const own = super.createHelp();
    const visibleOptions = own.visibleOptions.bind(own);
    own.visibleOptions = (command) => [...agentFlags().map((flags) => new Option(flags)), ...visibleOptions(command)];
    return own;
  }
}

/** Makes the command. `finish` is told the exit status. */
export function agentCommand(finish: (status: number) => void): Command {
  return new AgentCommand('agent')
    .description('run an agent of a Flume configuration')
    .usage('-n NAME -f FILE [options]')
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (_words: string[], _options: object, command: Command) => finish(await runAgent(command.args)));
}

async function runAgent(args: readonly string[]): Promise<number> {
  const parsed = parseAgentOptions(args);
  if (parsed.kind === 'wrong') {
    for (const message of parsed.messages) console.error(`error: ${message}`);
    return exitUsage;
  }
  const { options } = parsed;
  const files = new WatchedFiles(options.files);
  const loaded = await load(options);
  const [plan] = loaded.plans;
  if (loaded.hasErrors || plan === undefined) {
    for (const problem of loaded.problems) console.error(problemText(problem));
    return exitConfig;
  }
  const notes = [...options.notes, ...unusedProperties(options, loaded.askedProperties)];
  if (options.isDryRun) {
    for (const text of [...loaded.problems.map(problemText), ...notes]) console.error(text);
    console.log(`agent ${plan.agent} can start; nothing was started (--dryrun)`);
    return 0;
  }
  const logger = openLog(options);
  if (logger === undefined) return exitFailed;
  const log = logger.log('agent');
  for (const note of notes) log.warn(note);
  tell(log, loaded);
  return new AgentProcess(options, logger, files).run(plan);
}

/** One running agent, its signals and its reloads. */
class AgentProcess {
  readonly #options: AgentOptions;
  readonly #logger: Logger;
  readonly #log: Log;
  readonly #files: WatchedFiles;
  readonly #runner: AgentRunner;
  #reload: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: AgentOptions, logger: Logger, files: WatchedFiles) {
    this.#options = options;
    this.#logger = logger;
    this.#log = logger.log('agent');
    this.#files = files;
    const surroundings = { environment: process.env, confDirectories: options.confDirectories };
    this.#runner = new AgentRunner({
      log: (component) => logger.log(component),
      clock: systemClock,
      surroundings,
      configuration: { files: options.files, agent: options.name },
    });
  }

  /** Resolves to the exit status, after a signal. */
  async run(plan: Plan): Promise<number> {
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#log.error('the process ends: an error that nobody expected', { error });
      this.#logger.flush();
    });
    const stopAsked = new Promise<NodeJS.Signals>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#stopSignal(signal, resolve));
    });
    process.on('SIGHUP', () => {
      this.#logger.reopen();
      this.#files.changed();
      this.#reloadInTurn('SIGHUP');
    });
    // Also what keeps the process alive.
    const poll = setInterval(() => {
      if (this.#options.reloads && this.#files.changed()) this.#reloadInTurn('a changed file');
    }, this.#options.pollIntervalMs);
    this.#log.info(`agent ${plan.agent} starts`, { pid: process.pid, node: process.version });
    const started = this.#runner.start(plan).then(() => this.#log.info(`agent ${plan.agent} has started`));
    // A start that fails as a whole is a bug, and ends the process.
    const signal = await Promise.race([stopAsked, started.then(() => stopAsked)]);
    clearInterval(poll);
    return this.#stop(signal);
  }

  #stopSignal(signal: keyof typeof signalNumbers, ask: (signal: NodeJS.Signals) => void): void {
    if (!this.#isStopping) {
      this.#isStopping = true;
      ask(signal);
      return;
    }
    this.#log.warn(`${signal} again: the agent ends at once; what was not finished is recovered at the next start`);
    this.#logger.flush();
    process.exit(128 + signalNumbers[signal]);
  }

  async #stop(signal: NodeJS.Signals): Promise<number> {
    this.#log.info(`${signal}: the agent stops`);
    const left = await this.#runner.stop();
    if (left.length === 0) this.#log.info('the agent has stopped');
    else {
      const names = left.join(', ');
      this.#log.warn('the agent ends before all has stopped: what is left is recovered at the next start', { names });
    }
    this.#logger.flush();
    // What did not stop may still hold the process.
    process.exit(0);
  }

  #reloadInTurn(why: string): void {
    this.#reload = this.#reload.then(async () => {
      if (this.#isStopping) return;
      const loaded = await load(this.#options);
      tell(this.#log, loaded);
      const [plan] = loaded.plans;
      if (loaded.hasErrors || plan === undefined) {
        this.#log.error(`${why}: the configuration has errors, and what runs goes on as it is`);
        return;
      }
      await this.#runner.swap(plan);
      this.#log.info(`${why}: the configuration was read again, and runs`);
    });
    this.#reload = this.#reload.catch((error: unknown) => this.#log.error(`${why}: the reload failed`, { error }));
  }
}

function load({ files, name, isLenient, systemProperties }: AgentOptions): Promise<Loaded> {
  const surroundings = { environment: process.env, system: systemProperties, now: new Date() };
  return loadConfiguration({ files, agent: name, isLenient, registry, surroundings });
}

/** The level of the line says already whether it is only a warning. */
function tell(log: Log, { problems }: Loaded): void {
  for (const problem of problems) {
    const text = problemText({ ...problem, severity: 'error' });
    if (problem.severity === 'error') log.error(text);
    else log.warn(text);
  }
}

function openLog({ logFile, logLevel }: AgentOptions): Logger | undefined {
  const format = logFile === undefined && process.stderr.isTTY ? 'text' : 'json';
  try {
    return makeLogger({
      ...(logFile === undefined ? {} : { file: logFile }),
      format,
      level: logLevel,
      clock: systemClock,
    });
  } catch (error) {
    console.error(`error: --log-file: ${logFile} cannot be written (${String(error)}): name another file`);
    return undefined;
  }
}
