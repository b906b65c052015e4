/** Measures what only costs CPU, with tinybench: it warms up, chooses how often to run, and keeps the spread. */
import { Bench } from 'tinybench';
import type { Row, Sizes } from './context.ts';

/** Something that can be run again and again. */
export interface CpuTask {
  readonly name: string;
  /** One run. What it resolves to is ignored. */
  readonly run: () => unknown;
  /** Before each run, outside of its time. */
  readonly before?: () => Promise<void>;
  /** After the last run. */
  readonly after?: () => Promise<void>;
  readonly events: number;
  /** Bodies, of one run. */
  readonly bytes: number;
  /** Transactions of one run; absent where it commits nothing. */
  readonly commits?: number;
}

/** One row a task, in their order. A task that throws ends the benchmark. */
export async function measureCpu(tasks: readonly CpuTask[], sizes: Sizes): Promise<Row[]> {
  const bench = new Bench({
    time: sizes.cpuMs,
    iterations: sizes.cpuRunsMin,
    warmupTime: sizes.cpuMs / 4,
    warmupIterations: Math.ceil(sizes.cpuRunsMin / 4),
    throws: true,
  });
  for (const { name, run, before, after } of tasks) {
    bench.add(name, run, {
      ...(before === undefined ? {} : { beforeEach: before }),
      ...(after === undefined ? {} : { afterAll: after }),
    });
  }
  await bench.run();
  return tasks.map((task, index) => {
    const result = bench.tasks[index]?.result;
    if (result?.state !== 'completed') throw new Error(`${task.name}: ${result?.state ?? 'was not run'}`);
    const { mean, p50, p99, rme, samplesCount } = result.latency;
    const perSecond = 1000 / mean;
    return {
      name: task.name,
      figures: {
        'events/s': perSecond * task.events,
        'MB/s': (perSecond * task.bytes) / 1e6,
        ...(task.commits === undefined ? {} : { 'commits/s': perSecond * task.commits }),
        'run p50 µs': 1000 * p50,
        'run p99 µs': 1000 * p99,
        '± %': rme,
        runs: samplesCount,
      },
    };
  });
}
