/**
 * Reads every byte of a channel that counts, and names each place that is not as it was written, with the events that
 * it costs: an open looks at the newest segment only.
 */
import type { SequenceRange, SequenceRanges } from '../../base/units.ts';
import { countSequences } from '../../base/units.ts';
import type { CopiedCheckpoint } from '../../checkpoint/lmdb-copy.ts';
import { eventBatchCodec, readEventBatch } from '../../codec/event-batch.ts';
import type { Damage } from '../../wal/damage.ts';
import { groupEnd, type ReadFrame, type ReadGroup } from '../../wal/group-reader.ts';
import { givenBetween } from '../../wal/recovery-replay.ts';
import { FrameFlag, FrameType, frameSize } from '../../wal/segment/frame-header.ts';
import { firstGroupOffset } from '../../wal/segment/segment-header.ts';
import { decodeState } from '../../wal/system-frames.ts';
import { compareCheckpoint } from '../checkpoint-check.ts';
import type { ChannelView } from './channel-view.ts';
import { type DamageStep, SegmentWalk } from './segment-walk.ts';

/** What was read, and what of it does not hold. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly bytesRead: number;
  readonly groups: number;
  readonly frames: number;
  readonly events: number;
  /** In the order of the log, those of no segment first. */
  readonly damages: readonly Damage[];
}

/** How far it is. */
export interface VerifyProgress {
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/**
 * What `checkpoint`, read from a copy, shows of the log: that it lacks its end, or a record. A running owner's log has
 * moved on since; nothing is said of that.
 */
export function checkpointDamages(view: ChannelView, checkpoint: CopiedCheckpoint): readonly Damage[] {
  const path = view.found.checkpointPath ?? '';
  if (checkpoint.kind === 'unreadable') {
    const message = `the checkpoint cannot be read (${checkpoint.why}): nothing is lost, the next open makes another`;
    return [{ path, offset: 0, bytes: 0, kind: 'checkpoint', ...none, message }];
  }
  if (checkpoint.kind !== 'record' || view.owner !== 'none') return [];
  const { end, segments, queue, damages, storage } = view;
  const opened = { ...end, damages: [...damages] };
  const finding = compareCheckpoint(checkpoint.record, { opened, segments, queue, channelId: storage.channelId });
  return [finding.lostEnd, finding.returned].filter((one): one is Damage => one !== undefined);
}

/** Total but for what the disk throws. `onProgress` is called now and then. */
export async function verifyChannel(
  view: ChannelView,
  onProgress: (progress: VerifyProgress) => void = () => undefined,
): Promise<VerifyReport> {
  const verifier = new Verifier(view, onProgress);
  for (const segment of view.segments) {
    const walk = await SegmentWalk.open(view, segment, { checksPuts: true });
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
  readonly #damages: Damage[];
  #bytesRead = 0;
  #groups = 0;
  #frames = 0;
  #events = 0;

  constructor(view: ChannelView, onProgress: (progress: VerifyProgress) => void) {
    this.#view = view;
    this.#onProgress = onProgress;
    this.#damages = [...view.damages];
    this.#bytesTotal = view.segments.reduce((sum, { absent, endOffset }) => sum + (absent ? 0 : endOffset), 0);
  }

  async segment(walk: SegmentWalk): Promise<void> {
    const found: Damage[] = [];
    const counted = { groups: 0, frames: 0, events: 0 };
    const { segment } = walk;
    const readBefore = this.#bytesRead;
    if (walk.damagedPages > 0) found.push(this.#headerDamage(walk));
    for (let step = await walk.next(); step !== undefined; step = await walk.next()) {
      if (step.kind === 'damage') found.push(this.#gap(walk, step));
      else {
        counted.groups += 1;
        counted.frames += step.group.frames.length;
        counted.events += step.group.header.events;
        found.push(...this.#group(walk, step.group));
      }
      this.#bytesRead = readBefore + walk.offset;
      this.#onProgress({ bytesRead: this.#bytesRead, bytesTotal: this.#bytesTotal });
    }
    if (!(await walk.isStill())) return;
    this.#groups += counted.groups;
    this.#frames += counted.frames;
    this.#events += counted.events;
    this.#bytesRead = readBefore + segment.endOffset;
    for (const damage of found) if (!this.#isKnown(damage)) this.#damages.push(damage);
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
    const damages = [...this.#damages].sort((a, b) => place(a) - place(b) || a.offset - b.offset);
    return {
      ok: damages.length === 0,
      bytesRead: this.#bytesRead,
      groups: this.#groups,
      frames: this.#frames,
      events: this.#events,
      damages,
    };
  }

  /** An open would have met it. */
  #isKnown(damage: Damage): boolean {
    return this.#view.damages.some(
      ({ path, offset, kind }) =>
        path === damage.path && (offset === damage.offset || (kind === 'state' && damage.kind === 'state')),
    );
  }

  #headerDamage({ segment, damagedPages }: SegmentWalk): Damage {
    const which = damagedPages === 1 ? 'one of the two header pages does not hold; the other does' : 'no header holds';
    const message = `${which}: nothing is lost by it`;
    return { ...this.#place(segment.path, 0, firstGroupOffset), kind: 'segmentHeader', ...none, message };
  }

  #gap({ segment }: SegmentWalk, { from, to, lostFrom, lostTo, unreadable }: DamageStep): Damage {
    const message = unreadable ? 'these bytes cannot be read' : 'no group that fits stands here';
    const loss = this.#loss(givenBetween(segment, lostFrom, lostTo));
    return {
      ...this.#place(segment.path, from, to - from),
      kind: unreadable ? 'unreadable' : 'group',
      ...loss,
      message,
    };
  }

  #group(walk: SegmentWalk, group: ReadGroup): Damage[] {
    const { header, frames, bad } = group;
    const { path } = walk.segment;
    const found: Damage[] = [];
    for (const { offset, bytes, header: frame, lostFrom, lostTo } of bad) {
      const ranges = lostTo > lostFrom ? [{ first: lostFrom, last: lostTo - 1 }] : [];
      found.push(this.#badFrame(path, offset, bytes, ranges, frame?.type));
    }
    for (const frame of frames) if (!holds(walk, frame)) found.push(this.#badPayload(path, frame));
    if (group.paddingDamaged) {
      const end = header.offset + header.bytes;
      const message = 'padding or a sum is not as written; no event is affected';
      found.push({ ...this.#place(path, end, groupEnd(header) - end), kind: 'padding', ...none, message });
    }
    return found;
  }

  #badPayload(path: string, { header, offset }: ReadFrame): Damage {
    const { type, baseSequence, count, storedBytes } = header;
    const ranges = type === FrameType.put && count > 0 ? [{ first: baseSequence, last: baseSequence + count - 1 }] : [];
    return this.#badFrame(path, offset, frameSize(storedBytes), ranges, type);
  }

  #badFrame(path: string, offset: number, bytes: number, ranges: SequenceRanges, type: number | undefined): Damage {
    const place = this.#place(path, offset, bytes);
    if (ranges.length > 0) {
      const message = 'this transaction does not hold: its events that nobody has taken are lost';
      return { ...place, kind: 'frame', ...this.#loss(ranges), message };
    }
    if (type === FrameType.state) {
      const message = 'the state at the head of this segment does not hold; the one before and the log say the same';
      return { ...place, kind: 'state', ...none, message };
    }
    const message = 'a record does not hold: what it acknowledged or noted may come back as it was before';
    return { ...place, kind: 'record', ...none, message };
  }

  #place(path: string, offset: number, bytes: number): Pick<Damage, 'path' | 'offset' | 'bytes'> {
    return { path, offset, bytes };
  }

  /** What of `ranges` nobody has taken. */
  #loss(ranges: SequenceRanges): Pick<Damage, 'eventsLost' | 'sequences'> {
    const { queue } = this.#view;
    const lost: SequenceRange[] = [];
    for (const { first, last } of ranges) {
      for (const run of notIn(queue.acked.ranges(first), first, last)) lost.push(run);
    }
    return { eventsLost: countSequences(lost), sequences: lost };
  }
}

const none: Pick<Damage, 'eventsLost' | 'sequences'> = { eventsLost: 0, sequences: [] };

/** What of `first` … `last` ascending `runs` do not cover. */
function notIn(runs: Iterable<SequenceRange>, first: number, last: number): SequenceRange[] {
  const left: SequenceRange[] = [];
  let from = first;
  for (const run of runs) {
    if (run.first > last) break;
    if (run.first > from) left.push({ first: from, last: run.first - 1 });
    from = Math.max(from, run.last + 1);
  }
  if (from <= last) left.push({ first: from, last });
  return left;
}

/** Whether a payload whose sum holds also makes sense. Without the key nobody can say. */
function holds({ payloads, segment }: SegmentWalk, { header, payload }: ReadFrame): boolean {
  if (payload === undefined) return true;
  if ((header.flags & FrameFlag.encrypted) !== 0 && !payloads.hasKey(header.keyId)) return true;
  const raw = payloads.restore(header, payload);
  if (raw === undefined) return false;
  if (header.type === FrameType.put) {
    return header.codec === eventBatchCodec && readEventBatch(raw, header.count).kind === 'batch';
  }
  return header.type !== FrameType.state || decodeState(raw) !== undefined || segment.absent;
}
