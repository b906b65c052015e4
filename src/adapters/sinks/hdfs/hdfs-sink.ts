/**
 * The sink that writes files by path, with Flume's names, escapes and rolling, each event in one file once. Flume:
 * HDFSEventSink.
 *
 * Events stay leased while their file is open. A file that is finished is prepared in the channel under its two names,
 * renamed, and then acknowledged; a file that stays open for long is acknowledged up to a noted length now and then
 * (open-file.ts). Where the process dies, the notes say what each file is good for (file-note.ts).
 */
import type {
  Sink,
  SinkContext,
  SinkDefinition,
  SinkStatus,
  Undeliverable,
} from '../../../agent/contracts/components.ts';
import type { Consumer, DeliveredEvent, TakeBatch } from '../../../engine.ts';
import type { Bucket } from './bucket.ts';
import { connect } from './connect.ts';
import { forgetDoneFiles } from './done-files.ts';
import { noteBytesMax } from './file-limits.ts';
import type { FileSystem } from './file-system.ts';
import { checkHdfsKeys, type HdfsKeys, type HdfsValues, hdfsKeys } from './hdfs-keys.ts';
import { takeOver } from './inheritance.ts';
import { type OpenedTarget, openTarget } from './open-target.ts';
import { RangeList } from './range-list.ts';
import { Router } from './router.ts';
import { makeSinkParts, type SinkParts } from './sink-parts.ts';

/** `type = hdfs`. */
export const hdfsSink: SinkDefinition<HdfsKeys> = {
  types: ['hdfs', 'org.apache.flume.sink.hdfs.HDFSEventSink'],
  keys: hdfsKeys,
  serializer: { key: 'serializer', preset: 'TEXT' },
  check: checkHdfsKeys,
  create: (values, context) => new HdfsSink(values, context, () => openFor(values, context)),
  connect,
};

function openFor(values: HdfsValues, { surroundings, log }: SinkContext): Promise<OpenedTarget> {
  return openTarget(values, surroundings, (address) => log.info('HDFS answers', { address }));
}

/** How long one call waits for the first event. */
const takeWaitMs = 1000;
/** Events of failing buckets that are set aside: more, and all buckets wait. */
const asideEventsMax = 200_000;
const asideBytesMax = 128 * 1024 * 1024;
/** A file that fails as it is closed is closed again where its safe part ends. */
const closeRounds = 3;
/** An agent has 51 s for its sinks. */
const stopLimitMsPreset = 45_000;

interface Life {
  readonly consumer: Consumer;
  readonly parts: SinkParts;
  readonly fileSystem: FileSystem;
  readonly router: Router;
}

/** One life: started until it works, stopped once. */
export class HdfsSink implements Sink {
  readonly #values: HdfsValues;
  readonly #context: SinkContext;
  readonly #open: () => Promise<OpenedTarget>;
  readonly #stopLimitMs: number;
  #life: Life | undefined;
  #stopped: Promise<void> | undefined;

  /**
   * `open`: where its files go, asked for at each start until one works. `stopLimitMs`: how long a stop waits for calls
   * that are not answered.
   */
  constructor(
    values: HdfsValues,
    context: SinkContext,
    open: () => Promise<OpenedTarget>,
    stopLimitMs: number = stopLimitMsPreset,
  ) {
    this.#stopLimitMs = stopLimitMs;
    this.#values = values;
    this.#context = context;
    this.#open = open;
  }

  async start(): Promise<void> {
    if (this.#life !== undefined) return;
    const { channel, name, log } = this.#context;
    const target = await this.#open();
    const router = new Router(this.#values, target.directory);
    const consumer = channel.consumer(`sink/${name}`);
    const parts = makeSinkParts(this.#values, this.#context, { consumer, target });
    const { ledger, buckets, settlements, timers, style } = parts;
    const { fileSystem } = target;
    const { prefix } = fileSystem;
    takeOver({
      ledger,
      buckets,
      settlements,
      log,
      isWanted: (note) => note.style === style && note.temporary.startsWith(prefix),
    });
    if (ledger.noteCount > 0) log.info('goes on with the files of an earlier life', { files: ledger.noteCount });
    this.#life = { consumer, parts, fileSystem, router };
    if (parts.doneFiles === undefined) forgetDoneFiles(ledger, parts.tasks);
    else parts.doneFiles.start();
    timers.start();
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    const life = this.#life;
    if (life === undefined) throw new Error(`sink ${this.#context.name} has not been started`);
    const { parts, consumer } = life;
    const { load } = parts;
    for (;;) {
      checkLedger(parts);
      const { events } = await this.#take(life, signal);
      if (events.length === 0) return await this.#nothingTaken(parts);
      const { hasGoneOn, refused } = this.#distribute(events, life);
      await this.#settleRefused(refused, consumer);
      await this.#untilRoom(parts, signal);
      if (load.asideEvents >= asideEventsMax || load.asideBytes >= asideBytesMax) return await nothingGoesOn(parts);
      if (hasGoneOn) return 'ready';
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    if (life === undefined) return;
    const { timers, buckets, retries, tasks, doneFiles, ledger } = life.parts;
    timers.stop();
    doneFiles?.stop();
    retries.stop();
    const closeAll = async (): Promise<void> => {
      for (let round = 0; round < closeRounds; round += 1) {
        for (const bucket of [...buckets.all]) buckets.close(bucket);
        await tasks.ended();
      }
    };
    if (!(await isWithin(this.#stopLimitMs, closeAll()))) {
      const files = ledger.noteCount;
      this.#context.log.warn('files are not finished, as calls are not answered: the next start does it', { files });
      // What is still under way is to the next start as if this process had died.
      ledger.end();
    }
    // Where the channel is gone so are the leases.
    await life.consumer.close().catch(() => undefined);
    await life.fileSystem.close();
  }

  async #take({ consumer, parts }: Life, signal: AbortSignal): Promise<TakeBatch> {
    const { count } = this.#context;
    const max = this.#values['hdfs.batchSize'];
    try {
      let batch = await consumer.take(max, { signal });
      if (batch.events.length === 0 && parts.load.asideEvents === 0) {
        parts.keeper.writeAll();
        batch = await consumer.take(max, { waitMs: takeWaitMs, signal });
      }
      const { length } = batch.events;
      if (length === 0) count('BatchEmptyCount');
      else count(length < max ? 'BatchUnderflowCount' : 'BatchCompleteCount');
      if (length > 0) count('EventDrainAttemptCount', length);
      return batch;
    } catch (error) {
      count('ChannelReadFail');
      throw error;
    }
  }

  /** Gives events to their buckets. Those that fail get theirs set aside; `hasGoneOn` where not all did. */
  #distribute(
    events: readonly DeliveredEvent[],
    { router, parts: { buckets, keeper, doneFiles } }: Life,
  ): { readonly hasGoneOn: boolean; readonly refused: readonly Undeliverable[] } {
    const { clock } = this.#context;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    const refused: Undeliverable[] = [];
    const byBucket = new Map<Bucket, DeliveredEvent[]>();
    let last: Bucket | undefined;
    let some: DeliveredEvent[] = [];
    for (const event of events) {
      const path = router.route(event.headers, wallMs);
      if ('kind' in path) {
        refused.push({ event, reason: path.message });
        continue;
      }
      const bucket = buckets.at(path);
      if (bucket !== last) {
        last = bucket;
        some = byBucket.get(bucket) ?? [];
        if (some.length === 0) byBucket.set(bucket, some);
      }
      some.push(event);
    }
    let hasGoneOn = refused.length > 0;
    for (const [bucket, its] of byBucket) {
      doneFiles?.touch(bucket.path.directory, its.length);
      if (bucket.isFailing(nowMs)) bucket.setAside(its);
      else {
        hasGoneOn = true;
        for (const one of buckets.write(bucket, its)) refused.push(one);
      }
    }
    keeper.keep([...byBucket.keys()]);
    return { hasGoneOn, refused };
  }

  /** Events that no file will ever hold. Where they are to stay nothing else is held up but this call. */
  async #settleRefused(refused: readonly Undeliverable[], consumer: Consumer): Promise<void> {
    if (refused.length === 0) return;
    const ordered = [...refused].sort((one, other) => one.event.sequence - other.event.sequence);
    try {
      await this.#context.undeliverable(consumer, ordered);
    } catch (error) {
      this.#context.count('EventWriteFail');
      const kept = new RangeList();
      kept.add(ordered.map(({ event }) => event));
      await consumer.rollback(kept.ranges()).catch(() => undefined);
      throw error;
    }
  }

  /** Waits while files have more under way than memory and the far side should bear. */
  async #untilRoom({ load, keeper }: SinkParts, signal: AbortSignal): Promise<void> {
    while (keeper.isTooMuch && !signal.aborted) {
      keeper.keep([]);
      await load.changed(signal);
    }
  }

  async #nothingTaken(parts: SinkParts): Promise<SinkStatus> {
    const { buckets, load, keeper } = parts;
    const nowMs = this.#context.clock.monotonicMs();
    // Sources may be waiting for the room that events in open files take.
    if (this.#context.channel.stats().health.state === 'degraded') keeper.secureAll();
    if (load.asideEvents > 0 && ![...buckets.all].some((one) => one.file !== undefined && !one.isFailing(nowMs))) {
      return await nothingGoesOn(parts);
    }
    return 'backoff';
  }
}

/** Whether `work` is done in time: that of the machine, as the limits of calls are. */
async function isWithin(limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const isDone = await Promise.race([work.then(() => true), tooLate]);
  clearTimeout(timer);
  return isDone;
}

function checkLedger({ ledger, keeper }: SinkParts): void {
  if (ledger.failure !== undefined) throw ledger.failure;
  if (ledger.noteBytes <= noteBytesMax) return;
  keeper.keep([]);
  throw new Error(`${ledger.noteCount} files are not finished, and more cannot be noted: see why they have no names`);
}

/** All events that were set aside come again, here or from another sink of the group. @throws always. */
async function nothingGoesOn({ buckets, ledger }: SinkParts): Promise<never> {
  const failing = [...buckets.all].find(({ error }) => error !== undefined);
  await ledger.rollback(buckets.takeAside(undefined));
  throw failing?.error ?? new Error('files cannot be written');
}
