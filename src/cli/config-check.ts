/** `forebay config check`: says what is wrong with a configuration, without starting anything. */
import { Command } from 'commander';
import { registry } from '../adapters/registry.ts';
import { loadConfiguration } from '../config/load.ts';
import { inOrder, problemText } from '../config/problems.ts';
import { connectSinks } from './connect-sinks.ts';

/** sysexits.h EX_CONFIG. */
const exitConfig = 78;

interface CheckOptions {
  readonly confFile?: readonly string[];
  readonly name?: string;
  readonly lenient?: boolean;
  readonly json?: boolean;
  readonly define?: readonly string[];
  readonly connect?: boolean;
  readonly conf?: readonly string[];
}

const example = `
Example:
  $ forebay config check -f /etc/flume/agent.properties -n a1
  /etc/flume/agent.properties:4:22 a1.sinks.k1.channel: no channel 'c2': do you mean 'c1'?
  1 error, 0 warnings

  $ forebay config check -f /etc/flume/agent.properties -n a1 --connect -c /etc/hadoop/conf
  a1.sinks.k1: http://nn1.example.com:9870 answers for hdfs://cluster
  a1.sinks.k1: HDFS takes us for user 'flume', at home in /user/flume; we came as 'flume'
  a1.sinks.k1: files get mode 640, directories 750 (umask 027), 3 replicas
  …
  0 errors, 0 warnings

--connect tries to reach where each sink writes, and changes nothing there. It goes by HADOOP_CONF_DIR, HADOOP_USER_NAME
and HADOOP_TOKEN_FILE_LOCATION, as the agent does.

Exit status: 0 no errors (there may be warnings), 78 errors, or a file that cannot be read, or with --connect a sink
that could not write, 64 usage.`;

/** Makes the command. `finish` is told the exit status. */
export function configCommand(finish: (status: number) => void): Command {
  const append = (one: string, others: readonly string[] = []): readonly string[] => [...others, one];
  const config = new Command('config').description('look into a configuration: `config check`');
  config
    .command('check')
    .usage('-f FILE [options]')
    .summary('say what is wrong with it, and start nothing')
    .description('Says what is wrong with a Flume configuration, and starts nothing.')
    .option('-f, --conf-file <file>', 'the configuration (required); later ones win', append)
    .option('-n, --name <agent>', 'check this agent only (default: all of them)')
    .option('-D, --define <key=value>', `a value for ${'$'}{sys:key} in the configuration`, append)
    .option('--connect', 'try to reach where the sinks write, and change nothing there')
    .option('-c, --conf <dir>', 'look there for core-site.xml and hdfs-site.xml (default: HADOOP_CONF_DIR)', append)
    .option('--lenient', 'warn of what Flume leaves out; else it is an error')
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action(async (options: CheckOptions, command: Command) => {
      // Not by requiredOption, which would speak before an unknown option is named.
      if (options.confFile === undefined)
        command.error("error: required option '-f, --conf-file <file>' not specified");
      finish(await check(options));
    });
  return config;
}

async function check(options: CheckOptions): Promise<number> {
  const { confFile = [], name, define = [], lenient = false, connect = false, conf = [] } = options;
  const loaded = await loadConfiguration({
    files: confFile,
    ...(name === undefined ? {} : { agent: name }),
    isLenient: lenient,
    registry,
    surroundings: { environment: process.env, system: systemProperties(define), now: new Date() },
  });
  const { plans } = loaded;
  const surroundings = { environment: process.env, confDirectories: conf };
  const tried = connect ? await connectSinks(loaded, surroundings) : undefined;
  const problems = inOrder([...loaded.problems, ...(tried?.problems ?? [])], confFile);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  if (options.json === true) {
    const agents = plans.map(({ agent }) => agent);
    const connections = tried === undefined ? {} : { connections: tried.connections };
    console.log(JSON.stringify({ ok: errors === 0, errors, warnings, agents, problems, ...connections }));
  } else {
    for (const { agent, sink, findings } of tried?.connections ?? []) {
      for (const finding of findings) console.log(`${agent}.sinks.${sink}: ${finding}`);
    }
    for (const problem of problems) console.log(problemText(problem));
    console.log(`${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  }
  return errors > 0 ? exitConfig : 0;
}

/** `-Dk=v`, and `-Dk` for an empty one, as Java takes them. */
function systemProperties(defined: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    defined.map((one) => {
      const sign = one.indexOf('=');
      return sign === -1 ? [one, ''] : [one.slice(0, sign), one.slice(sign + 1)];
    }),
  );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
