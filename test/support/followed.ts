/** What a follower of a channel gave, and what it named as not to be had: each sequence once, in order. */
import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Disk } from '../../src/base/disk.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { type ViewOptions, viewChannel } from '../../src/channel/reader/channel-view.ts';
import type { DumpedEvent, PassedOver } from '../../src/channel/reader/dump.ts';
import { Follower, type FollowOptions } from '../../src/channel/reader/follow.ts';

/** How to follow. */
interface Following {
  readonly from?: FollowOptions['from'];
  readonly view?: ViewOptions;
  readonly clock?: Clock;
  readonly disk?: Disk;
  /** Of each event, as it comes. */
  readonly onEvent?: (dumped: DumpedEvent) => void;
}

/** One follower, and its books. */
export class Followed {
  readonly passed: PassedOver[] = [];
  readonly #follower: Follower;
  readonly #onEvent: (dumped: DumpedEvent) => void;
  count = 0;
  /** Of the last event or range that came. */
  last = 0;

  private constructor(make: (onPassedOver: (passed: PassedOver) => void) => Follower, { onEvent }: Following) {
    this.#onEvent = onEvent ?? (() => undefined);
    this.#follower = make((passed) => {
      this.passed.push(passed);
      assert.ok(passed.first <= passed.last, `${passed.first}…${passed.last}`);
      this.#comes(passed.first, passed.last);
    });
  }

  /** From now on, where `from` does not say otherwise. */
  static async open(path: string, following: Following = {}): Promise<Followed> {
    const { view: options = {}, clock = systemClock, disk = nodeDisk(), from } = following;
    const view = await viewChannel(path, options, { disk, clock });
    const { checkpointDir } = options;
    return new Followed((onPassedOver) => new Follower(path, view, { from, checkpointDir, onPassedOver }), following);
  }

  get owner(): string {
    return this.#follower.owner;
  }

  /** How many events were named as not to be had. */
  get passedCount(): number {
    return this.passed.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  /** Takes what is new. */
  async drain(each: (dumped: DumpedEvent) => void = () => undefined): Promise<void> {
    for await (const batch of this.#follower.batches()) {
      for (const dumped of batch) {
        this.#comes(dumped.event.sequence, dumped.event.sequence);
        this.count += 1;
        this.#onEvent(dumped);
        each(dumped);
      }
    }
  }

  /** The same; gives the sequences, and as text the bodies. */
  async read(): Promise<{ readonly sequences: number[]; readonly bodies: string[] }> {
    const [sequences, bodies]: [number[], string[]] = [[], []];
    await this.drain(({ event }) => {
      sequences.push(event.sequence);
      bodies.push(Buffer.from(event.body).toString());
    });
    return { sequences, bodies };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower.close();
  }

  #comes(first: number, last: number): void {
    assert.ok(first > this.last, `${first} after ${this.last}`);
    this.last = last;
  }
}
