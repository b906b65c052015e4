/** `forebay config check`: says what is wrong with a configuration, without starting anything. */
import { Command } from 'commander';
import { registry } from '../adapters/registry.ts';
import { loadConfiguration } from '../config/load.ts';
import { problemText } from '../config/problems.ts';

/** sysexits.h EX_CONFIG. */
const exitConfig = 78;

interface CheckOptions {
  readonly confFile?: readonly string[];
  readonly name?: string;
  readonly lenient?: boolean;
  readonly json?: boolean;
  readonly define?: readonly string[];
}

const example = `
Example:
  $ forebay config check -f /etc/flume/agent.properties -n a1
  /etc/flume/agent.properties:4:22 a1.sinks.k1.channel: no channel 'c2': do you mean 'c1'?
  1 error, 0 warnings

Exit status: 0 no errors (there may be warnings), 78 errors, or a file that cannot be read, 64 usage.`;

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

async function check({
  confFile = [],
  name,
  define = [],
  lenient = false,
  json = false,
}: CheckOptions): Promise<number> {
  const { plans, problems, hasErrors } = await loadConfiguration({
    files: confFile,
    ...(name === undefined ? {} : { agent: name }),
    isLenient: lenient,
    registry,
    surroundings: { environment: process.env, system: systemProperties(define), now: new Date() },
  });
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  if (json) {
    const agents = plans.map(({ agent }) => agent);
    console.log(JSON.stringify({ ok: !hasErrors, errors, warnings, agents, problems }));
  } else {
    for (const problem of problems) console.log(problemText(problem));
    console.log(`${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  }
  return hasErrors ? exitConfig : 0;
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
