/** One damage, found, planned, repaired, and the channel drained after it: loss reported is loss measured. */
import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import type { Disk } from '../../../src/base/disk.ts';
import type { Sequence } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { type ChannelView, type ViewOptions, viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { verifyChannel } from '../../../src/channel/reader/verify.ts';
import { type ApplyEnvironment, applyRepair } from '../../../src/channel/repair/apply.ts';
import { type PlannedDamage, planRepair, verifyAll } from '../../../src/channel/repair/plan.ts';
import { memoryCheckpointStore } from '../../../src/checkpoint/memory.ts';
import type { CheckpointStore } from '../../../src/checkpoint/store.ts';
import type { Damage } from '../../../src/wal/damage.ts';
import { expand, rangesOf } from '../../damage/expectation.ts';
import { diskOf, environmentOf, type Files, home, readFiles } from '../../damage/reference-log.ts';
import type { DoneDamage } from './random-damage.ts';
import type { Oracle, Sample } from './sample.ts';

/** A channel in memory, and how a repair sees it. */
export interface Bench {
  readonly disk: Disk;
  readonly store: CheckpointStore;
  readonly path: string;
  readonly viewOptions: ViewOptions;
  readonly environment: ApplyEnvironment;
}

/** Puts a sample's files, as they are now, on a disk of their own. */
export async function benchOf(sample: Sample, files: Files, seed: number): Promise<Bench> {
  const disk = await diskOf(files);
  const store = memoryCheckpointStore();
  await store.save(sample.checkpoint);
  return benchOn(sample, disk, store, seed);
}

/** The same on a disk that is there. */
export function benchOn({ options }: Pick<Sample, 'options'>, disk: Disk, store: CheckpointStore, seed: number): Bench {
  const viewOptions: ViewOptions = { checkpointDir: `${home}/checkpoint`, encryption: options.encryption };
  const environment: ApplyEnvironment = {
    disk,
    clock: systemClock,
    readCheckpoint: async () => {
      const record = await store.load();
      return record === undefined ? { kind: 'none' } : { kind: 'record', record };
    },
    channel: environmentOf(disk, store, seed),
  };
  return { disk, store, path: options.dataDirs?.[0] ?? home, viewOptions, environment };
}

/** What `verify` says. */
export async function verifyOn({
  path,
  viewOptions,
  environment,
}: Bench): Promise<{ readonly view: ChannelView } & Awaited<ReturnType<typeof verifyAll>>> {
  const view = await viewChannel(path, viewOptions, environment);
  return { view, ...(await verifyAll(view, environment)) };
}

/** What a damage came to. */
export interface TrialOutcome {
  readonly lost: readonly Sequence[];
  readonly returned: number;
  readonly damages: readonly PlannedDamage[];
}

/** All of it; rejects where any of it is not as promised. */
export async function tryDamage(
  sample: Sample,
  view: ChannelView,
  { files, changed }: DoneDamage,
  seed: number,
): Promise<TrialOutcome> {
  const bench = await benchOf(sample, files, seed);
  const { path, viewOptions, environment } = bench;
  const found = await verifyOn(bench);
  assert.notEqual(found.damages.length, 0, 'verify finds it');
  const plan = await planRepair(path, viewOptions, environment);
  assert.ok(!plan.isEmpty);
  assert.deepEqual(await readFiles(bench.disk, '/'), new Map([...files].sort()), 'a plan changes nothing');
  const result = await applyRepair(plan, viewOptions, environment);
  assert.deepEqual(result.left, [], 'nothing is left to repair');
  const again = await planRepair(path, viewOptions, environment);
  assert.ok(again.isEmpty, JSON.stringify(again.damages));
  if (viewOptions.encryption !== undefined) await checkWithoutKeys(bench);
  const { lost, returned } = await measure(sample, bench);
  const planned = plan.damages.flatMap(({ eventsLost, sequences }) => (eventsLost > 0 ? sequences : []));
  assert.deepEqual(rangesOf([...new Set(planned.flatMap(expand))]), rangesOf(lost), 'planned loss is the loss');
  const told = result.damages.flatMap(({ eventsLost, sequences }) => (eventsLost > 0 ? sequences : []));
  assert.deepEqual(rangesOf([...new Set(told.flatMap(expand))]), rangesOf(lost), 'the reported loss is the loss');
  assert.deepEqual([plan.eventsLost, result.eventsLost], [lost.length, lost.length]);
  const reach = reachOf(sample, view, changed);
  for (const sequence of lost) assert.ok(reach.has(sequence), `event ${sequence} was not damaged`);
  return { lost, returned, damages: result.damages };
}

/** By the sums alone. That a file of which nothing holds is no part of the log any more stands encrypted. */
async function checkWithoutKeys({ path, environment }: Bench): Promise<void> {
  const view = await viewChannel(path, { withoutKeys: true }, environment);
  const { damages } = await verifyChannel(view);
  const isNoSegment = ({ kind, bytes }: Damage) => kind === 'segmentHeader' && bytes === 0;
  const left = damages.filter((damage) => !isNoSegment(damage));
  assert.deepEqual(left, [], 'without the key all of it holds too');
}

/** Drains the channel, what is prepared too, and holds that against what was put. */
export async function measure(
  { options, oracle }: Pick<Sample, 'options' | 'oracle'>,
  { disk, store }: Pick<Bench, 'disk' | 'store'>,
): Promise<{ readonly lost: readonly Sequence[]; readonly returned: number }> {
  const channel = await FileChannel.open(home, options, environmentOf(disk, store, 77));
  assert.deepEqual(channel.damages, [], 'nothing more is found by an open');
  const delivered = await drain(channel, oracle);
  assert.deepEqual(channel.damages, [], 'nothing more is found by a delivery');
  await channel.close();
  const { bodies, settled } = oracle;
  const lost = [...bodies.keys()].filter((sequence) => !delivered.has(sequence) && !settled.has(sequence));
  return { lost, returned: [...delivered].filter((sequence) => settled.has(sequence)).length };
}

/** Takes all there is, after every prepared take was rolled back; each once, and as it was put. */
export async function drain(channel: FileChannel, { bodies }: Oracle): Promise<Set<Sequence>> {
  for (const { id } of channel.unresolved()) await channel.resolve(id, 'rollback');
  const delivered = new Set<Sequence>();
  const consumer = channel.consumer('drain');
  for (;;) {
    const batch = await consumer.take(1000);
    if (batch.events.length === 0) break;
    for (const { sequence, body } of batch.events) {
      assert.ok(!delivered.has(sequence), `${sequence} comes once`);
      assert.equal(body.toString(), bodies.get(sequence));
      delivered.add(sequence);
    }
  }
  return delivered;
}

/** The events of each group that holds a changed byte. Without both header pages, of the whole segment. */
function reachOf({ files }: Sample, view: ChannelView, changed: DoneDamage['changed']): Set<Sequence> {
  const reach = new Set<Sequence>();
  for (const { path, from, to } of changed) {
    const segment = view.segments.find((one) => one.path === path);
    const bytes = files.get(path);
    if (segment === undefined || bytes === undefined) continue;
    const headersGone = from === 0 && to > 4096;
    for (let at = 8192; at < segment.endOffset; ) {
      const end = at + Math.ceil(bytes.readUInt32LE(at + 20) / 4096) * 4096;
      const first = Number(bytes.readBigUInt64LE(at + 40));
      const count = bytes.readUInt32LE(at + 48);
      if (headersGone || (from < end && at < to)) for (let i = 0; i < count; i++) reach.add(first + i);
      at = end;
    }
  }
  return reach;
}
