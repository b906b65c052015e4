/** What left the log stays settled: also for frames that were read before their segment went. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { bodiesOf, drain, makeEvents, range, upTo } from '../conformance/channel-support.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { lifeOn } from './workload.ts';

test('acknowledged events of a frame in memory do not come back when their segment leaves the log', async () => {
  const life = lifeOn(new SimulatedDisk({ seed: 1 }));
  const first = await life.open();
  await first.put(makeEvents(10));
  const k = first.consumer('k');
  await k.take(10);
  await k.commit([range(4, 10)]);
  await first.close();
  const second = await life.open();
  const batch = await second.take(3);
  assert.deepEqual(bodiesOf(batch), upTo(3));
  await batch.commit();
  // The first segment is drained now, and leaves with the next two that are started.
  const large = { headers: {}, body: Buffer.alloc(40_000, '77 ') };
  for (let round = 0; round < 4; round += 1) await second.put([large]);
  assert.deepEqual(
    await drain(second),
    upTo(4).map(() => Number.NaN),
  );
});
