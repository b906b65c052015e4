/** The ways to name a channel come to the same: any one of its directories, or as a configuration has it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { forebayAt } from '../../support/forebay-here.ts';
import { tellStory } from '../../support/sample-channels.ts';
import { tempDir } from '../../support/temp-dir.ts';

const lookedMs = Date.UTC(2026, 8, 21, 14, 15, 0);

test('a channel in several directories is found by each of them, and by its configuration', async (t) => {
  const home = await tempDir(t);
  const [first, second, checkpoint] = ['d1', 'd2', 'checkpoint'].map((name) => join(home, name));
  assert.ok(first !== undefined && second !== undefined && checkpoint !== undefined);
  const options = { dataDirs: [first, second], checkpointDir: checkpoint };
  const { oracle } = await tellStory(home, { isCheckpointed: true, options });
  const file = join(home, 'agent.properties');
  const lines = [
    'channels = c1',
    'channels.c1.type = file',
    `channels.c1.checkpointDir = ${checkpoint}`,
    `channels.c1.dataDirs = ${first},${second}`,
    'sinks = k1',
    'sinks.k1.type = null',
    'sinks.k1.channel = c1',
  ];
  await writeFile(file, lines.map((line) => `a1.${line}\n`).join(''));
  const stats = async (...place: string[]) => {
    const { status, stdout, stderr } = await forebayAt(lookedMs, 'channel', 'stats', ...place, '--json');
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const alone = await stats(second);
  assert.equal(alone.counters.put, oracle.events.length);
  assert.equal(alone.depthEvents, oracle.events.length - oracle.acked.length);
  assert.equal(alone.checkpoint, null, 'nobody says where it is');
  const whole = await stats(first, '--checkpoint-dir', checkpoint);
  assert.notEqual(whole.checkpoint, null);
  assert.deepEqual(await stats('-f', file, '-n', 'a1', '--channel', 'c1'), whole);
  assert.deepEqual(await stats(checkpoint), whole, 'the checkpoint directory names the others too');
  assert.deepEqual({ ...alone, checkpoint: whole.checkpoint, leasedEvents: whole.leasedEvents }, whole);
});
