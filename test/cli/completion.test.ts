/** `forebay completion bash`: what bash offers with it is what `--help` lists, of every command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { forebay } from '../support/forebay-here.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A command as its help describes it; the words of `options` and of `valued` are all ways to write them. */
interface Described {
  readonly words: readonly string[];
  readonly commands: readonly string[];
  readonly options: readonly string[];
  readonly valued: readonly string[];
}

/** The lines below a heading of a help. */
function section(help: string, heading: string): readonly string[] {
  const lines = help.split('\n');
  const at = lines.indexOf(heading);
  const below = at < 0 ? [] : lines.slice(at + 1);
  const end = below.indexOf('');
  return below.slice(0, end < 0 ? below.length : end).filter((line) => /^ {2,6}\S/.test(line));
}

/** By the helps of all commands, from the root on. */
async function describe(words: readonly string[]): Promise<Described[]> {
  const { stdout, status } = await forebay(...words, '--help');
  assert.equal(status, 0);
  const named = section(stdout, 'Commands:').map((line) => line.trim().split(/[ |]/)[0] ?? '');
  const flags = section(stdout, 'Options:').map((line) => line.trim().split(/ {2,}/)[0] ?? '');
  const written = (one: string): string[] => one.match(/(?<![\w-])--?[A-Za-z][\w-]*/g) ?? [];
  // `-Dkey=value` is one word, and any.
  const options = flags.filter((one) => !one.startsWith('-D') || one.includes('--'));
  const own: Described = {
    words,
    commands: named,
    options: options.flatMap(written),
    valued: options.filter((one) => /[<A-Z]{2,}|<| S$/.test(one)).flatMap(written),
  };
  const below = named.filter((name) => name !== 'help');
  return [own, ...(await Promise.all(below.map((name) => describe([...words, name])))).flat()];
}

/** What bash would put in the place of the last word of each line; a line is divided as bash divides it. */
async function complete(lines: readonly (readonly string[])[]): Promise<string[][]> {
  const { stdout: script, status } = await forebay('completion', 'bash');
  assert.equal(status, 0);
  const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const asked = lines.map(
    (words) =>
      `COMP_WORDS=(forebay ${words.map(quoted).join(' ')}); COMP_CWORD=${words.length}; _forebay\n` +
      `printf '%s ' "\${COMPREPLY[@]}"; echo`,
  );
  const bash = spawnSync('bash', ['--norc', '--noprofile', '-u'], {
    input: [script, ...asked, ''].join('\n'),
    encoding: 'utf8',
  });
  assert.equal(bash.stderr, '');
  const answers = bash.stdout.split('\n').slice(0, -1);
  assert.equal(answers.length, lines.length);
  return answers.map((answer) => answer.split(' ').filter((word) => word !== ''));
}

test('the script is sound, and needs nothing but bash', async () => {
  const { stdout } = await forebay('completion', 'bash');
  const bash = spawnSync('bash', ['-n'], { input: stdout, encoding: 'utf8' });
  assert.deepEqual([bash.status, bash.stderr], [0, '']);
  const bare = spawnSync('bash', ['--norc', '--noprofile', '-eu', '-c', `PATH=\n${stdout}\ncomplete -p forebay`], {
    encoding: 'utf8',
  });
  assert.deepEqual([bare.status, bare.stderr, bare.stdout], [0, '', 'complete -F _forebay forebay\n']);
  for (const words of [[], ['zsh'], ['bash', 'x']]) assert.equal((await forebay('completion', ...words)).status, 64);
});

test('every command and every option that a help lists is offered, and nothing else', async () => {
  const all = await describe([]);
  const offered = await complete(
    all.flatMap(({ words }) => [
      [...words, ''],
      [...words, '-'],
    ]),
  );
  for (const [at, { words, commands, options }] of all.entries()) {
    const path = ['forebay', ...words].join(' ');
    const names = words[0] === 'completion' ? ['bash'] : commands;
    assert.deepEqual([...(offered[2 * at] ?? [])].sort(), [...names].sort(), path);
    assert.deepEqual([...(offered[2 * at + 1] ?? [])].sort(), [...options].sort(), path);
  }
  const count = all.reduce((sum, { options }) => sum + options.length, 0);
  assert.ok(all.length > 15 && count > 150, `${all.length} commands, ${count} options`);
  const valued = all.flatMap(({ words, valued: some }) => some.map((option) => [...words, option, 'x', '-']));
  for (const [at, words] of (await complete(valued)).entries()) {
    assert.ok(words.includes('--help'), `behind the value of ${valued[at]?.join(' ')}`);
  }
  console.log(`shows: completion: ${all.length} commands, ${count} ways to write their options, all offered`);
});

test('values that are known; what bash divides at = and at :; what comes behind a value', async () => {
  const dump = ['channel', 'dump'];
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[...dump, '--format', ''], 'ndjson text raw'],
    [[...dump, '--format', 'nd'], 'ndjson'],
    [[...dump, '--format', '='], 'ndjson text raw'],
    [[...dump, '--format', '=', 'r'], 'raw'],
    [[...dump, '--format=r'], '--format=raw'],
    [[...dump, '--state', 'p'], 'pending prepared'],
    [[...dump, '--state', 'acked,pr'], 'acked,prepared'],
    [[...dump, '--limit', ''], ''],
    [[...dump, '--format', 'raw', '--lim'], '--limit'],
    [[...dump, '--where', 'host', '=', 'web1', '--lim'], '--limit'],
    [[...dump, '--from', '2026-11-22T10', ':', '00', ':', '00Z', '--lim'], '--limit'],
    [[...dump, '--frames', '--lim'], '--limit'],
    [[...dump, 'my dir', '--lim'], '--limit'],
    [[...dump, '--', '--lim'], ''],
    [['chan'], 'channel'],
    [['agent', '-n', 'channel', ''], ''],
    [['agent', '--log'], '--log-file'],
    [['agent', '-n', 'a1', '--conf-f'], '--conf-file'],
    [['channel', 'help', 'ver'], 'verify'],
    [['config', 'ch'], 'check'],
  ];
  const offered = await complete(cases.map(([words]) => words));
  for (const [at, [words, expected]] of cases.entries()) {
    assert.equal(offered[at]?.join(' '), expected, words.join(' '));
  }
});

test('at a keyboard: TAB completes verbs, values, directories and files, with spaces in their names too', async (t) => {
  const home = await tempDir(t);
  for (const name of ['my channel', 'other:dir']) mkdirSync(join(home, name));
  for (const name of ['agent one.properties', 'my file', 'key.bin']) writeFileSync(join(home, name), '');
  const { stdout: script } = await forebay('completion', 'bash');
  writeFileSync(join(home, 'script'), script);
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['chan\tver\tmy\t', ['channel', 'verify', 'my channel/']],
    ['channel dump --form\tnd\t"my\t', ['channel', 'dump', '--format', 'ndjson', 'my channel/']],
    ['channel dump my\\ ch\t --format=r\t', ['channel', 'dump', 'my channel/', '--format=raw']],
    ['channel dump --checkpoint-dir=my\t', ['channel', 'dump', '--checkpoint-dir=my channel/']],
    ['channel stats oth\t', ['channel', 'stats', 'other:dir/']],
    ['channel stats -f age\t', ['channel', 'stats', '-f', 'agent one.properties']],
    ['channel stats --key k1=ke\t', ['channel', 'stats', '--key', 'k1=key.bin']],
    ['agent -f age\t', ['agent', '-f', 'agent one.properties']],
    ['channel dump --limit key\t', ['channel', 'dump', '--limit', 'key']],
  ];
  const lines = [
    '. ./script',
    'forebay() { printf \'<%s>\' "$@"; echo; }',
    ...cases.map(([line]) => `forebay ${line}`),
  ];
  // Readline reads from what stands in for the keyboard.
  const bash = spawnSync('bash', ['--norc', '--noprofile', '-i'], {
    cwd: home,
    input: `${lines.join('\n')}\nexit\n`,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TERM: 'dumb', INPUTRC: '/dev/null', HISTFILE: '' },
    timeout: 30_000,
  });
  const ran = bash.stdout.split('\n').filter((line) => line.startsWith('<'));
  assert.deepEqual(
    ran,
    cases.map(([, words]) => words.map((word) => `<${word}>`).join('')),
    bash.stderr,
  );
});
