/**
 * What files may cost together, and which of them give way: files are closed, or made safe (a stretch), which lets go
 * of their streams and of the events that they pin in the channel.
 */
import type { Log } from '../../../agent/contracts/components.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import type { StreamPlaces } from './stream-places.ts';

/** Of events that are in files and not acknowledged. */
export interface PinnedLimits {
  /** Of bodies: they take room in the channel, in memory or on disk. */
  readonly bytes: number;
  /** Of their numbers: 16 bytes each. */
  readonly ranges: number;
}

/** A file is made safe once for so much of what all of them get: with 200 busy ones, each time at 0.6 MB more. */
export const pinnedInMemory: PinnedLimits = { bytes: 128 * 1024 * 1024, ranges: 200_000 };
/**
 * Where the channel is on a disk, and a file is made safe by an APPEND, of which a DataNode of two cores does fewer
 * than 20 a second: with 200 busy ones, each time at 5 MB more.
 */
export const pinnedOnDisk: PinnedLimits = { bytes: 1024 * 1024 * 1024, ranges: 1_000_000 };
/** A channel has 1 MiB for all notes. Beyond the first files are closed, beyond the second nothing is taken. */
const noteBytesToClose = 512 * 1024;
/** See above. */
export const noteBytesMax: number = 640 * 1024;
/** Of one note: before there is any, and from its beginning to its end. */
const noteBytesGuess = 512;
const noteBytesGrowth = 256;
/** Bytes that wait to be written, of all files: half of it makes files write, all of it makes the sink wait. */
const waitingBytesMax = 16 * 1024 * 1024;
/** Files that are being closed for each that may be so at a time: more, one for each bucket, and the sink waits. */
const closingPerPlace = 4;
const writeBytesMin = 4 * 1024;

/** The parts of a sink that files are bound by. */
export interface FileLimits {
  readonly buckets: Buckets;
  readonly load: Load;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly maxOpenFiles: number;
  readonly places: StreamPlaces;
  readonly pinned: PinnedLimits;
  /** Files that are closed at a time. */
  readonly closingAtATime: number;
  /** A file writes when so much waits in it, or less where there are many. */
  readonly writeBytes: number;
  /** Events are acknowledged soon, and not when their file is closed. */
  readonly isAtLeastOnce: boolean;
}

/** Keeps files within limits. */
export class FileKeeper {
  readonly #limits: FileLimits;
  #hasSaidRolled = false;
  #hasSaidSurplus = false;

  constructor(limits: FileLimits) {
    this.#limits = limits;
  }

  /** After events were given to `touched`. */
  keep(touched: readonly Bucket[]): void {
    const { buckets, isAtLeastOnce, writeBytes, places } = this.#limits;
    const mostBytes = waitingBytesMax / 2 / Math.max(1, buckets.size);
    const share = Math.max(writeBytesMin, Math.min(writeBytes, mostBytes));
    // A stream that another one has to end for is worth more bytes.
    const shareOfNext = places.isFull ? Math.max(writeBytesMin, mostBytes) : share;
    for (const { file } of touched) {
      if (file !== undefined && file.waitingBytes >= (file.hasStream ? share : shareOfNext)) file.write();
    }
    if (isAtLeastOnce) for (const bucket of touched) if (bucket.file?.canStretch === true) this.secure(bucket);
    this.#closeSurplus();
    this.endStreams();
    if (this.#pins(1)) this.#unpin();
  }

  /** Whether a sink has to wait: more is under way than it lets go of at a time. */
  get isTooMuch(): boolean {
    const { buckets, load, closingAtATime } = this.#limits;
    const closingMax = closingPerPlace * closingAtATime + buckets.size;
    return load.waitingBytes > waitingBytesMax || load.closing > closingMax || this.#pins(2);
  }

  /** All that waits is written. */
  writeAll(): void {
    for (const { file } of this.#limits.buckets.all) file?.write();
  }

  /** All events are acknowledged as soon as can be, without another file for it: the channel needs room. */
  secureAll(): void {
    for (const bucket of [...this.#limits.buckets.all]) if (bucket.file?.canStretch === true) this.secure(bucket);
  }

  /** Makes a file safe; one that could not be gone on with is closed. */
  secure(bucket: Bucket): void {
    const { buckets, log } = this.#limits;
    const { file } = bucket;
    if (file?.needsStretch !== true) return;
    if (file.canStretch) {
      file.stretch();
      return;
    }
    buckets.close(bucket);
    if (this.#hasSaidRolled) return;
    this.#hasSaidRolled = true;
    const fields = { path: bucket.key };
    log.info('files of this kind cannot be gone on with: where they hold too much for too long they end early', fields);
  }

  #closeSurplus(): void {
    const { buckets, ledger, maxOpenFiles, log } = this.#limits;
    // Files that are not begun have no note yet, and all notes grow when their file is made safe.
    const { noteBytes, noteCount } = ledger;
    const bytesEach = (noteCount === 0 ? noteBytesGuess : noteBytes / noteCount) + noteBytesGrowth;
    const notedMax = Math.floor(noteBytesToClose / bytesEach);
    const surplus = buckets.size - Math.min(maxOpenFiles, notedMax);
    if (surplus <= 0) return;
    if (notedMax < maxOpenFiles && !this.#hasSaidSurplus) {
      this.#hasSaidSurplus = true;
      const cure = 'events for so many directories at a time make small files: put less into hdfs.path';
      log.warn(`more files than can be noted would be open, so some end early; ${cure}`, { openFiles: notedMax });
    }
    for (const bucket of [...buckets.all].slice(0, surplus)) buckets.close(bucket);
  }

  /** Makes room for those who wait for a stream: the files that were used longest ago are made safe. */
  endStreams(): void {
    let left = this.#limits.places.surplus;
    if (left <= 0) return;
    for (const bucket of [...this.#limits.buckets.all]) {
      if (left <= 0) return;
      if (bucket.file?.hasStream !== true || !bucket.file.needsStretch) continue;
      this.secure(bucket);
      left -= 1;
    }
  }

  /** More than so many times what may be. */
  #pins(times: number): boolean {
    const { load, pinned } = this.#limits;
    return load.pinnedBytes > times * pinned.bytes || load.pinnedRanges > times * pinned.ranges;
  }

  /** The largest half of what is pinned, and not being let go of already. */
  #unpin(): void {
    const { buckets, pinned } = this.#limits;
    const weigh = ({ file }: Bucket): number =>
      file?.needsStretch === true ? Math.max(file.pinnedBytes / pinned.bytes, file.pinnedRanges / pinned.ranges) : 0;
    const weighed = [...buckets.all].map((bucket) => ({ bucket, weight: weigh(bucket) }));
    weighed.sort((one, other) => other.weight - one.weight);
    let left = weighed.reduce((sum, { weight }) => sum + weight, 0);
    for (const { bucket, weight } of weighed) {
      if (left <= 0.5 || weight === 0) return;
      this.secure(bucket);
      left -= weight;
    }
  }
}
