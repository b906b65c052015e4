/**
 * What a repair promises beside the loss it reports: nothing happens to a channel in use, a plan changes nothing, what
 * reads again is pending again, what could not be read does not hold its segment for ever, and a repair that is cut
 * off at any of its steps is finished by the next.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryDisk } from '../../../src/base/disk-memory.ts';
import { countSequences } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { applyRepair } from '../../../src/channel/repair/apply.ts';
import { planRepair } from '../../../src/channel/repair/plan.ts';
import { memoryCheckpointStore } from '../../../src/checkpoint/memory.ts';
import { type Files, home, readFiles } from '../../damage/reference-log.ts';
import { withBytes, withFlip } from '../../damage/trial.ts';
import { failReads, hastyClock, simulatedDiskOf } from '../../damage/unreadable-pages.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import type { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DiskStopped } from '../../support/simulated-faults.ts';
import { damageAtRandom } from './random-damage.ts';
import { buildSample, type Oracle, type Sample } from './sample.ts';
import { type Bench, benchOf, benchOn, drain, measure, tryDamage, verifyOn } from './trial.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0 };
const first = `${home}/0000000000000001.seg`;
const events = 40;

/** Events of a page and more each, in several segments; nothing is taken. */
async function plainChannel(): Promise<{ files: Files; oracle: Oracle }> {
  const disk = memoryDisk();
  const oracle: Oracle = { bodies: new Map(), settled: new Set() };
  const channel = await FileChannel.open(home, { ...options, checkpoint: 'memory' }, { disk });
  for (let at = 1; at <= events; at++) {
    const body = `event ${at} `.padEnd(5000, '.');
    const [range] = await channel.put([{ headers: {}, body: Buffer.from(body) }]);
    oracle.bodies.set(range?.first ?? 0, body);
  }
  await channel.close();
  return { files: await readFiles(disk, '/'), oracle };
}

/** That channel on a disk where a page of its third event cannot be read; which a drain has met. */
async function unreadableChannel() {
  const { files, oracle } = await plainChannel();
  const disk = await simulatedDiskOf(files);
  const page = Math.floor((files.get(first) as Buffer).indexOf('event 3 ') / 4096);
  const readable = failReads(disk, first, page, Number.POSITIVE_INFINITY);
  const plain = benchOn({ options }, disk, memoryCheckpointStore(), 3);
  const bench: Bench = { ...plain, environment: { ...plain.environment, clock: hastyClock } };
  const channel = await FileChannel.open(home, options, { ...bench.environment.channel, disk, clock: hastyClock });
  const delivered = await drain(channel, oracle);
  assert.equal(delivered.has(3), false);
  // A segment more: its STATE says that the first one is to stay.
  for (let at = 0; at < 8; at++) {
    const [range] = await channel.put([{ headers: {}, body: Buffer.alloc(10_000, 'y') }]);
    oracle.bodies.set(range?.first ?? 0, 'y'.repeat(10_000));
  }
  await channel.close();
  return { disk, oracle, bench, readable };
}

test('what could not be read, and reads again, is pending again', async () => {
  const { oracle, bench, readable } = await unreadableChannel();
  const before = await planRepair(bench.path, bench.viewOptions, bench.environment);
  assert.deepEqual([before.damages.map(({ kind }) => kind), before.eventsLost], [['unreadable'], 1]);
  readable();
  const plan = await planRepair(bench.path, bench.viewOptions, bench.environment);
  assert.deepEqual([plan.damages, plan.readmitted, plan.held.length], [[], [{ first: 3, last: 3 }], 1]);
  const result = await applyRepair(plan, bench.viewOptions, bench.environment);
  assert.deepEqual([result.eventsReadmitted, result.eventsLost, result.left], [1, 0, []]);
  const { view, damages } = await verifyOn(bench);
  assert.deepEqual(damages, []);
  assert.deepEqual(view.queue.counters, { put: events + 8, requeued: 1, taken: 0, dropped: 0, quarantined: 1 });
  assert.ok((await planRepair(bench.path, bench.viewOptions, bench.environment)).isEmpty);
  assert.deepEqual((await measure({ options, oracle }, bench)).lost, []);
});

test('what cannot be read is given up, and its segment may go; what reads one day is taken up again', async () => {
  const { disk, oracle, bench } = await unreadableChannel();
  const plan = await planRepair(bench.path, bench.viewOptions, bench.environment);
  const result = await applyRepair(plan, bench.viewOptions, bench.environment);
  assert.deepEqual([result.eventsReadmitted, result.eventsLost, result.left], [0, 1, []]);
  const settled = await verifyOn(bench);
  assert.deepEqual([settled.damages, settled.view.segments.filter(({ pinned }) => pinned)], [[], []]);
  const healed = benchOn({ options }, disk.snapshot(), memoryCheckpointStore(), 4);
  await drainAndGoOn(disk, bench);
  assert.equal(await disk.entry(first), undefined, 'the segment has gone');

  const again = await planRepair(healed.path, healed.viewOptions, healed.environment);
  assert.deepEqual([again.damages, again.readmitted], [[], [{ first: 3, last: 3 }]]);
  await applyRepair(again, healed.viewOptions, healed.environment);
  assert.deepEqual((await measure({ options, oracle }, healed)).lost, []);
});

test('without a repair a segment that cannot be read stays', async () => {
  const { disk, bench } = await unreadableChannel();
  await drainAndGoOn(disk, bench);
  assert.notEqual(await disk.entry(first), undefined);
});

test('a segment file that was missing and is back: its events wait again', async () => {
  const { files, oracle } = await plainChannel();
  const second = `${home}/0000000000000002.seg`;
  const rest = new Map(files);
  rest.delete(second);
  const disk = await simulatedDiskOf(rest);
  const bench = benchOn({ options }, disk, memoryCheckpointStore(), 3);
  const { eventsLost, left } = await repairOn(bench);
  assert.ok(eventsLost > 0);
  assert.deepEqual(left, []);
  const missing = benchOn({ options }, disk.snapshot(), memoryCheckpointStore(), 3);
  assert.equal((await measure({ options, oracle }, missing)).lost.length, eventsLost);

  const file = await disk.open(second, { mode: 'create' });
  await file.write(Buffer.from(files.get(second) as Buffer), 0);
  await file.close();
  const plan = await planRepair(bench.path, bench.viewOptions, bench.environment);
  assert.deepEqual([plan.damages, countSequences(plan.readmitted)], [[], eventsLost]);
  const result = await applyRepair(plan, bench.viewOptions, bench.environment);
  assert.deepEqual([result.eventsReadmitted, result.left], [eventsLost, []]);
  const { view } = await verifyOn(bench);
  const { put, requeued, quarantined } = view.queue.counters;
  assert.deepEqual([put, requeued, quarantined, view.queue.depth], [events, eventsLost, eventsLost, events]);
  assert.deepEqual((await measure({ options, oracle }, bench)).lost, []);
});

/** Takes all there is, and puts enough that drained segments go. */
async function drainAndGoOn(disk: SimulatedDisk, { environment }: Bench): Promise<void> {
  const channel = await FileChannel.open(home, options, { ...environment.channel, disk, clock: hastyClock });
  for (let turn = 0; turn < 40; turn++) {
    await channel.put([{ headers: {}, body: Buffer.alloc(10_000) }]);
    for (let batch = await channel.take(100); batch.events.length > 0; batch = await channel.take(100)) {
      await batch.commit();
    }
  }
  await channel.close();
}

test('a bit that changes later in a settled place, or in its report, is damage again', async () => {
  const { files, oracle } = await plainChannel();
  const at = (files.get(first) as Buffer).indexOf('event 3 ');
  const disk = await simulatedDiskOf(withFlip(files, first, at * 8));
  const bench = benchOn({ options }, disk, memoryCheckpointStore(), 3);
  await repairOn(bench);
  const settled = await readFiles(disk, '/');
  const report = [...settled.keys()].find((path) => path.includes('/quarantine/repair-')) ?? '';
  for (const changed of [withFlip(settled, first, (at + 4000) * 8), withFlip(settled, report, 400 * 8)]) {
    const later = benchOn({ options }, await simulatedDiskOf(changed), memoryCheckpointStore(), 4);
    assert.deepEqual(
      (await verifyOn(later)).damages.map(({ path, kind }) => [path, kind]),
      [[first, 'frame']],
    );
    assert.deepEqual((await repairOn(later)).left, []);
    assert.deepEqual((await measure({ options, oracle }, later)).lost, [3]);
  }
});

test('a report settles nothing whose loss the log does not know', async () => {
  const { files } = await plainChannel();
  const spoiled = withFlip(files, first, (files.get(first) as Buffer).indexOf('event 3 ') * 8);
  const bench = benchOn({ options }, await simulatedDiskOf(spoiled), memoryCheckpointStore(), 3);
  await repairOn(bench);
  const reports = [...(await readFiles(bench.disk, `${home}/quarantine`))];
  assert.equal(reports.length, 2);
  const foreign = await simulatedDiskOf(new Map([...spoiled, ...reports]));
  const { damages } = await verifyOn(benchOn({ options }, foreign, memoryCheckpointStore(), 4));
  assert.deepEqual(
    damages.map(({ kind, eventsLost }) => [kind, eventsLost]),
    [['frame', 1]],
  );
});

test("a header page that is another segment's is found, and written again from the other copy", async () => {
  const { files, oracle } = await plainChannel();
  const names = [...files.keys()].filter((path) => /\/[0-9a-f]{16}\.seg$/.test(path)).sort();
  for (const path of [names[0] ?? '', names.at(-1) ?? '']) {
    const changed = withBytes(files, path, (bytes) => {
      files.get(names[1] ?? '')?.copy(bytes, 0, 0, 4096);
      return bytes;
    });
    const bench = benchOn({ options }, await simulatedDiskOf(changed), memoryCheckpointStore(), 3);
    const { damages, eventsLost, left } = await repairOn(bench);
    assert.deepEqual([damages.map(({ action }) => action), eventsLost, left], [['rewrite'], 0, []]);
    const now = await readFiles(bench.disk, home);
    assert.ok(
      now
        .get(path)
        ?.subarray(0, 4096)
        .equals(files.get(path)?.subarray(0, 4096) as Buffer),
    );
    assert.deepEqual((await measure({ options, oracle }, bench)).lost, []);
  }
});

test('the head of the newest segment is gone: what stood there only the checkpoint tells', async () => {
  let tried = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const sample = await buildSample({}, new SeededRandom(seed));
    const { view } = await verifyOn(await benchOf(sample, sample.files, 1));
    const { path = '' } = view.segments.at(-1) ?? {};
    const second = 8192 + Math.ceil((sample.files.get(path) as Buffer).readUInt32LE(8192 + 20) / 4096) * 4096;
    const files = withBytes(sample.files, path, (bytes) => bytes.fill(0, 0, second + 4096));
    const changed = [{ path, from: 0, to: second + 4096 }];
    const { lost } = await tryDamage(sample, view, { name: 'head', files, changed }, seed);
    tried += lost.length;
  }
  assert.ok(tried > 0);
});

test('what was prepared and is lost stays lost when the take is rolled back while its segment goes', async () => {
  const { files } = await plainChannel();
  const disk = await simulatedDiskOf(files);
  const { environment } = benchOn({ options }, disk, memoryCheckpointStore(), 3);
  const parts = { ...environment.channel, disk };
  const before = await FileChannel.open(home, options, parts);
  const consumer = before.consumer('k');
  const batch = await consumer.take(events);
  const id = await consumer.prepare([{ first: 3, last: 3 }], 'a');
  await batch.commit();
  await before.close();
  const at = (files.get(first) as Buffer).indexOf('event 3 ');
  const spoiled = await simulatedDiskOf(withFlip(await readFiles(disk, '/'), first, at * 8));
  await repairOn(benchOn({ options }, spoiled, memoryCheckpointStore(), 3));
  const channel = await FileChannel.open(home, options, { ...parts, disk: spoiled });
  // The record of the rollback waits behind a put that starts a segment, with which the drained ones go.
  const puts = [1, 2, 3].map(() => channel.put([{ headers: {}, body: Buffer.alloc(30_000) }]));
  await Promise.all([...puts, channel.resolve(id, 'rollback')]);
  assert.equal(await spoiled.entry(first), undefined, 'its segment has gone');
  assert.equal((await channel.take(10)).events.length, 3);
  assert.deepEqual([channel.damages, channel.stats().counters.quarantined], [[], 1]);
  await channel.close();
});

test('a channel in use is planned for, and left alone', async () => {
  const { files } = await plainChannel();
  const spoiled = new Map(files).set(first, Buffer.from(files.get(first) as Buffer).fill(1, 9000, 9001));
  const disk = await simulatedDiskOf(spoiled);
  const used = benchOn({ options }, disk, memoryCheckpointStore(), 1);
  const owner = await FileChannel.open(home, options, { ...used.environment.channel, disk });
  const plan = await planRepair(used.path, used.viewOptions, used.environment);
  assert.equal(plan.damages.length, 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = await readFiles(disk, '/');
  await assert.rejects(applyRepair(plan, used.viewOptions, used.environment), { code: 'CHANNEL_LOCKED' });
  assert.deepEqual(await readFiles(disk, '/'), before);
  await owner.close();
});

test('a repair that is killed, or loses power, at any step is finished by the next', async (t) => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
  const random = new SeededRandom(seed);
  const sample = await buildSample({}, random);
  const { view } = await verifyOn(await benchOf(sample, sample.files, 1));
  let stops = 0;
  for (let damages = 0; damages < 2; damages++) {
    const { name, files } = damageAtRandom(sample.files, view.segments, random);
    const whole = await onSimulated(sample, files);
    const stepsBefore = whole.disk.operations.length;
    await repairOn(whole.bench);
    const steps = whole.disk.operations.length - stepsBefore;
    const expected = await measure(sample, whole.bench);
    for (let turn = 0; turn < 8; turn++) {
      const where = `${name}, FOREBAY_SEED=${seed}`;
      const { disk, bench, store } = await onSimulated(sample, files);
      disk.stopAt(stepsBefore + 1 + random.below(steps), random.pick(['before', 'during', 'after']));
      const stopped: unknown = await repairOn(bench).then(
        () => undefined,
        (error: unknown) => error,
      );
      // One that wrote less than the first one, for the steps of an owner depend on the time too, is through.
      assert.ok(stopped === undefined || stopped instanceof DiskStopped, `${where}: ${stopped}`);
      const next = random.chance(0.5) ? disk.kill() : disk.powerCut(random.next());
      const after = benchOn(sample, next, store, random.next());
      await repairOn(after);
      assert.deepEqual((await verifyOn(after)).damages, [], where);
      assert.deepEqual((await measure(sample, after)).lost, expected.lost, where);
      if (stopped !== undefined) stops += 1;
    }
  }
  assert.ok(stops > 8, `${stops} stops, FOREBAY_SEED=${seed}`);
  t.diagnostic(`${stops} stops`);
});

async function onSimulated(sample: Sample, files: Files) {
  const disk = await simulatedDiskOf(files);
  const store = memoryCheckpointStore();
  await store.save(sample.checkpoint);
  const bench = benchOn(sample, disk, store, 5);
  // A disk that has stopped answers each read again as it did.
  return { disk, store, bench: { ...bench, environment: { ...bench.environment, clock: hastyClock } } };
}

async function repairOn({ path, viewOptions, environment }: Bench) {
  return await applyRepair(await planRepair(path, viewOptions, environment), viewOptions, environment);
}
