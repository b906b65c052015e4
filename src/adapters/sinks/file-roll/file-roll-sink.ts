/**
 * The sink that writes to files of a local directory and begins a new one now and then. Flume: RollingFileSink.
 *
 * Exactly once into files: a transaction's bytes are synced before its events are acknowledged, and where the
 * acknowledged part ends is noted in the acknowledgement itself (rolled-file.ts). After a failure, or a kill, the rest
 * is cut off and a new file begun. An event can stand twice only where the file was moved away or read on in between,
 * or where the sink was renamed or given another channel while it was down.
 *
 * As in Flume a file is made at each interval, also where nothing arrives.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type {
  KeyProblem,
  Serializer,
  Sink,
  SinkContext,
  SinkDefinition,
  SinkStatus,
} from '../../../agent/contracts/components.ts';
import { integer, type Key, oneOf, optional, required, text, type ValuesOf } from '../../../agent/contracts/keys.ts';
import { type Consumer, type DeliveredEvent, isForebayError, type TakeBatch } from '../../../engine.ts';
import { fileNames } from './file-names.ts';
import { committedLengthOf, putRight, RolledFile } from './rolled-file.ts';

interface FileRollKeys extends Record<string, Key<unknown>> {
  readonly 'sink.directory': Key<string>;
  readonly 'sink.pathManager': Key<'DEFAULT' | 'ROLLTIME'>;
  readonly 'sink.pathManager.extension': Key<string>;
  readonly 'sink.pathManager.prefix': Key<string>;
  readonly 'sink.rollInterval': Key<number>;
  readonly 'sink.batchSize': Key<number>;
}

/** `type = file_roll`. */
export const fileRollSink: SinkDefinition<FileRollKeys> = {
  types: ['file_roll', 'org.apache.flume.sink.RollingFileSink'],
  keys: {
    'sink.directory': required(text, { does: 'where the files go; it has to be there' }),
    'sink.pathManager': optional(oneOf('DEFAULT', 'ROLLTIME'), 'DEFAULT', {
      does: 'how files are named: by when the sink was started, or by when each file was begun; and a number',
      standing: { differs: 'no Java class; a name that is taken is passed over, where Flume overwrites the file' },
    }),
    'sink.pathManager.extension': optional(text, '', { does: 'what stands behind the dot of each name' }),
    'sink.pathManager.prefix': optional(text, '', { does: 'what each name begins with' }),
    'sink.rollInterval': optional(integer(0, 2 ** 31), 30, {
      unit: 's',
      does: 'how often a new file is begun, also where nothing arrives; 0: never',
    }),
    'sink.batchSize': optional(integer(1), 100, {
      unit: 'events',
      does: 'how many are taken at a time; they are synced to disk before they are acknowledged',
      standing: { differs: 'full batches that are ready share one sync and one acknowledgement, up to 10,000 events' },
    }),
  },
  serializer: { key: 'sink.serializer', preset: 'text' },
  check: checkNames,
  create: (values, context) => new FileRollSink(values, context),
};

function checkNames(values: ValuesOf<FileRollKeys>): readonly KeyProblem[] {
  const keys = ['sink.pathManager.extension', 'sink.pathManager.prefix'] as const;
  return keys.flatMap((key) =>
    values[key].includes('\0') ? [{ key, message: 'a file name holds no zero byte' }] : [],
  );
}

/** How long one call waits for the first event. */
const takeWaitMs = 1000;
/**
 * Of 100 events of 500 bytes each, from a spool directory: 65 k events/s with a sync for each batch, 240 k where ten
 * share one, 370 k where as many do as are ready.
 */
const eventsPerSyncMax = 10_000;
/** No more batches than this or than a batch has events: where those are few, a sink group is to share them out. */
const smallBatchesPerSyncMax = 10;
const bytesPerSyncMax = 4 * 1024 * 1024;
/** To join to: several times faster than flatMap. */
const none: readonly DeliveredEvent[] = [];

class FileRollSink implements Sink {
  readonly #context: SinkContext;
  readonly #directory: string;
  readonly #batchSize: number;
  readonly #batchesPerSync: number;
  /** 0: never. */
  readonly #rollMs: number;
  readonly #nextName: () => string;
  readonly #noteKey: string;
  #consumer: Consumer | undefined;
  #nextRollAtMs = 0;
  #open: { readonly file: RolledFile; readonly serializer: Serializer } | undefined;
  /** `failed`: the file written last may hold more than is committed. */
  #last: 'unseen' | 'fine' | 'failed' = 'unseen';

  constructor(values: ValuesOf<FileRollKeys>, context: SinkContext) {
    this.#context = context;
    this.#directory = resolve(values['sink.directory']);
    this.#batchSize = values['sink.batchSize'];
    const shared = Math.max(smallBatchesPerSyncMax, this.#batchSize);
    this.#batchesPerSync = Math.min(shared, Math.ceil(eventsPerSyncMax / this.#batchSize));
    this.#rollMs = values['sink.rollInterval'] * 1000;
    this.#noteKey = `file_roll/${context.name}`;
    this.#nextName = fileNames({
      manager: values['sink.pathManager'],
      prefix: values['sink.pathManager.prefix'],
      extension: values['sink.pathManager.extension'],
      clock: context.clock,
    });
  }

  async start(): Promise<void> {
    await checkDirectory(this.#directory);
    this.#consumer ??= this.#context.channel.consumer(`sink/${this.#context.name}`);
    this.#nextRollAtMs = this.#context.clock.monotonicMs() + this.#rollMs;
  }

  async process(signal: AbortSignal): Promise<SinkStatus> {
    const { count, name } = this.#context;
    if (this.#consumer === undefined) throw new Error(`sink ${name} has not been started`);
    await this.#rollIfDue();
    // First of all: that the channel gives events shows that its note is the truth, also after a commit that failed.
    const batches = await this.#take(this.#consumer, signal);
    const events = none.concat(...batches.map((batch) => batch.events));
    try {
      this.#open ??= await this.#begin();
      if (events.length === 0) return 'backoff';
      count('EventDrainAttemptCount', events.length);
      await this.#deliver(this.#consumer, batches, events, this.#open);
    } catch (error) {
      count(isForebayError(error) ? 'ChannelReadFail' : 'EventWriteFail');
      await this.#abandon();
      // Where the channel is gone so is the lease: the first error says more.
      for (const batch of batches) await batch.rollback().catch(() => undefined);
      throw error;
    }
    count('EventDrainSuccessCount', events.length);
    return 'ready';
  }

  async stop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await this.#close();
    await consumer?.close();
  }

  /** Those that are ready: the first is waited for, and may be empty; more follow a full one. */
  async #take(consumer: Consumer, signal: AbortSignal): Promise<readonly TakeBatch[]> {
    const batches = [await consumer.take(this.#batchSize, { waitMs: takeWaitMs, signal })];
    let bytes = 0;
    for (let last = batches[0]; last?.events.length === this.#batchSize; ) {
      for (const { body } of last.events) bytes += body.length;
      if (batches.length >= this.#batchesPerSync || bytes >= bytesPerSyncMax) break;
      // Where it fails the ones before must not stay leased: they are delivered, or fail as it did.
      last = await consumer.take(this.#batchSize).catch(() => undefined);
      if (last !== undefined) batches.push(last);
    }
    return batches;
  }

  async #deliver(
    consumer: Consumer,
    batches: readonly TakeBatch[],
    events: readonly DeliveredEvent[],
    { file, serializer }: { file: RolledFile; serializer: Serializer },
  ): Promise<void> {
    await file.append(serializer.serialize(events));
    // What was given back by another sink can come behind what is newer.
    const ranges = batches.flatMap((batch) => batch.ranges).sort((one, other) => one.first - other.first);
    await consumer.commit(ranges, { notes: { [this.#noteKey]: file.committed(false) } });
  }

  async #begin(): Promise<{ file: RolledFile; serializer: Serializer }> {
    const { channel, count, makeSerializer } = this.#context;
    await this.#putLastRight();
    const serializer = makeSerializer();
    try {
      const file = await RolledFile.create(this.#directory, this.#nextName, serializer.header());
      count('ConnectionCreatedCount');
      this.#open = { file, serializer };
      await channel.notes.set(this.#noteKey, file.committed(true));
      return this.#open;
    } catch (error) {
      count('ConnectionFailedCount');
      throw error;
    }
  }

  async #putLastRight(): Promise<void> {
    if (this.#last === 'fine') return;
    const { channel, log } = this.#context;
    const committed = committedLengthOf(channel.notes.get(this.#noteKey));
    if (committed !== undefined) {
      const cutBytes = await putRight(committed, this.#last === 'failed');
      if (cutBytes > 0)
        log.warn('cut off events that were not acknowledged: they come again', { ...committed, cutBytes });
    }
    this.#last = 'fine';
  }

  async #rollIfDue(): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs();
    if (this.#rollMs === 0 || nowMs < this.#nextRollAtMs) return;
    this.#nextRollAtMs += this.#rollMs * (1 + Math.floor((nowMs - this.#nextRollAtMs) / this.#rollMs));
    await this.#close();
  }

  /** What is in the file is durable already: a close that fails loses nothing. */
  async #close(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { count, log } = this.#context;
    try {
      await open.file.close();
      count('ConnectionClosedCount');
    } catch (error) {
      log.warn('a file could not be closed; what it holds is safe', { path: open.file.path, error });
    }
  }

  async #abandon(): Promise<void> {
    if (this.#open !== undefined) this.#last = 'failed';
    await this.#close();
  }
}

async function checkDirectory(path: string): Promise<void> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`sink.directory ${path} cannot be used (${error.code}): create it, or correct the path`, {
      cause: error,
    });
  });
  if (!stats.isDirectory()) throw new Error(`sink.directory ${path} is no directory`);
}
