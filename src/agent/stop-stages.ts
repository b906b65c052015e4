/** Stopping in an order, and within a limit. */
import type { Clock } from '../engine.ts';
import { settledWithin } from './sleep.ts';

/** What stops together. `until`: the part of the limit after which the next stage begins all the same. */
export interface StopStage {
  readonly until: number;
  /** Begins it. Names are as they are reported. */
  readonly stop: () => readonly (readonly [name: string, stopped: Promise<void>])[];
}

/** Resolves to the names of what has not stopped by then. */
export async function stopInStages(
  stages: readonly StopStage[],
  clock: Clock,
  limitMs: number,
): Promise<readonly string[]> {
  const startedMs = clock.monotonicMs();
  const left = new Set<string>();
  for (const { until, stop } of stages) {
    const stops = stop();
    for (const [name, stopped] of stops) {
      left.add(name);
      void stopped.then(() => left.delete(name));
    }
    const restMs = Math.max(0, startedMs + limitMs * until - clock.monotonicMs());
    await settledWithin(Promise.all(stops.map(([, stopped]) => stopped)), clock, restMs);
  }
  return [...left];
}
