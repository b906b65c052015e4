/** An open after a crash crashes as well, anywhere, and the power takes any part of what it wrote: nothing is lost. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import { bodiesOf, makeEvents, upTo } from '../conformance/channel-support.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

const seedsEach = 12;

function open(disk: SimulatedDisk): Promise<FileChannel> {
  const openCheckpoint = async () => ({ store: memoryCheckpointStore(), notice: undefined });
  const environment = { disk, clock: new ManualClock(), random: new SeededRandom(1), openCheckpoint };
  return FileChannel.open('/c', { segmentBytes: 65_536 }, environment);
}

/** A channel with an acknowledged, but unproven tail, as a killed process leaves it. */
async function killedChannel(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 3 });
  const channel = await open(disk);
  await channel.put(makeEvents(20));
  await (await channel.take(5)).commit();
  await channel.put(makeEvents(10, 20), { notes: { position: 30 } });
  return disk.kill();
}

async function check(disk: SimulatedDisk, what: string): Promise<void> {
  const channel = await open(disk);
  assert.equal(channel.notes.get('position'), 30, what);
  const batch = await channel.take(100);
  assert.deepEqual(bodiesOf(batch), upTo(25, 5), what);
}

test('whatever of a crashed open reached the disk, the next one finds what was acknowledged', async () => {
  const killed = await killedChannel();
  let cases = 0;
  for (let operation = 1; ; operation += 1) {
    const opening = killed.snapshot();
    opening.stopAt(operation, 'after');
    const opened = await open(opening).catch(() => undefined);
    if (opened !== undefined) break;
    for (let seed = 1; seed <= seedsEach; seed += 1) {
      await check(opening.snapshot().powerCut(seed), `stopped after operation ${operation}, power cut ${seed}`);
      cases += 1;
    }
  }
  assert.ok(cases >= 8 * seedsEach, `${cases} cases`);
});
