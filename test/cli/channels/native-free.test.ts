/** The commands without any native add-on: what only reads works; what writes says what it lacks. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { nativeAddons } from '../../../native-free-bench/guard.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { readAvroFile } from '../../support/avro-files.ts';
import { forebay } from '../../support/forebay-here.ts';
import { tellStory } from '../../support/sample-channels.ts';
import { tempDir } from '../../support/temp-dir.ts';

const looks = ['stats', 'segments', 'verify', 'dump', 'unresolved', 'replay', 'repair'];

test('readers and the plan of a repair need no native add-on', async (t) => {
  const home = await tempDir(t);
  const disk = nodeDisk({ tryLock: async () => true });
  const { directory, oracle } = await tellStory(home, { isPreparing: true, disk });
  for (const verb of looks) {
    const { status, stderr } = await forebay('channel', verb, directory);
    assert.equal(status, 0, `${verb}: ${stderr}`);
  }
  const { stdout } = await forebay('channel', 'dump', directory, '--state', 'all', '--json');
  assert.equal(stdout.trimEnd().split('\n').length, oracle.events.length);
  const { owner } = JSON.parse((await forebay('channel', 'stats', directory, '--json')).stdout);
  assert.equal(owner, 'unknown', 'the kernel is asked through an add-on');
  const destination = join(home, 'backup');
  assert.equal((await forebay('channel', 'backup', directory, destination)).status, 0);
  assert.equal((await forebay('channel', 'verify', destination)).status, 0);
  const exported = join(home, 'out.avro');
  assert.equal((await forebay('channel', 'export', directory, exported, '--state', 'all')).status, 0);
  assert.equal((await readAvroFile(await readFile(exported))).records.length, oracle.events.length);
  const imported = await forebay('channel', 'import', join(home, 'new'), exported);
  assert.equal(imported.status, 1);
  assert.match(imported.stderr, /cannot lock .*fs-native-extensions is missing or has no add-on/);
  const rewind = await forebay('channel', 'rewind', directory, '--to', '1');
  assert.equal(rewind.status, 1);
  assert.match(rewind.stderr, /cannot lock .*fs-native-extensions is missing or has no add-on/);
  const asked = nativeAddons();
  assert.ok(asked.length > 0, 'the guard saw what was asked for');
  assert.ok(
    asked.every((path) => !path.includes('lmdb')),
    asked.join(),
  );
});
