/**
 * The checkpoint store on LMDB, once its environment is open. What is written is durable when `save` resolves:
 * without lmdb's overlapping sync a transaction is pages, fdatasync, then the meta page through O_DSYNC, and
 * `flushed` waits for all three.
 */
import type * as Lmdb from 'lmdb';
import type { Clock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import { ForebayError, isForebayError } from '../base/errors.ts';
import { mib } from '../base/units.ts';
import { breakSeal, type CheckpointFiles, measure, type Seal, writeSeal } from './lmdb-files.ts';
import { decodeRecord, encodeRecord, recordKey } from './record-bytes.ts';
import type { CheckpointRecord, CheckpointStore } from './store.ts';

/** One LMDB environment with one database of bytes. */
export type Environment = Lmdb.RootDatabase<Buffer, Buffer>;
/** What `import('lmdb')` gives. */
export type LmdbModule = Pick<typeof Lmdb, 'open'>;

/** LMDB waits for ever for a lock that another program holds: past this the store is given up. */
const writeMsMax = 60_000;
/** Must be free beside twice what is written, as LMDB copies pages. */
const spareBytes: number = 4 * mib;
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

  /** A shortcut that fails is as good as one that is absent. */
  async load(): Promise<CheckpointRecord | undefined> {
    if (this.#state.kind !== 'open') return undefined;
    try {
      const bytes = this.#environment.getBinary(recordKey);
      return bytes === undefined ? undefined : decodeRecord(bytes);
    } catch {
      return undefined;
    }
  }

  /**
   * @throws {ForebayError} DISK_FULL: nothing was touched, a later save may succeed. WRITE_FAILED: this store is
   * done for; close it and open it again.
   */
  async save(record: CheckpointRecord): Promise<void> {
    // Encoded before anything is waited for: the caller may use its buffers again.
    const bytes = encodeRecord(record);
    const saved = this.#queue.then(() => this.#save(bytes));
    this.#queue = saved.catch(() => undefined);
    await saved;
  }

  /** Never rejects: what it cannot tidy, the next opening puts right. */
  close(): Promise<void> {
    const closed = this.#queue.then(() => this.#close());
    this.#queue = closed;
    return closed;
  }

  async #save(bytes: Buffer): Promise<void> {
    if (this.#state.kind !== 'open') throw this.#unusable();
    try {
      await this.#requireRoom(bytes.length);
      await this.#transaction(() => {
        this.#environment.put(recordKey, bytes);
      });
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

  /** LMDB takes a full disk for a broken one, so it is not asked to write on it. */
  async #requireRoom(bytes: number): Promise<void> {
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

/** The first read, with the marker standing: why `environment` is of no use to `channelId`, or undefined. */
export function findFault(environment: Environment, channelId: string): string | undefined {
  const bytes = environment.getBinary(recordKey);
  if (bytes === undefined) return undefined;
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
