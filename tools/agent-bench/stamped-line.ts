/** Lines that say when they were written, and what is known once they have come out again. */
import { Latencies } from '../../src/bench/latencies.ts';

const lineBytes = 500;
const filler = 'GET /api/v1/orders HTTP/1.1 200 '.repeat(Math.ceil(lineBytes / 32));

/** `NUMBER NANOSECONDS filler`, 500 bytes with its line feed. */
export function lineOf(number: number, writtenNs: bigint): string {
  return `${`${number} ${writtenNs} ${filler}`.slice(0, lineBytes - 1)}\n`;
}

/** Takes pieces of a file as they are seen, and keeps how old each line was. */
export class Arrivals {
  readonly latencies: Latencies = new Latencies();
  readonly #seen: Uint8Array;
  #rest = '';
  /** Lines that came again, or with no number that was written. */
  #faults = 0;

  constructor(lines: number) {
    this.#seen = new Uint8Array(lines);
  }

  get count(): number {
    return this.latencies.count;
  }

  get faults(): number {
    return this.#faults;
  }

  /** What was read at `nowNs`. */
  add(text: string, nowNs: bigint): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [number = '', writtenNs = ''] = line.split(' ', 2);
      if (this.#seen[Number(number)] === 0 && line.length === lineBytes - 1) {
        this.#seen[Number(number)] = 1;
        this.latencies.add(Number(nowNs - BigInt(writtenNs)) / 1e6);
      } else this.#faults += 1;
    }
  }
}
