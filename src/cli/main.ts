#!/usr/bin/env node
/** The `forebay` command: finds the verb and turns what happened into an exit status. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { agentCommand } from './agent.ts';
import { channelCommand } from './channel/channel-command.ts';
import { configCommand } from './config-check.ts';

/** sysexits.h EX_USAGE: the command line itself is wrong. */
const exitUsage = 64;

/** Behind the options. */
const examples = `
Examples:
  $ forebay config check -f /etc/flume/agent.properties
  $ forebay agent -n a1 -f /etc/flume/agent.properties
  $ forebay channel stats /var/lib/forebay/c1

\`forebay COMMAND --help\` has the options of each.`;

function packageVersion(): string {
  // From src/cli/ and from dist/cli/ the manifest is two folders up.
  const manifest: { version: string } = createRequire(import.meta.url)('../../package.json');
  return manifest.version;
}

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

/** Runs one command line; returns the exit status. */
async function run(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  let status = 0;
  const finish = (given: number): void => {
    status = given;
  };
  program.addCommand(inherit(program, agentCommand(finish)));
  program.addCommand(inherit(program, configCommand(finish)));
  program.addCommand(inherit(program, channelCommand(finish)));
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

// Whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

process.exitCode = await run(process.argv.slice(2));
