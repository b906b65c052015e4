/** A prepared take of an earlier life that is rolled back while others take: each of its events goes to one of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { makeEvents, sequencesOf, upTo } from '../conformance/channel-support.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' } as const;

test('events that a resolve makes ready are not taken twice by who takes in the same turn', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const first = await FileChannel.open('/c1', options, { disk, clock: systemClock });
  await first.put(makeEvents(10));
  await first.put(makeEvents(10, 10));
  const sink = first.consumer('sink');
  await sink.take(20);
  const id = await sink.prepare([{ first: 11, last: 13 }], null);
  await first.close();
  const channel = await FileChannel.open('/c1', options, { disk, clock: systemClock });
  const taken = sequencesOf(await channel.take(5));
  const [next] = await Promise.all([
    channel.put(makeEvents(1, 20)).then(() => channel.take(1000)),
    channel.resolve(id, 'rollback'),
  ]);
  taken.push(...sequencesOf(next), ...sequencesOf(await channel.take(1000)));
  assert.deepEqual(
    taken.sort((a, b) => a - b),
    upTo(21, 1),
  );
  assert.equal(channel.stats().leasedEvents, 21);
  await channel.close();
});
