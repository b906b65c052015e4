/**
 * What a disk can do by itself: synchronous write-through writes of one size, one after the other, as the log does
 * them but with nothing above. The limit that a channel's figures are held against.
 */
import { join } from 'node:path';
import { alignUp } from '../base/bytes.ts';
import { type Disk, type DiskFile, pageBytes } from '../base/disk.ts';
import { gib, mib } from '../base/units.ts';
import { randomBlock } from './events.ts';
import { Latencies } from './latencies.ts';
import { readSequentially, writeReadable } from './sequential-read.ts';

/** Writes of one size. */
interface WriteRate {
  readonly writesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Both ways to write: over blocks that were written before, and behind the end of the file. */
export interface DiskRate {
  /** Of each write; a multiple of 4096. */
  readonly bytes: number;
  /** O_DIRECT | O_DSYNC; else buffered with an fdatasync after each write. */
  readonly isDirect: boolean;
  readonly overwriting: WriteRate;
  readonly appending: WriteRate;
}

/** Of the files that are written over and read, round and round. */
interface GaugeSizes {
  readonly overwrittenBytes: number;
  readonly readableBytes: number;
}

const sizesDefault: GaugeSizes = { overwrittenBytes: 64 * mib, readableBytes: 128 * mib };
/** Appending ends here, so that a fast disk is not filled. */
const appendedBytesMax: number = gib;
const fillBytes: number = mib;
/** So many at once keep a disk busy. */
const readsAtOnce = 4;

/** Measures a disk in `directory`, which exists. What it writes there is removed by `close`. */
export class DiskGauge {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #sizes: GaugeSizes;
  #written: DiskFile | undefined;
  #readable: string | undefined;
  #count = 0;

  constructor(disk: Disk, directory: string, sizes: GaugeSizes = sizesDefault) {
    this.#sizes = sizes;
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Writes of `bytes` (rounded up to a page) for `durationMs` each way. Holds up the thread meanwhile. */
  async measure(bytes: number, durationMs: number): Promise<DiskRate> {
    const size = Math.max(pageBytes, alignUp(bytes, pageBytes));
    const source = randomBlock(this.#disk, size);
    const isDirect = await this.#disk.isDirect(this.#directory);
    const written = await this.#overwritten(size);
    const fileBytes = await written.bytes();
    const overwriting = writeFor(written, source, durationMs, { endBytes: fileBytes, goesRound: true });
    const path = this.#path();
    const fresh = await this.#disk.open(path, { mode: 'create', writeThrough: true });
    const appending = writeFor(fresh, source, durationMs, { endBytes: appendedBytesMax, goesRound: false });
    await fresh.close();
    await this.#disk.unlink(path);
    await this.#disk.syncDirectory(this.#directory);
    return { bytes: size, isDirect, overwriting, appending };
  }

  /** Bytes a second of reading in order, past the system's cache where that is possible. */
  async readRate(durationMs: number): Promise<number> {
    if (this.#readable === undefined) {
      const path = this.#path();
      await writeReadable(this.#disk, path, this.#sizes.readableBytes);
      this.#readable = path;
    }
    return await readSequentially(this.#disk, [this.#readable], { durationMs, readsAtOnce });
  }

  async close(): Promise<void> {
    const written = this.#written;
    this.#written = undefined;
    await written?.close();
    if (written !== undefined) await this.#disk.unlink(written.path);
    if (this.#readable !== undefined) await this.#disk.unlink(this.#readable);
    this.#readable = undefined;
  }

  /** A file whose blocks are all written, of at least `bytes`. */
  async #overwritten(bytes: number): Promise<DiskFile> {
    this.#written ??= await this.#disk.open(this.#path(), { mode: 'create', writeThrough: true });
    const needed = Math.max(this.#sizes.overwrittenBytes, 4 * bytes);
    const source = randomBlock(this.#disk, fillBytes);
    for (let at = await this.#written.bytes(); at < needed; at += fillBytes) await this.#written.write(source, at);
    return this.#written;
  }

  #path(): string {
    this.#count += 1;
    return join(this.#directory, `gauge-${this.#count}`);
  }
}

interface Span {
  readonly endBytes: number;
  /** At the end: from the start again, else stop. */
  readonly goesRound: boolean;
}

function writeFor(file: DiskFile, source: Buffer, durationMs: number, { endBytes, goesRound }: Span): WriteRate {
  const latencies = new Latencies();
  const startMs = performance.now();
  let beforeMs = startMs;
  let at = 0;
  while (beforeMs - startMs < durationMs) {
    file.writeSync(source, at);
    const afterMs = performance.now();
    latencies.add(afterMs - beforeMs);
    beforeMs = afterMs;
    at += source.length;
    if (at + source.length <= endBytes) continue;
    if (!goesRound) break;
    at = 0;
  }
  const [p50Us = 0, p99Us = 0] = latencies.percentilesUs([0.5, 0.99]);
  return { writesPerSecond: (1000 * latencies.count) / (beforeMs - startMs), p50Us, p99Us };
}
