/**
 * How much of one file each channel has, as its note says it, and from there what must be read again, and for whom:
 *
 *     channel a   ████████████░░░░      read from the first ░ of any channel,
 *     channel b   ████░░░░░░░░░░░░      cut where one of them changes
 */

/** One stretch of a file that is the same for every channel. */
interface Stretch {
  /** Its end; Infinity for the last. */
  readonly until: number;
  /** Channels that have it. */
  readonly except: ReadonlySet<string>;
}

/** By channel, how many bytes from the beginning it has. */
export class Coverage {
  readonly #positions: ReadonlyMap<string, number>;

  constructor(positions: ReadonlyMap<string, number>) {
    this.#positions = positions;
  }

  /** The same in every channel. */
  static of(channels: readonly string[], position: number): Coverage {
    return new Coverage(new Map(channels.map((channel) => [channel, position])));
  }

  /** The first byte that some channel does not have. */
  get start(): number {
    return Math.min(...this.#positions.values());
  }

  at(position: number): Stretch {
    const beyond = [...this.#positions].filter(([, has]) => has > position);
    return {
      until: Math.min(...beyond.map(([, has]) => has)),
      except: new Set(beyond.map(([channel]) => channel)),
    };
  }
}
