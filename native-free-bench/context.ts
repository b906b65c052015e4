/** What every benchmark is given, and what it gives back. */
import type { Disk } from '../src/base/disk.ts';
import { mib } from '../src/base/units.ts';
import type { ChildProgram } from '../src/bench/child-program.ts';
import type { DiskGauge } from '../src/bench/disk-rate.ts';
import type { ChannelOptions } from '../src/channel/options.ts';

/** How large and how long. */
export interface Sizes {
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly gaugeMs: number;
  /** Of a CPU-bound measurement, at least, and how many runs at least. */
  readonly cpuMs: number;
  readonly cpuRunsMin: number;
  /** Bodies in a segment that is scanned. */
  readonly scannedBytes: number;
  /** Drained by a take. */
  readonly takeEvents: number;
  /** The same, one by one. */
  readonly takeEventsSingly: number;
  /** Waiting when a channel is opened. */
  readonly recoveryEvents: number;
  /** Waiting in the large one, and the body of each, bytes. */
  readonly largeEvents: number;
  readonly largeBodyBytes: number;
  readonly bodyBytes: number;
  readonly seed: number;
}

/** The usual sizes. */
export const fullSizes: Sizes = {
  windowMs: 3000,
  warmUpMs: 1000,
  gaugeMs: 500,
  cpuMs: 1000,
  cpuRunsMin: 16,
  scannedBytes: 32 * mib,
  takeEvents: 3_000_000,
  takeEventsSingly: 60_000,
  recoveryEvents: 1_000_000,
  largeEvents: 10_000_000,
  largeBodyBytes: 1000,
  bodyBytes: 500,
  seed: 1,
};

/** To see that everything works: the figures mean nothing. */
export const quickSizes: Sizes = {
  ...fullSizes,
  windowMs: 50,
  warmUpMs: 10,
  gaugeMs: 5,
  cpuMs: 5,
  cpuRunsMin: 1,
  scannedBytes: mib,
  takeEvents: 20_000,
  takeEventsSingly: 100,
  recoveryEvents: 20_000,
  largeEvents: 50_000,
};

/** A disk of its own kind, and how a channel on it is opened. */
export interface Place {
  /** `memory disk`, `real disk`. */
  readonly name: string;
  readonly disk: Disk;
  /** Below it everything happens. */
  readonly directory: string;
  readonly options: ChannelOptions;
  /** Absent for a disk that is not worth measuring. */
  readonly gauge: DiskGauge | undefined;
  /** Runs this program again with these arguments; absent where the disk is only in this process. */
  readonly child: ((args: readonly string[]) => ChildProgram) | undefined;
}

/** One measured thing: names and numbers, for the table and for the JSON. */
export interface Row {
  readonly name: string;
  readonly figures: { readonly [figure: string]: number | string | undefined };
}

/** The rows of one benchmark. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** What a benchmark runs with. */
export interface Context {
  readonly sizes: Sizes;
  readonly memory: Place;
  /** Absent without --disk. */
  readonly real: Place | undefined;
  /** Also the 10 GB measurement. */
  readonly large: boolean;
}

/** One of the files `*.bench.ts`. */
export type Benchmark = (context: Context) => Promise<readonly Section[]>;
