/**
 * One life of a channel, in a process of its own that does not end by itself: opens the directory, says everything it
 * finds there, then puts, takes, prepares, resolves and notes, and says each as it begins and when it is
 * acknowledged, until it is killed. Gets its order as one line on standard input.
 */
import { createInterface } from 'node:readline';
import { nodeDisk } from '../../src/base/disk-node.ts';
import type { SequenceRanges } from '../../src/base/units.ts';
import type { Consumer, TakeBatch } from '../../src/channel/channel.ts';
import type { OpenCheckpoint } from '../../src/channel/channel-parts.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import type { DeliveredEvent, Event } from '../../src/event/event.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Announcer, announcingDisk, announcingStore, lyingDisk } from './announcing-disk.ts';
import { type Found, type LifeOrder, report, type SeenEvent } from './report.ts';

const producers = 4;
const eventsPerPutMax = 12;
const eventsPerTakeMax = 100;
const bodyBytesMax = 700;
/** Small, so that saves and rotations are always near. */
const checkpointIntervalMs = 15;
const segmentBytes = 65_536;

function checkpointOpener(announcer: Announcer): OpenCheckpoint {
  return async ({ disk, directory, channelId, afterUncleanStop }) => {
    const opened = await openLmdbCheckpoint(disk, directory, { channelId, afterUncleanStop });
    if (opened.kind === 'unavailable') return { store: undefined, notice: opened.why };
    return { store: announcingStore(opened.store, announcer), notice: opened.setAside?.why };
  };
}

function seen(event: DeliveredEvent): SeenEvent {
  return [event.sequence, Number(event.headers['put']), Number(event.headers['index'])];
}

/** Everything that waits, and what the channel says of itself; gives back what it took. */
async function look(channel: FileChannel, openMs: number): Promise<Found> {
  const looker = channel.consumer('looker');
  const events: SeenEvent[] = [];
  const taken: SequenceRanges[] = [];
  for (;;) {
    const batch = await looker.take(10_000);
    if (batch.events.length === 0) break;
    for (const event of batch.events) events.push(seen(event));
    taken.push(batch.ranges);
  }
  const { depthEvents, counters } = channel.stats();
  for (const ranges of taken) await looker.rollback(ranges);
  const note = (key: string) => Number(channel.notes.get(key) ?? 0);
  return {
    damages: channel.damages.map(({ kind, eventsLost, message }) => ({ kind, eventsLost, message })),
    depth: depthEvents,
    counters,
    notes: { puts: note('puts'), records: note('records'), plain: note('plain') },
    unresolved: channel.unresolved().map(({ note: record, ranges }) => ({ record: Number(record), ranges })),
    events,
    openMs,
  };
}

class Life {
  readonly #channel: FileChannel;
  readonly #announcer: Announcer;
  readonly #random: SeededRandom;
  #put: number;
  #record: number;
  #plain: number;

  constructor(channel: FileChannel, announcer: Announcer, order: LifeOrder) {
    this.#channel = channel;
    this.#announcer = announcer;
    this.#random = new SeededRandom(order.seed);
    this.#put = order.lastPut;
    this.#record = order.lastRecord;
    this.#plain = order.lastPlain;
  }

  async run(): Promise<void> {
    const loops = Array.from({ length: producers }, () => this.#produce());
    await Promise.all([...loops, this.#consume(this.#channel.consumer('k1')), this.#annotate()]);
  }

  async #produce(): Promise<void> {
    for (;;) {
      const id = ++this.#put;
      const count = 1 + this.#random.below(eventsPerPutMax);
      const noted = this.#random.chance(0.6);
      const events = Array.from({ length: count }, (_, index) => this.#event(id, index));
      report({ say: 'begin put', id, count, noted });
      const [range] = await this.#channel.put(events, noted ? { notes: { puts: id } } : {});
      this.#announcer.acks += 1;
      report({ say: 'acked put', id, first: range?.first ?? 0 });
    }
  }

  #event(put: number, index: number): Event {
    const headers = { put: String(put), index: String(index) };
    return { headers, body: Buffer.alloc(this.#random.below(bodyBytesMax), `${put}/${index} `) };
  }

  async #consume(consumer: Consumer): Promise<void> {
    for (const { note } of this.#channel.unresolved()) await this.#resolve(Number(note));
    for (;;) {
      const batch = await consumer.take(1 + this.#random.below(eventsPerTakeMax), { waitMs: 1000 });
      if (batch.events.length === 0) continue;
      if (this.#random.chance(0.1)) await batch.rollback();
      else if (this.#random.chance(0.2)) await this.#prepare(consumer, batch);
      else await this.#commit(batch);
    }
  }

  async #commit(batch: TakeBatch): Promise<void> {
    const id = ++this.#record;
    report({ say: 'begin take', id, prepare: false, events: batch.events.map(seen) });
    await batch.commit({ notes: { records: id } });
    this.#acked(id);
  }

  async #prepare(consumer: Consumer, batch: TakeBatch): Promise<void> {
    const id = ++this.#record;
    report({ say: 'begin take', id, prepare: true, events: batch.events.map(seen) });
    await consumer.prepare(batch.ranges, id, { notes: { records: id } });
    this.#acked(id);
    if (this.#random.chance(0.8)) await this.#resolve(id);
  }

  async #resolve(of: number): Promise<void> {
    const take = this.#channel.unresolved().find(({ note }) => note === of);
    if (take === undefined) throw new Error(`nothing is prepared as ${of}`);
    const id = ++this.#record;
    const commit = this.#random.chance(0.5);
    report({ say: 'begin resolve', id, of, commit });
    await this.#channel.resolve(take.id, commit ? 'commit' : 'rollback', { notes: { records: id } });
    this.#acked(id);
  }

  #acked(id: number): void {
    this.#announcer.acks += 1;
    report({ say: 'acked record', id });
  }

  async #annotate(): Promise<void> {
    for (;;) {
      const id = ++this.#plain;
      report({ say: 'begin note', id });
      await this.#channel.notes.set('plain', id);
      this.#announcer.acks += 1;
      report({ say: 'acked note', id });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function live(order: LifeOrder): Promise<void> {
  const announcer = new Announcer(order.hold);
  const disk = order.lies ? lyingDisk(nodeDisk()) : nodeDisk();
  const startMs = performance.now();
  const channel = await FileChannel.open(
    order.directory,
    {
      segmentBytes,
      checkpointIntervalMs,
      minimumFreeBytes: 0,
      capacityEvents: 3000,
      fsync: order.fsyncIntervalMs === 0 ? 'commit' : { intervalMs: order.fsyncIntervalMs },
    },
    { disk: announcingDisk(disk, announcer), openCheckpoint: checkpointOpener(announcer) },
  );
  const openMs = performance.now() - startMs;
  await channel.checkpoint();
  const found = await look(channel, openMs);
  report({ say: 'found', found });
  announcer.live = true;
  await new Life(channel, announcer, order).run();
}

try {
  report({ say: 'ready' });
  const input = createInterface({ input: process.stdin });
  const line = await new Promise<string>((resolve) => input.once('line', resolve));
  input.close();
  await live(JSON.parse(line) as LifeOrder);
} catch (error) {
  report({ say: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
}
