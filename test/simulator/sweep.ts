/** Every stop of every workload: the seeds that the tests run, and what they come to together. */
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

/** What runs came to. */
export class Tally {
  readonly states: Set<string> = new Set();
  runs = 0;
  livesMin: number = Number.POSITIVE_INFINITY;

  /** Counts a run; the line that repeats it where it found a violation. */
  add(result: RunResult): string | undefined {
    this.runs += 1;
    this.livesMin = Math.min(this.livesMin, result.lives);
    for (const state of result.states) this.states.add(state);
    const [violation] = result.violations;
    return violation && `FAIL simulate ${result.seed}: ${violation.checker}: ${violation.text}`;
  }
}
