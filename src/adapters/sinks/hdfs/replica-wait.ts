/** `hdfs.minBlockReplicas`: a finished file gets its name when so many DataNodes have its blocks, or after a while. */
import type { Log } from '../../../agent/contracts/components.ts';
import type { Clock } from '../../../engine.ts';
import type { FileSystem } from './file-system.ts';
import type { Retries } from './retries.ts';

interface ReplicaWaitParts {
  readonly fileSystem: FileSystem;
  readonly retries: Retries;
  readonly clock: Clock;
  readonly log: Log;
  /** 0: none is waited for. */
  readonly minReplicas: number;
  /** How long one file waits. */
  readonly limitMs: number;
}

const lookMs = 500;
const sayMs = 60_000;

/** See the file's comment. */
export class ReplicaWait {
  readonly #parts: ReplicaWaitParts;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ReplicaWaitParts) {
    this.#parts = parts;
  }

  /** Resolves when there are so many, it has waited long enough, or the sink stops. Rejects never. */
  async wait(path: string): Promise<void> {
    const { fileSystem, retries, clock, minReplicas, limitMs } = this.#parts;
    if (minReplicas <= 0) return;
    const untilMs = clock.monotonicMs() + limitMs;
    for (;;) {
      let why: Readonly<Record<string, unknown>>;
      try {
        const replicas = await fileSystem.leastReplicas(path);
        if (replicas >= minReplicas) return;
        why = { replicas };
      } catch (error) {
        why = { error };
      }
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs > 0 && (await retries.sleep(Math.min(lookMs, leftMs)))) continue;
      this.#say(path, why);
      return;
    }
  }

  /** Of many files one is named. */
  #say(path: string, why: Readonly<Record<string, unknown>>): void {
    const { clock, log, minReplicas, retries } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (retries.isStopping || nowMs - this.#saidAtMs < sayMs) return;
    this.#saidAtMs = nowMs;
    const text = 'files get their names with fewer replicas than hdfs.minBlockReplicas: look at the DataNodes';
    log.warn(text, { path, minReplicas, ...why });
  }
}
