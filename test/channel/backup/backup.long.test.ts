/**
 * Backups beside an owner that puts, takes, prepares and lets segments go as fast as it can: each verifies, opens, and
 * holds what the channel held at one moment between its begin and its end.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { type BackupReport, backupChannel } from '../../../src/channel/backup/backup-channel.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../../src/channel/options.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { verifyChannel } from '../../../src/channel/reader/verify.ts';
import { expand } from '../../conformance/channel-support.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { type Found, MomentOracle } from './moment-oracle.ts';

const environment = { disk: nodeDisk(), clock: systemClock, random: systemRandom };
const encryption = { activeKey: 1, keys: { 1: Buffer.alloc(32, 9) } };
const base: ChannelOptions = {
  segmentBytes: 262_144,
  minimumFreeBytes: 0,
  checkpoint: 'memory',
  capacityEvents: 20_000,
};

interface Case {
  readonly backups: number;
  readonly twoDirectories: boolean;
  readonly options: ChannelOptions;
}

const cases: Readonly<Record<string, Case>> = {
  plain: { backups: 6, twoDirectories: false, options: {} },
  'two directories': { backups: 5, twoDirectories: true, options: {} },
  encrypted: { backups: 5, twoDirectories: false, options: { encryption } },
  'encrypted, compressed, two directories': {
    backups: 4,
    twoDirectories: true,
    options: { encryption, compression: 'deflate' },
  },
};

/** Keeps a channel busy until told to stop. */
class Load {
  readonly oracle = new MomentOracle();
  readonly #channel: FileChannel;
  readonly #works: Promise<void>[];
  #isOver = false;
  #given = 0;

  constructor(channel: FileChannel) {
    this.#channel = channel;
    this.#works = [this.#produce(), this.#consume('a'), this.#consume('b'), this.#prepare()];
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#works);
  }

  async #produce(): Promise<void> {
    while (!this.#isOver) {
      const from = this.#given + 1;
      this.#given += 40;
      const events = Array.from({ length: 40 }, (_, at) => ({ headers: {}, body: Buffer.from(bodyOf(from + at)) }));
      await this.oracle.note('put', () => this.#channel.put(events));
    }
  }

  /** Some of what it takes it acknowledges in two steps, some it gives back. */
  async #consume(name: string): Promise<void> {
    const consumer = this.#channel.consumer(name);
    for (let turn = 0; !this.#isOver; turn += 1) {
      const { ranges } = await consumer.take(60, { waitMs: 50 });
      const sequences = expand(ranges).map((one) => ({ first: one, last: one }));
      const first = sequences.filter((_, index) => index % 2 === 0);
      const rest = sequences.filter((_, index) => index % 2 === 1);
      if (first.length > 0) await this.oracle.note('ack', () => consumer.commit(first));
      if (turn % 5 === 0) await consumer.rollback(rest);
      else if (rest.length > 0) await this.oracle.note('ack', () => consumer.commit(rest));
    }
  }

  async #prepare(): Promise<void> {
    const consumer = this.#channel.consumer('p');
    while (!this.#isOver) {
      const { ranges } = await consumer.take(3, { waitMs: 50 });
      if (ranges.length > 0) {
        await this.oracle.note('prepare', async () => {
          await consumer.prepare(ranges, null);
          return ranges;
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

function bodyOf(sequence: number): string {
  return `${sequence} ${'x'.repeat(200 + (sequence % 100))}`;
}

/** Verifies the backup, opens it and takes all of it. */
async function lookInto(path: string, report: BackupReport, options: ChannelOptions): Promise<Found> {
  const view = await viewChannel(path, options, environment);
  const verified = await verifyChannel(view);
  assert.deepEqual([verified.damages, report.damages], [[], []]);
  await using copy = await FileChannel.open(path, { ...base, ...options });
  assert.deepEqual(copy.damages, []);
  const prepared = new Set(copy.unresolved().flatMap(({ ranges }) => expand(ranges)));
  const delivered = new Set<number>();
  for (let batch = await copy.take(5000); batch.events.length > 0; batch = await copy.take(5000)) {
    for (const { sequence, body } of batch.events) {
      assert.equal(body.toString(), bodyOf(sequence));
      delivered.add(sequence);
    }
  }
  const nextSequence = copy.parent?.nextSequence ?? 0;
  assert.equal(report.depth, delivered.size + prepared.size);
  assert.equal(copy.parent?.mayRepeatFrom, report.mayRepeatFrom);
  assert.equal(
    [...delivered, ...prepared].reduce((a, b) => Math.min(a, b), nextSequence),
    report.mayRepeatFrom,
  );
  return { delivered, prepared, nextSequence };
}

let backups = 0;
let segmentsUsed = 0;
let operations = 0;

for (const [name, { backups: count, twoDirectories, options }] of Object.entries(cases)) {
  test(`backups beside a busy owner: ${name}`, { timeout: 120_000 }, async (t) => {
    const directory = await tempDir(t);
    const home = join(directory, 'c1');
    const dataDirs = twoDirectories ? [home, join(directory, 'c1-more')] : [home];
    const channel = await FileChannel.open(home, { ...base, ...options, dataDirs });
    const load = new Load(channel);
    const made: { path: string; report: BackupReport; startMs: number; endMs: number }[] = [];
    for (let index = 0; index < count; index += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const path = join(directory, `backup-${index}`);
      const startMs = performance.now();
      const source = dataDirs.at(-1) ?? home;
      const report = await backupChannel({ source, destination: path, view: options }, environment);
      made.push({ path, report, startMs, endMs: performance.now() });
    }
    await load.stop();
    assert.deepEqual(channel.damages, []);
    await channel.close();
    const last = await viewChannel(home, options, environment);
    segmentsUsed += last.segments.at(-1)?.id ?? 0;
    for (const { path, report, startMs, endMs } of made) {
      load.oracle.check(await lookInto(path, report, options), startMs, endMs, path);
    }
    backups += made.length;
    operations += load.oracle.operations;
    assert.equal(new Set(made.map(({ report }) => report.channelId)).size, count);
  });
}

test('twenty backups were made, of logs that moved', () => {
  assert.equal(backups, 20);
  assert.ok(segmentsUsed > 40, `${segmentsUsed} segments`);
  console.log(`shows: ${backups} backups beside owners that made ${operations} commits in ${segmentsUsed} segments`);
});
