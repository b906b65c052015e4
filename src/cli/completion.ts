/**
 * `forebay completion bash`: a script that completes command lines of `forebay`. It is made of commander's own tree of
 * commands, so it offers what the commands take. It starts no process: that would cost half a second at each TAB.
 */
import { Argument, Command } from 'commander';
import { bashFunctions } from './bash-functions.ts';

const example = `
Example:
  $ source <(forebay completion bash)

In ~/.bashrc that line holds for every shell. What comes behind an option that takes a file or a directory, and DIR, is
completed by the shell itself. The package bash-completion is not needed. Made for this version: load it again after an
update.

Exit status: 0 fine (a pipe closed early too), 64 usage.`;

/** Makes the command; `program` is the root of the tree. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .summary('print a script that completes command lines')
    .description('Prints a script for the shell, which then completes commands, options, files and directories.')
    .addArgument(new Argument('<shell>', 'whose').choices(['bash']))
    .addHelpText('after', example)
    .action(() => console.log(bashCompletion(program)));
}

/** What stands in brackets where commander writes an option or an argument: `--resume <file>`, `[dir]`. */
const fileNames: ReadonlySet<string> = new Set(['file', 'out']);
const directoryNames: ReadonlySet<string> = new Set(['dir', 'dirs', 'dest']);

/** What may follow a command. Words of options are all ways to write them. */
interface Place {
  /** `forebay channel dump`. */
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
  /** Of the options, those with a value; those whose value is a file, or a directory. */
  readonly valued: readonly string[];
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** By option; by '' those of the arguments. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
  readonly takes: 'files' | 'directories' | '';
}

/** The places of a command and of all below it. */
function placesOf(command: Command, above: string): Place[] {
  const path = `${above}${command.name()}`;
  const below = command.createHelp().visibleCommands(command);
  const commands = below.map((one) => one.name());
  const options = optionsOf(command);
  const values = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  if (values.length > 0) options.choices.set('', values);
  const places = below.flatMap((one) =>
    command.commands.includes(one) ? placesOf(one, `${path} `) : [helpOf(`${path} ${one.name()}`, commands)],
  );
  return [{ path, commands, ...options, takes: takenBy(command) }, ...places];
}

/** Commander's own `help` takes the name of a command. */
function helpOf(path: string, commands: readonly string[]): Place {
  return {
    path,
    commands: [],
    options: [],
    valued: [],
    files: [],
    directories: [],
    choices: new Map([['', commands]]),
    takes: '',
  };
}

function optionsOf(command: Command) {
  const options: string[] = [];
  const valued: string[] = [];
  const files: string[] = [];
  const directories: string[] = [];
  const choices = new Map<string, readonly string[]>();
  for (const option of command.createHelp().visibleOptions(command)) {
    const written = [option.short, option.long].filter((one) => one !== undefined);
    options.push(...written);
    if (!option.required && !option.optional) continue;
    valued.push(...written);
    // `<id=file>` is a file behind the sign, at which the shell divides words.
    const value = /[<[](?:.*=)?(\w+)/.exec(option.flags)?.[1] ?? '';
    if (fileNames.has(value)) files.push(...written);
    if (directoryNames.has(value)) directories.push(...written);
    for (const one of written) if (option.argChoices !== undefined) choices.set(one, option.argChoices);
  }
  return { options, valued, files, directories, choices };
}

/** Where one argument is a file, all are: with -f it is the only one, and who completes files completes directories. */
function takenBy({ registeredArguments }: Command): Place['takes'] {
  const names = registeredArguments.map((one) => one.name());
  if (names.some((name) => fileNames.has(name))) return 'files';
  return names.some((name) => directoryNames.has(name)) ? 'directories' : '';
}

function branchOf({ path, commands, options, valued, files, directories, takes }: Place): string {
  const lines = Object.entries({ commands, options, valued, files, directories, takes: [takes] })
    .filter(([, words]) => words.join('') !== '')
    .map(([name, words]) => `      ${name}='${words.join(' ')}'`);
  return [`    '${path}')`, ...lines, '      ;;'].join('\n');
}

function choicesOf({ path, choices }: Place): string[] {
  return [...choices].map(([option, values]) => `    '${path} ${option}') words='${values.join(' ')}' ;;`);
}

/** The script. Runs in bash 3.2 too, which completes file names wherever nothing else is known. */
function bashCompletion(program: Command): string {
  const places = placesOf(program, '');
  return `# Completion of forebay for bash. To be sourced: source <(forebay completion bash)

# What may follow the command $1.
__forebay_enter() {
  path=$1 commands='' options='' valued='' files='' directories='' takes=''
  case $1 in
${places.map(branchOf).join('\n')}
  esac
}

# What option $2 of the command $1 may be; of an empty one, its arguments.
__forebay_choices() {
  words=''
  case "$1 $2" in
${places.flatMap(choicesOf).join('\n')}
  esac
}

${bashFunctions}`;
}
