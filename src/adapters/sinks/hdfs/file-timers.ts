/** What happens to files by time alone, also where nothing arrives. */
import type { Clock, Timer } from '../../../engine.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import type { FileKeeper } from './file-limits.ts';

/** All ms; 0 or less for the first two: never. */
interface FileTimes {
  readonly rollMs: number;
  readonly idleMs: number;
  readonly pinnedMs: number;
}

interface TimersParts extends FileTimes {
  readonly clock: Clock;
  readonly buckets: Buckets;
  readonly keeper: FileKeeper;
  /** The time of some buckets that failed may have come. */
  readonly onRetry: (nowMs: number) => void;
}

const lookMs = 200;
/** A stream that nothing is written to for so long is ended: HttpFS would end it after 60 s, with what it has. */
const streamIdleMs = 30_000;
/** The same where the bucket's last file failed: a gateway on the way may bear less, and break off each stream. */
const streamIdleMsAfterFailure = 2000;
/** What waits so long in memory is written. */
const writeIdleMs = 10_000;
/** How long it is remembered that a bucket has failed. */
const rememberMs = 120_000;

/** Looks at all files now and then, from `start` to `stop`. */
export class FileTimers {
  readonly #parts: TimersParts;
  #timer: Timer | undefined;

  constructor(parts: TimersParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.after(lookMs, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, buckets, onRetry } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const bucket of [...buckets.all]) this.#lookAt(bucket, nowMs);
    onRetry(nowMs);
  }

  #lookAt(bucket: Bucket, nowMs: number): void {
    const { buckets, keeper, rollMs, idleMs, pinnedMs } = this.#parts;
    const { file } = bucket;
    if (file === undefined) {
      if (!bucket.isFailing(nowMs - rememberMs)) buckets.forget(bucket);
      return;
    }
    const idleForMs = nowMs - file.lastEventAtMs;
    const bornMs = bucket.error === undefined ? streamIdleMs : streamIdleMsAfterFailure;
    const isDue = (rollMs > 0 && nowMs - file.beganAtMs >= rollMs) || (idleMs > 0 && idleForMs >= idleMs);
    if (isDue) buckets.close(bucket);
    else if (isOlder(file.pinnedSinceMs, nowMs - pinnedMs)) keeper.secure(bucket);
    else if (file.hasStream && nowMs - file.lastWriteAtMs >= bornMs) keeper.secure(bucket);
    else if (file.hasStream && nowMs - file.lastWriteAtMs >= writeIdleMs) file.write();
  }
}

function isOlder(sinceMs: number | undefined, thanMs: number): boolean {
  return sinceMs !== undefined && sinceMs <= thanMs;
}
