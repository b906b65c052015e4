/** Waiting that a stop can end. */
import type { Clock } from '../engine.ts';

/** Resolves after `delayMs`, or as soon as `signal` is aborted. Keeps the process alive. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done, true);
    signal.addEventListener('abort', done);
  });
}

/** True once `work` is settled; false where `delayMs` were over, or `signal` was aborted, before. */
export async function settledWithin(
  work: Promise<unknown>,
  clock: Clock,
  delayMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const wait = sleep(clock, delayMs, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]));
  const settled = work.then(
    () => true,
    () => true,
  );
  const isSettled = await Promise.race([settled, wait.then(() => false)]);
  over.abort();
  return isSettled;
}
