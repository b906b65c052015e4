/** Tells damage that a repair has settled, and that is as it was then, from what is new. */
import type { QueueState } from '../../queue/queue-state.ts';
import type { Damage } from '../../wal/damage.ts';
import type { SettledPlace } from '../../wal/settled-places.ts';
import type { SegmentWalk } from './segment-walk.ts';

/** See above. */
export class SettledDamage {
  readonly #places: readonly SettledPlace[];
  readonly #queue: QueueState | undefined;
  readonly #met: Set<SettledPlace> = new Set();

  /** `queue`: undefined where what the log gives up cannot be read. */
  constructor(places: readonly SettledPlace[], queue: QueueState | undefined) {
    this.#places = places;
    this.#queue = queue;
  }

  /** So many places were met. */
  get count(): number {
    return this.#met.size;
  }

  /**
   * What of the `damages` of a segment lies in no place that is as a repair left it, or costs an event that the log
   * does not give up.
   */
  async unsettled(walk: SegmentWalk, damages: readonly Damage[]): Promise<readonly Damage[]> {
    const { segment } = walk;
    const places = this.#places.filter(({ segmentId, epoch }) => segmentId === segment.id && epoch === segment.epoch);
    if (places.length === 0) return damages;
    const found = new Map<SettledPlace, boolean>();
    const isAsLeft = async (place: SettledPlace): Promise<boolean> => {
      const is = found.get(place) ?? ((await walk.checksum(place.offset, place.bytes)) ?? null) === place.crc;
      found.set(place, is);
      return is;
    };
    const left: Damage[] = [];
    for (const damage of damages) {
      const end = damage.offset + damage.bytes;
      const around = places.filter(({ offset, bytes }) => offset <= damage.offset && end <= offset + bytes);
      const by = await findLast(around, isAsLeft);
      if (by !== undefined && this.#isGivenUp(damage)) this.#met.add(by);
      else left.push(damage);
    }
    return left;
  }

  #isGivenUp({ sequences }: Damage): boolean {
    if (this.#queue === undefined) return true;
    const { quarantined } = this.#queue;
    return sequences.every(({ first, last }) => quarantined.countRange(first, last) === last - first + 1);
  }
}

async function findLast<Item>(items: readonly Item[], is: (item: Item) => Promise<boolean>): Promise<Item | undefined> {
  for (const item of [...items].reverse()) if (await is(item)) return item;
  return undefined;
}
