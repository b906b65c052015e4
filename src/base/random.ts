/** Randomness as the engine sees it, so that a seed repeats a run. */
import { randomFillSync } from 'node:crypto';

/** A source of random bytes. */
export interface Random {
  /** `count` fresh random bytes. */
  bytes(count: number): Buffer;
}

/** The real one. */
export const systemRandom: Random = {
  bytes: (count) => randomFillSync(Buffer.allocUnsafe(count)),
};
