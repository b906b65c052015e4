/**
 * The checkpoint store on LMDB, once its environment is open. What is written is durable when `save` resolves:
 * without lmdb's overlapping sync a transaction is pages, fdatasync, then the meta page through O_DSYNC, and
 * `flushed` waits for all three.
 */
import type * as Lmdb from 'lmdb';
import type { Clock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import { ForebayError, isForebayError } from '../base/errors.ts';
import type { Sequence } from '../base/units.ts';
import { mib } from '../base/units.ts';
import { breakSeal, type CheckpointFiles, measure, type Seal, writeSeal } from './lmdb-files.ts';
import {
  decodeIndexEntry,
  decodeRecord,
  encodeIndexValue,
  encodeRecord,
  recordKey,
  sequenceKey,
  sequenceKeysEnd,
  sequenceOfTimeKey,
  timeKey,
  timeKeysEnd,
  timeValue,
} from './record-bytes.ts';
import type { CheckpointRecord, CheckpointStore, IndexEntry } from './store.ts';

/** One LMDB environment with one database of bytes. */
export type Environment = Lmdb.RootDatabase<Buffer, Buffer>;
/** What `import('lmdb')` gives. */
export type LmdbModule = Pick<typeof Lmdb, 'open'>;

/** Each removal step's transaction stays small, whatever retention gave up at once. */
const removalsPerStep = 1000;
/** LMDB waits for ever for a lock that another program holds: past this the store is given up. */
const writeMsMax = 60_000;
/** Must be free beside twice what is written, as LMDB copies pages. */
const spareBytes: number = 4 * mib;
/** More than a key and its share of half-full pages take. */
const putBytesMax = 128;
/** Damaged entries, and keys by time whose entry is gone or was replaced: more than this in a row are not passed. */
const badEntriesMax = 64;
/** Holes that no save makes: file systems that compress store a file in less than it is long, too. */
const holesFactor = 16;
const holesBytesMin: number = 64 * mib;

/**
 * Options of every environment. `batch` is one transaction and the only way we write: with event-turn batching a
 * failed commit would also reject a promise nobody can reach. The map grows by itself from `mapSize`, which is
 * address space, not memory.
 */
export const environmentOptions: Lmdb.RootDatabaseOptions = {
  noSubdir: true,
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
  eventTurnBatching: false,
  maxDbs: 1,
  mapSize: 64 * mib,
};

type State =
  | { readonly kind: 'open' }
  /** A later write could wait for ever inside LMDB, so none is tried. */
  | { readonly kind: 'failed'; readonly cause: unknown }
  | { readonly kind: 'closed' };

/** LMDB still holds its lock: to close the environment would hold up this thread for good. */
class WriteStuckError extends Error {}

interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * Life cycle: open, then perhaps failed (after a save that was not DISK_FULL), then closed. Only in the first does
 * it answer; a failed or closed one finds nothing, as if it had been lost.
 */
export class LmdbStore implements CheckpointStore {
  readonly #disk: Disk;
  readonly #files: CheckpointFiles;
  readonly #clock: Clock;
  readonly #environment: Environment;
  #state: State = { kind: 'open' };
  /** The length in the seal this store wrote; a seal from before names a CRC that no longer holds. */
  #sealedBytes: number | undefined;
  /** Saves and the close, one after the other; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, files: CheckpointFiles, clock: Clock, environment: Environment) {
    this.#disk = disk;
    this.#files = files;
    this.#clock = clock;
    this.#environment = environment;
  }

  async load(): Promise<CheckpointRecord | undefined> {
    return this.#read(() => {
      const bytes = this.#environment.getBinary(recordKey);
      return bytes === undefined ? undefined : decodeRecord(bytes);
    });
  }

  /**
   * @throws {ForebayError} DISK_FULL: nothing was touched, a later save may succeed. WRITE_FAILED: this store is
   * done for; close it and open it again.
   */
  async save(record: CheckpointRecord, index: readonly IndexEntry[], indexFrom: Sequence): Promise<void> {
    // Encoded before anything is begun: what a caller's mistake throws must not leave half a transaction.
    const puts: Put[] = [{ key: recordKey, value: encodeRecord(record) }];
    for (const entry of index) {
      if (entry.sequence < indexFrom) continue;
      puts.push({ key: sequenceKey(entry.sequence), value: encodeIndexValue(entry) });
      puts.push({ key: timeKey(entry.timeMs, entry.sequence), value: timeValue });
    }
    const saved = this.#queue.then(() => this.#save(puts, indexFrom));
    this.#queue = saved.catch(() => undefined);
    await saved;
  }

  /** A damaged entry is passed over for the one before it: farther from `sequence`, and as true. */
  async findBySequence(sequence: Sequence): Promise<IndexEntry | undefined> {
    return this.#read(() => {
      const range = { start: sequenceKey(sequence), end: recordKey, reverse: true, limit: badEntriesMax };
      for (const { key, value } of this.#environment.getRange(range)) {
        const entry = decodeIndexEntry(key, value);
        if (entry !== undefined) return entry;
      }
      return undefined;
    });
  }

  /** Where several entries have that time: the one with the smallest sequence. */
  async findByTime(timeMs: number): Promise<IndexEntry | undefined> {
    return this.#read(() => {
      const range = { start: timeKey(timeMs, 0), end: sequenceKeysEnd, reverse: true, limit: badEntriesMax };
      for (const key of this.#environment.getKeys(range)) {
        const entry = this.#entryOfTimeKey(key);
        if (entry !== undefined && entry.timeMs <= timeMs) return entry;
      }
      return undefined;
    });
  }

  /** Never rejects: what it cannot tidy, the next opening puts right. */
  close(): Promise<void> {
    const closed = this.#queue.then(() => this.#close());
    this.#queue = closed;
    return closed;
  }

  /** A shortcut that fails is as good as one that is absent. */
  #read<Found>(look: () => Found | undefined): Found | undefined {
    if (this.#state.kind !== 'open') return undefined;
    try {
      return look();
    } catch {
      return undefined;
    }
  }

  #entryOfTimeKey(key: Buffer): IndexEntry | undefined {
    const sequence = sequenceOfTimeKey(key);
    if (sequence === undefined) return undefined;
    const bySequence = sequenceKey(sequence);
    const value = this.#environment.getBinary(bySequence);
    const entry = value === undefined ? undefined : decodeIndexEntry(bySequence, value);
    return entry !== undefined && timeKey(entry.timeMs, sequence).equals(key) ? entry : undefined;
  }

  async #save(puts: readonly Put[], indexFrom: Sequence): Promise<void> {
    if (this.#state.kind !== 'open') throw this.#unusable();
    try {
      await this.#requireRoom(puts);
      let outdated = this.#outdatedKeys(indexFrom);
      await this.#transaction(() => {
        for (const key of outdated) this.#environment.remove(key);
        for (const { key, value } of puts) this.#environment.put(key, value);
      });
      for (;;) {
        const removed = outdated[0];
        outdated = this.#outdatedKeys(indexFrom);
        const next = outdated[0];
        if (next === undefined) break;
        if (removed?.equals(next)) throw new Error('an index entry that was removed is still there');
        await this.#transaction(() => {
          for (const key of outdated) this.#environment.remove(key);
        });
      }
      await this.#recordLength();
    } catch (error) {
      throw isForebayError(error) ? error : this.#failed(error);
    }
  }

  /** The file only grows, and seldom, so most saves leave the seal as it is. */
  async #recordLength(): Promise<void> {
    const bytes = (await this.#disk.entry(this.#files.data))?.bytes ?? 0;
    if (bytes === this.#sealedBytes) return;
    await writeSeal(this.#disk, this.#files, { bytes, crc: null });
    this.#sealedBytes = bytes;
  }

  /** The first keys, of both orders, of entries below `indexFrom`. */
  #outdatedKeys(indexFrom: Sequence): Buffer[] {
    const keys: Buffer[] = [];
    const range = { start: sequenceKey(0), end: sequenceKey(indexFrom), limit: removalsPerStep };
    for (const { key, value } of this.#environment.getRange(range)) {
      keys.push(key);
      const entry = decodeIndexEntry(key, value);
      if (entry !== undefined) keys.push(timeKey(entry.timeMs, entry.sequence));
    }
    return keys;
  }

  /** LMDB takes a full disk for a broken one, so it is not asked to write on it. */
  async #requireRoom(puts: readonly Put[]): Promise<void> {
    let bytes = 0;
    for (const { value } of puts) bytes += value.length + putBytesMax;
    const expected = 2 * bytes + spareBytes;
    const path = this.#files.directory;
    const actual = await this.#disk.freeBytes(path);
    if (actual >= expected) return;
    throw new ForebayError('DISK_FULL', 'no room to save a checkpoint; the log holds it all', {
      path,
      expected,
      actual,
    });
  }

  /** Durable when it resolves. */
  async #transaction(write: () => void): Promise<void> {
    const written = this.#environment.batch(write).then(() => this.#environment.flushed);
    const settled = written.catch(async (error: unknown) => {
      throw await commitErrorOf(error);
    });
    await new Promise((resolve, reject) => {
      const timer = this.#clock.after(writeMsMax, () => {
        reject(new WriteStuckError(`LMDB did not finish a write within ${writeMsMax} ms`));
      });
      settled.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #failed(cause: unknown): ForebayError {
    this.#state = { kind: 'failed', cause };
    return this.#unusable();
  }

  #unusable(): ForebayError {
    const path = this.#files.data;
    if (this.#state.kind !== 'failed') {
      return new ForebayError('WRITE_FAILED', 'the checkpoint store is closed', { path });
    }
    const { cause } = this.#state;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ForebayError('WRITE_FAILED', `the checkpoint was not saved: ${why}; open the store again`, {
      path,
      cause,
    });
  }

  async #close(): Promise<void> {
    const before = this.#state;
    if (before.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    try {
      const stuck = before.kind === 'failed' && before.cause instanceof WriteStuckError;
      if (!stuck) await this.#environment.close();
      const seal = before.kind === 'open' ? await sealFor(this.#disk, this.#files.data) : undefined;
      if (seal === undefined) await breakSeal(this.#disk, this.#files);
      else await writeSeal(this.#disk, this.#files, seal);
    } catch {
      // A seal that is old, absent or torn makes the next opening ask a child first: slower, never wrong.
    }
  }
}

/** Of a file with more holes than bytes only the length: reading those can take hours, and a child is asked then. */
async function sealFor(disk: Disk, path: string): Promise<Seal | undefined> {
  const entry = await disk.entry(path);
  if (entry === undefined) return undefined;
  const { bytes, storedBytes } = entry;
  return bytes > holesFactor * storedBytes + holesBytesMin ? { bytes, crc: null } : await measure(disk, path);
}

/**
 * The first read, with the marker standing: why `environment` is of no use to `channelId`, or undefined. Both ends
 * of the index are read so that their pages are met here; damaged entries are no fault, as look-ups pass over them.
 */
export function findFault(environment: Environment, channelId: string): string | undefined {
  const ends = [
    ...environment.getKeys({ start: sequenceKey(0), limit: 1 }),
    ...environment.getKeys({ start: timeKeysEnd, end: recordKey, reverse: true, limit: 1 }),
  ];
  const bytes = environment.getBinary(recordKey);
  if (bytes === undefined) return ends.length === 0 ? undefined : 'it holds an index without a record';
  const record = decodeRecord(bytes);
  if (record === undefined) return 'its record fails its checksum';
  if (record.channelId !== channelId) return `it belongs to channel ${record.channelId}, not ${channelId}`;
  return undefined;
}

/** lmdb rejects a commit with a sentence, and puts the system's answer into a second promise beside it. */
async function commitErrorOf(error: unknown): Promise<unknown> {
  const behind = (error as { commitError?: Promise<unknown> } | null)?.commitError;
  if (behind === undefined) return error;
  const answer = behind.then(
    () => error,
    (reason: unknown) => reason,
  );
  return Promise.race([answer, new Promise((resolve) => setImmediate(resolve, error))]);
}
