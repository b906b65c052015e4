/** `forebay config check` as a process: what it prints, and its exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const good = `a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = seq
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
`;

function check(...args: string[]): Finished {
  return forebay('config', 'check', ...args);
}

function forebay(...args: string[]): Finished {
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', timeout: 30_000 });
}

async function write(t: test.TestContext, name: string, text: string): Promise<string> {
  const file = join(await tempDir(t), name);
  await writeFile(file, text);
  return file;
}

test('a good file: a line with the count, exit 0', async (t) => {
  const { status, stdout, stderr } = check('-f', await write(t, 'a.properties', good), '-n', 'a1');
  assert.equal(stderr, '');
  assert.equal(stdout, '0 errors, 0 warnings\n');
  assert.equal(status, 0);
});

test('warnings are printed and exit 0; several files; a system property', async (t) => {
  const first = await write(t, 'a.properties', good.replace('c1.type = memory', `c1.type = \${sys:kind}`));
  const second = await write(t, 'b.properties', 'a1.sources.r1.batchsize = 5\n');
  const { status, stdout } = check('-f', first, '-f', second, '-Dkind=memory');
  const line = `${second}:1:1 a1.sources.r1.batchsize: warning: is not known here: do you mean 'batchSize'?`;
  assert.equal(stdout, `${line}\n0 errors, 1 warning\n`);
  assert.equal(status, 0);
});

test('errors exit 78, and are warnings with --lenient', async (t) => {
  const file = await write(t, 'a.properties', good.replace('sinks = k1', 'sinks = k1 k2'));
  const strict = check('-f', file);
  assert.equal(
    strict.stdout,
    `${file}:3:12 a1.sinks: nothing is set for 'k2': do you mean 'k1'?\n1 error, 0 warnings\n`,
  );
  assert.equal(strict.status, 78);
  const lenient = check('-f', file, '--lenient');
  assert.match(lenient.stdout, /'k2' is left out, as Flume does\n0 errors, 1 warning\n$/);
  assert.equal(lenient.status, 0);
});

test('a file that is not there, and an agent that is not, exit 78', async (t) => {
  const missing = check('-f', '/none/a.properties');
  assert.match(missing.stdout, /^\/none\/a\.properties:1:1: cannot be read: ENOENT/);
  assert.equal(missing.status, 78);
  const other = check('-f', await write(t, 'a.properties', good), '-n', 'a2');
  assert.match(other.stdout, /a2: no such agent: do you mean 'a1'\? there is a1\n1 error, 0 warnings\n$/);
  assert.equal(other.status, 78);
});

test('--json prints one document', async (t) => {
  const file = await write(t, 'a.properties', `${good}x = y\n`);
  const { status, stdout } = check('-f', file, '--json');
  assert.deepEqual(JSON.parse(stdout), {
    ok: false,
    errors: 1,
    warnings: 0,
    agents: ['a1'],
    problems: [
      {
        severity: 'error',
        file,
        line: 9,
        column: 1,
        key: 'x',
        message: "belongs to no agent: a key is 'AGENT.KIND.NAME.PROPERTY'",
      },
    ],
  });
  assert.equal(status, 78);
});

test('usage: 64 without a file or with an unknown option or verb; help shows an example', () => {
  for (const [args, expected] of [
    [[], /required option '-f, --conf-file <file>' not specified/],
    [['-f'], /argument missing/],
    [['--config', 'x'], /unknown option '--config'/],
    [['-f', 'x', 'y'], /too many arguments/],
  ] as const) {
    const { status, stdout, stderr } = check(...args);
    assert.match(stderr, expected);
    assert.equal(stdout, '');
    assert.equal(status, 64);
  }
  const other = forebay('config', 'chekc');
  assert.match(other.stderr, /unknown command 'chekc'/);
  assert.equal(other.status, 64);
  const help = check('--help');
  assert.match(help.stdout, /\$ forebay config check -f \/etc\/flume\/agent\.properties -n a1/);
  assert.equal(help.status, 0);
});
