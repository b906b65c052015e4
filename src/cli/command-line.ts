/** One command line of `forebay`: finds the verb and turns what happened into an exit status. */
import { Command, CommanderError } from 'commander';
import { agentCommand } from './agent.ts';
import { benchCommand } from './bench/bench-command.ts';
import { channelCommand } from './channel/channel-command.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config-check.ts';
import { packageVersion } from './version.ts';

const verbs = [agentCommand, configCommand, channelCommand, benchCommand];
/** sysexits.h EX_USAGE: the command line itself is wrong. */
const exitUsage = 64;

/** Behind the options. */
const examples = `
Examples:
  $ forebay config check -f /etc/flume/agent.properties
  $ forebay agent -n a1 -f /etc/flume/agent.properties
  $ forebay channel stats /var/lib/forebay/c1
  $ forebay bench disk /var/lib/forebay

\`forebay COMMAND --help\` has the options of each.`;

function buildProgram(): Command {
  return new Command('forebay')
    .usage('COMMAND [options]')
    .description('A crash-safe buffer for log streams that runs Apache Flume configurations.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', examples)
    .allowExcessArguments()
    .showHelpAfterError('Try `forebay --help`.')
    .exitOverride();
}

/** Verbs end as the program does: with an exception that `run` turns into a status. */
function inherit(program: Command, verb: Command): Command {
  verb.copyInheritedSettings(program).allowExcessArguments(false);
  for (const below of verb.commands) inherit(program, below);
  return verb;
}

/** Runs one command line; returns the exit status. `args`: without the program's name. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  let status = 0;
  const finish = (given: number): void => {
    status = given;
  };
  for (const make of verbs) program.addCommand(inherit(program, make(finish)));
  program.addCommand(inherit(program, completionCommand(program)));
  program.argument('[command]').action((command: string | undefined) => {
    program.error(command === undefined ? 'error: no command given' : `error: unknown command '${command}'`);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : exitUsage;
  }
}
