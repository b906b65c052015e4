/** The `forebay` command as a process: what it prints where, and its exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function forebay(...args: string[]): Finished {
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', timeout: 30_000 });
}

test('--version prints the version of the package', () => {
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { status, stdout, stderr } = forebay('--version');
  assert.equal(stderr, '');
  assert.equal(stdout, `${manifest.version}\n`);
  assert.equal(status, 0);
});

test('--help prints the usage', () => {
  const { status, stdout, stderr } = forebay('--help');
  assert.equal(stderr, '');
  assert.match(stdout, /^Usage: forebay /);
  assert.equal(status, 0);
});

test('a pipe that is closed early is no error', () => {
  const command = `${process.execPath} --import=tsx ${join(root, 'src/cli/main.ts')} --help`;
  const script = `set -o pipefail; { ${command}; echo "status $?" >&2; } | true`;
  const { stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });
  assert.equal(stderr, 'status 0\n');
});

test('an unknown command exits 64 and names it', () => {
  const { status, stdout, stderr } = forebay('chanel', 'stats');
  assert.equal(stdout, '');
  assert.match(stderr, /unknown command 'chanel'/);
  assert.match(stderr, /forebay --help/);
  assert.equal(status, 64);
});

test('an unknown option exits 64 and names it', () => {
  const { status, stderr } = forebay('--vresion');
  assert.match(stderr, /unknown option '--vresion'/);
  assert.equal(status, 64);
});

test('no command at all exits 64', () => {
  const { status, stderr } = forebay();
  assert.match(stderr, /no command given/);
  assert.equal(status, 64);
});

test('the bin entry of the package is this file, and starts node', () => {
  const manifest: { bin: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual(manifest.bin, { forebay: './dist/cli/main.js' });
  assert.match(readFileSync(join(root, 'src/cli/main.ts'), 'utf8'), /^#!\/usr\/bin\/env node\n/);
});
