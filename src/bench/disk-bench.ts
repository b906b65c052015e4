/**
 * What a disk can do with no channel on it: durable writes by size, by where they go, by how they are made durable,
 * into one file and into several at once; and long sequential writes and reads.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.ts';
import { mib } from '../base/units.ts';
import type { DiskCell, DiskSpace, SequentialCell, WriteCell } from './disk-cells.ts';
import { DiskLane } from './disk-lane.ts';
import { randomBlock } from './events.ts';
import { RawFile, type WriteWay } from './raw-file.ts';
import { inRounds, type Spread, spreadOf } from './rounds.ts';
import { readSequentially, writeReadable } from './sequential-read.ts';
import { type LoopFigures, runLanes } from './write-loop.ts';

/** What a cell came to. Without `perSecond` the file system refuses this way. */
export interface DiskRow {
  readonly cell: DiskCell;
  readonly megabytesPerSecond?: Spread;
  /** Writes or reads. */
  readonly perSecond?: Spread;
  /** Of one write, the median of the rounds. Absent for sequential ones. */
  readonly p50Us?: number;
  readonly p99Us?: number;
}

/** How. */
export interface DiskBenchOptions extends DiskSpace {
  readonly rounds: number;
  readonly durationMs: number;
  readonly signal?: AbortSignal | undefined;
  /** After each measurement: of how many, and what it was. */
  readonly onProgress?: (done: number, total: number, cell: DiskCell, perSecond: number) => void;
}

/**
 * Measures cells in `directory`, which exists and is empty; what it made there is the caller's to remove.
 * @throws What the system answers, or what the signal was aborted with.
 */
export async function measureDisk(
  disk: Disk,
  directory: string,
  cells: readonly DiskCell[],
  options: DiskBenchOptions,
): Promise<DiskRow[]> {
  const bench = new DiskBench(disk, directory, options);
  let done = 0;
  try {
    const measured = await inRounds(cells, { ...options, signal: options.signal }, async (cell) => {
      const figures = await bench.measure(cell);
      done += 1;
      const perSecond = figures === undefined ? Number.NaN : figures.steps / figures.seconds;
      options.onProgress?.(done, cells.length * options.rounds, cell, perSecond);
      return figures;
    });
    return measured.map(({ cell, rounds }) => rowOf(cell, rounds));
  } finally {
    await bench.close();
  }
}

function rowOf(cell: DiskCell, rounds: readonly (LoopFigures | undefined)[]): DiskRow {
  const known = rounds.filter((figures) => figures !== undefined);
  if (known.length === 0) return { cell };
  const perSecond = known.map(({ steps, seconds }) => steps / seconds);
  const middle = (values: readonly number[]): number => spreadOf(values).median;
  return {
    cell,
    perSecond: spreadOf(perSecond),
    megabytesPerSecond: spreadOf(perSecond.map((count) => (count * cell.bytes) / 1e6)),
    ...(cell.kind === 'write'
      ? { p50Us: middle(known.map(({ p50Us }) => p50Us)), p99Us: middle(known.map(({ p99Us }) => p99Us)) }
      : {}),
  };
}

/** Zeros are written ahead so many at a time, as the log does. */
const zerosBytes: number = mib;
/** Two under way a file keep a disk busy: one is looked at while the other is read. */
const readsAtOnce = 2;

/** Keeps the files that are overwritten and those that are read, from round to round. */
class DiskBench {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #options: DiskBenchOptions;
  readonly #overwritten = new Map<string, RawFile>();
  readonly #readable: string[] = [];
  #count = 0;

  constructor(disk: Disk, directory: string, options: DiskBenchOptions) {
    this.#disk = disk;
    this.#directory = directory;
    this.#options = options;
  }

  /** Undefined where the file system refuses this way. */
  async measure(cell: DiskCell): Promise<LoopFigures | undefined> {
    if (cell.kind === 'write') return cell.layout === 'overwriting' ? this.#overwrite(cell) : this.#append(cell);
    return cell.kind === 'sequential-write' ? this.#writeMuch(cell) : this.#readMuch(cell);
  }

  async close(): Promise<void> {
    for (const file of this.#overwritten.values()) await file.close();
  }

  async #overwrite(cell: WriteCell): Promise<LoopFigures | undefined> {
    const files: RawFile[] = [];
    for (let index = 0; index < cell.files; index++) {
      const file = await this.#overwrittenFile(cell.way, index);
      if (file === undefined) return undefined;
      files.push(file);
    }
    return this.#run(files, cell, this.#options.overwrittenBytes);
  }

  /** Whose blocks all hold data. */
  async #overwrittenFile(way: WriteWay, index: number): Promise<RawFile | undefined> {
    const known = this.#overwritten.get(`${way} ${index}`);
    if (known !== undefined) return known;
    const file = RawFile.create(this.#path(), way);
    if (file === undefined) return undefined;
    this.#overwritten.set(`${way} ${index}`, file);
    const source = randomBlock(this.#disk, mib);
    for (let at = 0; at < this.#options.overwrittenBytes; at += source.length) {
      this.#options.signal?.throwIfAborted();
      await file.write(source, at);
    }
    return file;
  }

  async #append(cell: WriteCell): Promise<LoopFigures | undefined> {
    return this.#inFreshFiles(cell, cell.way, (files) =>
      this.#run(files, cell, Math.floor(this.#options.appendedBytesMax / cell.files)),
    );
  }

  async #run(files: readonly RawFile[], { layout, bytes }: WriteCell, endBytes: number): Promise<LoopFigures> {
    const source = randomBlock(this.#disk, bytes);
    const zeros = this.#disk.allocate(Math.max(bytes, zerosBytes)).fill(0);
    const lanes = files.map((file) => new DiskLane({ file, layout, source, zeros, endBytes }));
    return await runLanes(lanes, this.#options.durationMs, this.#options.signal);
  }

  /** Without O_DIRECT through the cache, the sync at the end being in the time all the same. */
  async #writeMuch(cell: SequentialCell): Promise<LoopFigures | undefined> {
    const write = async (files: readonly RawFile[]): Promise<LoopFigures> => {
      const endBytes = Math.floor(this.#options.appendedBytesMax / cell.files);
      const shape = {
        layout: 'appending',
        source: randomBlock(this.#disk, cell.bytes),
        zeros: randomBlock(this.#disk, mib),
        endBytes,
      } as const;
      const lanes = files.map((file) => new DiskLane({ file, ...shape }));
      const figures = await runLanes(lanes, this.#options.durationMs, this.#options.signal);
      const startMs = performance.now();
      await Promise.all(files.map((file) => file.sync()));
      return { ...figures, seconds: figures.seconds + (performance.now() - startMs) / 1000 };
    };
    return (
      (await this.#inFreshFiles(cell, 'direct-unsynced', write)) ?? (await this.#inFreshFiles(cell, 'cached', write))
    );
  }

  async #readMuch({ files, bytes }: SequentialCell): Promise<LoopFigures> {
    const { durationMs, readableBytes, signal } = this.#options;
    while (this.#readable.length < files) {
      const path = this.#path();
      await writeReadable(this.#disk, path, readableBytes);
      this.#readable.push(path);
      signal?.throwIfAborted();
    }
    const paths = this.#readable.slice(0, files);
    const perSecond = await readSequentially(this.#disk, paths, { durationMs, readsAtOnce, signal });
    return { steps: perSecond / bytes, seconds: 1, p50Us: Number.NaN, p99Us: Number.NaN };
  }

  /** New files for one measurement, gone afterwards. Undefined where the file system refuses the way. */
  async #inFreshFiles(
    cell: DiskCell,
    way: Parameters<typeof RawFile.create>[1],
    run: (files: readonly RawFile[]) => Promise<LoopFigures>,
  ): Promise<LoopFigures | undefined> {
    const files: RawFile[] = [];
    try {
      for (let index = 0; index < cell.files; index++) {
        const file = RawFile.create(this.#path(), way);
        if (file === undefined) return undefined;
        files.push(file);
      }
      return await run(files);
    } finally {
      for (const file of files) await file.remove();
      await this.#disk.syncDirectory(this.#directory);
    }
  }

  #path(): string {
    this.#count += 1;
    return join(this.#directory, `disk-${this.#count}`);
  }
}
