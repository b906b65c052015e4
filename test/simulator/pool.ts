/**
 * Simulations in processes of their own, so that both cores are used and nothing of a simulated process that died
 * reaches the test. Run as a program it is such a process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sweep } from './sweep.ts';

/** Processes at once: as many as the smallest machine we promise times for has cores. */
const processesMax = 2;

/** What the sweep of one workload came to. */
export interface Swept {
  readonly workload: string;
  readonly runs: number;
  /** Of all runs the fewest. */
  readonly lives: number;
  readonly states: readonly string[];
  /** A line each that repeats a run and says what it found. */
  readonly failures: readonly string[];
}

interface Order {
  readonly workload: string;
  readonly variants: readonly number[];
}

/** Sweeps all of `workloads`; the result of each as it comes. Ends when all have come: `done`. */
export function sweepAll(
  workloads: readonly string[],
  variants: readonly number[],
): { readonly swept: ReadonlyMap<string, Promise<Swept>>; readonly done: Promise<unknown> } {
  const waiting = workloads.map((workload) => {
    const { promise, resolve, reject } = promiseParts<Swept>();
    promise.catch(() => undefined);
    return { workload, promise, resolve, reject };
  });
  const swept = new Map(waiting.map(({ workload, promise }) => [workload, promise]));
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(import.meta.url), [], { execArgv: ['--import', 'tsx'] });
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await ask(child, { workload: next.workload, variants }).then(next.resolve, next.reject);
    }
    child.disconnect();
  };
  return { swept, done: Promise.all(Array.from({ length: processesMax }, work)) };
}

function ask(child: ChildProcess, order: Order): Promise<Swept> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`its process ended with ${code}: see its output`));
    child.once('exit', ended);
    child.once('message', (swept: Swept) => {
      child.off('exit', ended);
      resolve(swept);
    });
    if (child.connected) child.send(order);
    else ended(child.exitCode);
  });
}

async function answer({ workload, variants }: Order): Promise<Swept> {
  const states = new Set<string>();
  const failures: string[] = [];
  let runs = 0;
  let lives = Number.MAX_SAFE_INTEGER;
  for await (const result of sweep(workload, variants)) {
    runs += 1;
    lives = Math.min(lives, result.lives);
    for (const state of result.states) states.add(state);
    const [violation] = result.violations;
    if (violation !== undefined) failures.push(`FAIL simulate ${result.seed}: ${violation.checker}: ${violation.text}`);
  }
  return { workload, runs, lives, states: [...states], failures };
}

function promiseParts<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (order: Order) => {
    void answer(order).then((swept) => process.send?.(swept));
  });
}
