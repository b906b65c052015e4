/** The commands where LMDB has no binary for the platform: the checkpoint is a shortcut, and nothing needs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { forebay } from '../../support/forebay-here.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';

const refused: string[] = [];
const { dlopen } = process;

/** As where the file is not there. */
process.dlopen = (module: object, filename: string, ...rest: unknown[]): void => {
  if (!filename.includes('lmdb')) {
    Reflect.apply(dlopen, process, [module, filename, ...rest]);
    return;
  }
  refused.push(filename);
  throw new Error(`${filename}: cannot open shared object file: No such file or directory`);
};

/** A channel with a checkpoint, made where LMDB works. */
function makeHealthy(home: string): string {
  const story = JSON.stringify(join(root, 'test/support/sample-channels.ts'));
  const program = `const { tellStory } = await import(${story});
    await tellStory(${JSON.stringify(home)}, { isCheckpointed: true });`;
  const args = ['--import=tsx', '--input-type=module', '--eval', program];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return join(home, 'c1');
}

async function flip(directory: string, text: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((one) => /^[0-9a-f]{16}\.seg$/.test(one))) {
    const path = join(directory, name);
    const bytes = await readFile(path);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
    await writeFile(path, bytes);
    return;
  }
  assert.fail(`${text} is nowhere`);
}

test('all but the look at the checkpoint works without LMDB, repair included', async (t) => {
  const home = await tempDir(t);
  const directory = makeHealthy(home);
  assert.ok((await readdir(join(directory, 'checkpoint'))).includes('data.mdb'));
  for (const verb of ['stats', 'segments', 'verify', 'dump', 'unresolved', 'replay', 'repair']) {
    const { status, stderr } = await forebay('channel', verb, directory);
    assert.equal(status, 0, `${verb}: ${stderr}`);
    if (['stats', 'verify'].includes(verb)) assert.match(stderr, /checkpoint was not looked at: the lmdb add-on/);
  }
  assert.ok(refused.length > 0, 'it was asked for');
  await flip(directory, '/page/61. ');
  assert.equal((await forebay('channel', 'repair', directory)).status, 2);
  const applied = await forebay('channel', 'repair', directory, '--apply', '--json');
  assert.equal(applied.status, 0, applied.stderr);
  assert.equal(JSON.parse(applied.stdout).eventsLost, 3);
  const verified = await forebay('channel', 'verify', directory);
  assert.equal(verified.status, 0, verified.stdout);
});
