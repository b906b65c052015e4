/** What the README tells a reader to run, runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from './support/source.ts';
import { tempDir } from './support/temp-dir.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The code block under the heading `title`. */
function blockUnder(title: string): string {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  const block = /```ts\n([\s\S]*?)```/.exec(section ?? '')?.[1];
  assert.ok(block !== undefined, `a code block under ${title}`);
  return block;
}

test('the example under Embed stores an event and takes it', async (t) => {
  const directory = join(await tempDir(t), 'parent', 'c1');
  const block = blockUnder('Embed');
  const lines = block.split('\n').filter((line) => line !== '');
  assert.ok(lines.length <= 10, `embedding takes ${lines.length} lines`);
  const code = block
    .replace("'forebay'", "'./src/index.ts'")
    .replace("'/var/lib/forebay/c1'", JSON.stringify(directory));
  assert.ok(code.includes('./src/index.ts') && code.includes(directory), 'package and directory were replaced');
  for (const expected of ['1 x\n', '2 x\n']) {
    const args = ['--import=tsx', '--input-type=module', '--eval', code];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, expected, 'sequences go on from run to run');
  }
});

test('the commands the README names are there', () => {
  const manifest: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...readme.matchAll(/`npm run ([\w:]+)`/g)].map(([, name = '']) => name);
  assert.ok(named.length >= 5, named.join());
  for (const name of [...named, 'test']) assert.ok(name in manifest.scripts, `npm run ${name}`);
});
