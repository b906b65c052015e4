/** Runs lanes for a window of time: a lone one in this thread, several of them in Node's threads at once. */
import { setImmediate as turn } from 'node:timers/promises';
import { Latencies } from './latencies.ts';

/** Something that is done again and again. */
export interface Lane {
  readonly isFull: boolean;
  /** Holds up the thread. */
  stepSync(): void;
  step(): Promise<void>;
}

/** What lanes did. `seconds`: until the last of them ended. */
export interface LoopFigures {
  readonly steps: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** A signal is heard so often, ms. */
const turnMs = 50;

/** Steps until `durationMs` is over or every lane is full. @throws What `signal` was aborted with. */
export async function runLanes(
  lanes: readonly Lane[],
  durationMs: number,
  signal: AbortSignal | undefined,
): Promise<LoopFigures> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const [first] = lanes;
  if (lanes.length === 1 && first !== undefined) await runAlone(first, { endMs, signal, latencies });
  else await Promise.all(lanes.map((lane) => run(lane, { endMs, signal, latencies })));
  const seconds = (performance.now() - startMs) / 1000;
  const [p50Us = 0, p99Us = 0] = latencies.percentilesUs([0.5, 0.99]);
  return { steps: latencies.count, seconds, p50Us, p99Us };
}

interface Loop {
  readonly endMs: number;
  readonly signal: AbortSignal | undefined;
  readonly latencies: Latencies;
}

/** One step at least: a slow disk has a figure too. */
async function runAlone(lane: Lane, { endMs, signal, latencies }: Loop): Promise<void> {
  let beforeMs = performance.now();
  let turnAtMs = beforeMs + turnMs;
  do {
    lane.stepSync();
    const afterMs = performance.now();
    latencies.add(afterMs - beforeMs);
    beforeMs = afterMs;
    if (afterMs < turnAtMs) continue;
    await turn();
    signal?.throwIfAborted();
    beforeMs = performance.now();
    turnAtMs = beforeMs + turnMs;
  } while (beforeMs < endMs && !lane.isFull);
}

async function run(lane: Lane, { endMs, signal, latencies }: Loop): Promise<void> {
  let beforeMs = performance.now();
  do {
    await lane.step();
    const afterMs = performance.now();
    latencies.add(afterMs - beforeMs);
    beforeMs = afterMs;
    signal?.throwIfAborted();
  } while (beforeMs < endMs && !lane.isFull);
}
