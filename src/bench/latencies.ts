/** How long things took: all samples of a run, so that a percentile is one that was measured and no estimate. */

const samplesFirst = 65_536;

/** Samples in ms, as `performance.now()` gives them; percentiles in µs. */
export class Latencies {
  #samples = new Float64Array(samplesFirst);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(sampleMs: number): void {
    if (this.#count === this.#samples.length) {
      const larger = new Float64Array(2 * this.#samples.length);
      larger.set(this.#samples);
      this.#samples = larger;
    }
    this.#samples[this.#count] = sampleMs;
    this.#count += 1;
  }

  /** The values, in µs, that these shares (0 to 1) of the samples lie at or below; 0 without samples. */
  percentilesUs(shares: readonly number[]): number[] {
    const sorted = this.#samples.slice(0, this.#count).sort();
    return shares.map((share) => {
      const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
      return 1000 * (sorted[index] ?? 0);
    });
  }
}

/** The middle of `values`; the mean of the two in the middle where there is none. NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
