/** Every stop of a workload: the seeds that the tests run. */
import { phases, type RunResult, seedOf, simulate } from './simulate.ts';

/** Runs a workload once without a stop, then stopped before, during and after each operation of its first life. */
export async function* sweep(workload: string, variants: readonly number[]): AsyncGenerator<RunResult> {
  for (const variant of variants) {
    const whole = await simulate(seedOf(workload, 0, 'after', variant));
    yield whole;
    for (let stop = 1; stop <= whole.operations; stop += 1) {
      for (const phase of phases) yield simulate(seedOf(workload, stop, phase, variant));
    }
  }
}
