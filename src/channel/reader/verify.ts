/**
 * Reads every byte of a channel that counts, and names each place that is not as it was written, with the events that
 * it costs: an open looks at the newest segment only.
 */
import type { SequenceRanges } from '../../base/units.ts';
import { SequenceSet } from '../../queue/sequence-set.ts';
import { BufferPool } from '../../wal/buffer-pool.ts';
import type { Damage } from '../../wal/damage.ts';
import type { ReadFrame, ReadGroup } from '../../wal/group-reader.ts';
import { FrameType } from '../../wal/segment/frame-header.ts';
import { readSettledPlaces } from '../../wal/settled-places.ts';
import type { ChannelView } from './channel-view.ts';
import { gapDamage, groupDamages, headerDamage } from './found-damage.ts';
import { SegmentWalk } from './segment-walk.ts';
import { SettledDamage } from './settled-damage.ts';

/** What was read, and what of it does not hold. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly bytesRead: number;
  readonly groups: number;
  readonly frames: number;
  readonly events: number;
  /** In the order of the log, those of no segment first. */
  readonly damages: readonly Damage[];
  /** Places that a repair has settled, and that are as it left them: no damage any more. */
  readonly settled: number;
  /** Events that were given up for lost, and read well: a repair takes them up again. */
  readonly readable: SequenceRanges;
}

/** How far it is. */
export interface VerifyProgress {
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/** Total but for what the disk throws. `onProgress` is called now and then. */
export async function verifyChannel(
  view: ChannelView,
  onProgress: (progress: VerifyProgress) => void = () => undefined,
): Promise<VerifyReport> {
  const { disk, storage, found } = view;
  const places = await readSettledPlaces(disk, found.present, storage.channelId);
  const verifier = new Verifier(
    view,
    new SettledDamage(places, storage.withoutKeys === true ? undefined : view.queue),
    onProgress,
  );
  const buffers = new BufferPool(disk);
  for (const segment of view.segments) {
    const walk = await SegmentWalk.open(view, segment, { checksPuts: true, buffers });
    if (walk === undefined) continue;
    try {
      await verifier.segment(walk);
    } finally {
      await walk.close();
    }
  }
  verifier.tail();
  return verifier.report();
}

class Verifier {
  readonly #view: ChannelView;
  readonly #onProgress: (progress: VerifyProgress) => void;
  readonly #bytesTotal: number;
  readonly #settled: SettledDamage;
  /** Those of the open itself, but for what turns out to be settled. */
  #known: readonly Damage[];
  readonly #damages: Damage[] = [];
  readonly #readable: SequenceSet = new SequenceSet();
  #bytesRead = 0;
  #groups = 0;
  #frames = 0;
  #events = 0;

  constructor(view: ChannelView, settled: SettledDamage, onProgress: (progress: VerifyProgress) => void) {
    this.#view = view;
    this.#settled = settled;
    this.#onProgress = onProgress;
    this.#known = view.damages;
    this.#bytesTotal = view.segments.reduce((sum, { absent, endOffset }) => sum + (absent ? 0 : endOffset), 0);
  }

  async segment(walk: SegmentWalk): Promise<void> {
    const found: Damage[] = [];
    const counted = { groups: 0, frames: 0, events: 0 };
    const { segment } = walk;
    const { queue } = this.#view;
    const readBefore = this.#bytesRead;
    if (walk.damagedPages > 0) found.push(headerDamage(walk));
    for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
      if (step.kind === 'damage') found.push(gapDamage(walk, step, queue));
      else {
        counted.groups += 1;
        counted.frames += step.group.frames.length;
        counted.events += eventsOf(step.group);
        found.push(...groupDamages(walk, step.group, queue, (frame) => this.#noteReadable(frame)));
      }
      this.#bytesRead = readBefore + walk.offset;
      this.#onProgress({ bytesRead: this.#bytesRead, bytesTotal: this.#bytesTotal });
    }
    if (!(await walk.isStill())) return;
    this.#groups += counted.groups;
    this.#frames += counted.frames;
    this.#events += counted.events;
    this.#bytesRead = readBefore + segment.endOffset;
    const known = this.#known.filter(({ path }) => path === segment.path);
    const fresh = found.filter((damage) => !this.#isKnown(damage));
    const unsettled = await this.#settled.unsettled(walk, [...known, ...fresh]);
    this.#damages.push(...unsettled.filter((damage) => !known.includes(damage)));
    this.#known = this.#known.filter((damage) => !known.includes(damage) || unsettled.includes(damage));
  }

  /** What an open will take over stands nowhere else. */
  tail(): void {
    for (const { header } of this.#view.tail) {
      this.#frames += 1;
      if (header.type === FrameType.put) this.#events += header.count;
    }
  }

  report(): VerifyReport {
    const place = ({ path }: Damage): number => this.#view.segments.findIndex((segment) => segment.path === path);
    const damages = [...this.#known, ...this.#damages].sort((a, b) => place(a) - place(b) || a.offset - b.offset);
    return {
      ok: damages.length === 0,
      bytesRead: this.#bytesRead,
      groups: this.#groups,
      frames: this.#frames,
      events: this.#events,
      damages,
      settled: this.#settled.count,
      readable: this.#readable.toRanges(),
    };
  }

  /** An open would have met it. */
  #isKnown(damage: Damage): boolean {
    const { path, offset, bytes } = damage;
    return this.#known.some((known) => {
      if (known.path !== path) return false;
      if (known.offset === offset) return true;
      if (known.kind !== damage.kind) return false;
      return (
        known.kind === 'state' || (known.kind === 'padding' && offset < known.offset && known.offset <= offset + bytes)
      );
    });
  }

  #noteReadable({ header: { type, baseSequence, count } }: ReadFrame): void {
    const { quarantined } = this.#view.queue;
    if (type !== FrameType.put || quarantined.isEmpty) return;
    const last = baseSequence + count - 1;
    for (const run of quarantined.ranges(baseSequence)) {
      if (run.first > last) break;
      this.#readable.addRange(run.first, Math.min(run.last, last));
    }
  }
}

/** Those of the transactions that hold. */
function eventsOf({ frames }: ReadGroup): number {
  return frames.reduce((sum, { header: { type, count } }) => sum + (type === FrameType.put ? count : 0), 0);
}
