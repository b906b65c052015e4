/**
 * Where events come from when they are taken. Fresh ones come in the order of the log: from memory while the takers
 * keep up (the groups that just became durable stay there, up to a limit), else by reading the segments ahead.
 * Events that were given back are read again from their place. What cannot be read is reported and passed over.
 */
import type { Clock } from '../base/clock.ts';
import type { Disk, DiskFile } from '../base/disk.ts';
import { ForebayError, isForebayError } from '../base/errors.ts';
import { type ByteOffset, kib, mib, type SegmentId, type Sequence, type SequenceRange } from '../base/units.ts';
import { type EventBatch, eventBatchCodec, readEventBatch } from '../codec/event-batch.ts';
import { BufferPool } from './buffer-pool.ts';
import { openThrough } from './byte-window.ts';
import { PayloadReader, type PayloadStorage } from './frame-payload.ts';
import type { ReadGroup } from './group-reader.ts';
import type { DurableGroup } from './log-options.ts';
import { addMark, givenBetween } from './recovery-replay.ts';
import { type FrameHeader, FrameType } from './segment/frame-header.ts';
import { firstGroupOffset } from './segment/segment-header.ts';
import type { SegmentInfo } from './segment-info.ts';
import { type ScanPosition, SegmentScanner } from './segment-scanner.ts';
import type { DamageKind } from './system-frames.ts';

/** Groups stay in memory up to this, so that a taker that keeps up never reads the disk. */
const tailBytesMax: number = 16 * mib;
/** Taken apart ahead of the takers. */
const readAheadBytes: number = 512 * kib;
/** Read at once; the next one is on its way meanwhile. */
const windowBytes: number = mib;
/** Delivered bodies are slices of one: what a kept event may hold in memory. */
const slabBytes: number = mib;

/** The events of one PUT frame. */
export interface LoadedFrame {
  readonly baseSequence: Sequence;
  readonly count: number;
  readonly batch: EventBatch;
  readonly bytes: number;
}

/** Events that turned out not to be readable. */
export interface LostEvents {
  readonly segment: SegmentInfo;
  readonly offset: ByteOffset;
  readonly bytes: number;
  readonly kind: DamageKind;
  readonly ranges: readonly SequenceRange[];
}

/** What delivery reads, and whom it tells. */
export interface DeliveryOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly storage: PayloadStorage;
  /** Whether segments are written past the system's cache: then they are read past it too, for it has nothing. */
  readonly pastCache: boolean;
  /** Ascending; the last is the one being written. */
  readonly segments: () => readonly SegmentInfo[];
  /** Whether any of the segment's events still waits; others are not read. */
  readonly hasPending: (segment: SegmentInfo) => boolean;
  readonly onLost: (lost: LostEvents) => void;
}

interface OpenSegment {
  readonly segment: SegmentInfo;
  readonly file: DiskFile;
  readonly scanner: SegmentScanner;
  readonly payloads: PayloadReader;
}

/** See above. `start` once the segments are known. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** What is read into, in order; events are copied out of it. */
  readonly #buffers: BufferPool;
  /** Used up below `#head`, and let go at once: each holds up to megabytes. */
  readonly #loaded: (LoadedFrame | undefined)[] = [];
  #head = 0;
  #slab: Buffer = Buffer.alloc(0);
  #slabEnd = 0;
  #loadedBytes = 0;
  /** Sequences ascend; what starts before was pushed: a tail that stands in two segments, of which one was missing. */
  #pushedTo: Sequence = 0;
  /** Where fresh reading goes on; undefined before the first segment. */
  #cursor: { segment: SegmentInfo; position: ScanPosition } | undefined;
  #reading: OpenSegment | undefined;
  #loading: Promise<void> | undefined;
  #closed = false;
  /** What becomes durable before is recovery's rewriting: it is read when its turn comes, behind all that is older. */
  #started = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#buffers = new BufferPool(options.disk);
  }

  /** Starts before the first event of the oldest segment. */
  start(): void {
    this.#started = true;
    const first = this.#nextSegment(0);
    if (first !== undefined) this.#cursor = { segment: first, position: headOf(first) };
  }

  /** Events from here on will still be met as fresh ones. */
  get freshFrom(): Sequence {
    return this.peek()?.baseSequence ?? this.#cursor?.position.nextSequence ?? 1;
  }

  /** The next fresh frame that is in memory. */
  peek(): LoadedFrame | undefined {
    return this.#loaded[this.#head];
  }

  /** The frame that `peek` gives was used up. */
  advance(): void {
    const frame = this.#loaded[this.#head] as LoadedFrame;
    this.#loaded[this.#head] = undefined;
    this.#loadedBytes -= frame.bytes;
    this.#head += 1;
    if (this.#head > 256 && this.#head * 2 > this.#loaded.length) {
      this.#loaded.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#loadedBytes < readAheadBytes / 2 && this.isBehind) void this.load();
  }

  /** A segment with these sequences left the log: nothing of it waits. True where the frame of `peek` was of it. */
  forget(first: Sequence, last: Sequence): boolean {
    const isOut = ({ baseSequence }: LoadedFrame) => baseSequence >= first && baseSequence <= last;
    const head = this.peek();
    const kept = this.#loaded.filter((frame): frame is LoadedFrame => frame !== undefined && !isOut(frame));
    this.#loaded.splice(0, this.#loaded.length, ...kept);
    this.#head = 0;
    this.#loadedBytes = kept.reduce((sum, frame) => sum + frame.bytes, 0);
    return head !== undefined && isOut(head);
  }

  /** Whether events wait in the log that are not in memory. */
  get isBehind(): boolean {
    const cursor = this.#cursor;
    if (cursor === undefined) return this.#nextSegment(0) !== undefined;
    if (cursor.position.offset < cursor.segment.endOffset) return true;
    return this.#nextSegment(cursor.segment.id) !== undefined;
  }

  /** A group became durable: its events are copied here, if the takers keep up. */
  publish(group: DurableGroup): void {
    const { segment, offset, next } = group;
    const cursor = this.#cursor;
    const atTail =
      cursor === undefined ||
      (cursor.segment === segment && cursor.position.offset === offset) ||
      (offset === firstGroupOffset && this.#isAtEndBefore(segment));
    if (!this.#started || !atTail || this.#loading !== undefined) return;
    // A group that is larger by itself is read from the disk: a copy of a gigabyte is a gigabyte.
    if (this.#loadedBytes + group.bytes.length > tailBytesMax) return;
    this.#cursor = { segment, position: next };
    if (this.#reading !== undefined) void this.#closeReading();
    if (group.built.events === 0) return;
    const payloads = new PayloadReader(this.#options.storage, segment);
    for (const { header, payloadAt } of group.built.frames) {
      if (header.type !== FrameType.put) continue;
      const stored = this.#keep(group.bytes, payloadAt, header.storedBytes);
      const frame = openFrame(header, stored, payloads);
      if (frame !== undefined) this.#push(frame);
    }
  }

  /** A copy in a slab: many small groups share one, and the log uses its aligned buffers again at once. */
  #keep(source: Buffer, from: number, bytes: number): Buffer {
    if (this.#slabEnd + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
      this.#slabEnd = 0;
    }
    const copy = this.#slab.subarray(this.#slabEnd, this.#slabEnd + bytes);
    source.copy(copy, 0, from, from + bytes);
    this.#slabEnd += bytes;
    return copy;
  }

  /** Reads on until enough is in memory or the end of the log is reached. Concurrent calls share one reading. */
  load(): Promise<void> {
    if (this.#loading === undefined) {
      this.#loading = this.#load().finally(() => {
        this.#loading = undefined;
      });
      // Who waits for it is told; read ahead, nobody waits.
      this.#loading.catch(() => undefined);
    }
    return this.#loading;
  }

  /** The frames that hold events of `wanted`, from its first on, up to about a window. */
  async revisit(wanted: readonly SequenceRange[]): Promise<LoadedFrame[]> {
    const first = wanted[0];
    const segment = first && this.#options.segments().find((one) => !one.absent && first.first < one.nextSequence);
    if (first === undefined || segment === undefined || first.first < segment.firstSequence) return [];
    const mark = segment.marks.findLast((one) => one.sequence <= first.first);
    const position: ScanPosition =
      mark === undefined
        ? headOf(segment)
        : {
            offset: mark.offset,
            serial: mark.serial,
            previousCrc: undefined,
            generation: 0,
            nextSequence: mark.sequence,
          };
    const open = await this.#open(segment, position, undefined);
    const frames: LoadedFrame[] = [];
    let bytes = 0;
    let at = 0;
    try {
      while (bytes < windowBytes) {
        const step = await open.scanner.next();
        if (step.kind === 'end') break;
        if (step.kind !== 'group') continue;
        addMark(segment, step.group.header);
        for (const frame of readPuts(step.group, open.payloads)) {
          while (at < wanted.length && (wanted[at] as SequenceRange).last < frame.baseSequence) at += 1;
          const range = wanted[at];
          if (range === undefined || range.first >= frame.baseSequence + frame.count) continue;
          frames.push(frame);
          bytes += frame.bytes;
        }
        if (step.group.header.nextSequence > (wanted.at(-1) as SequenceRange).last) break;
      }
    } finally {
      await open.file.close();
    }
    return frames;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#loading;
    await this.#closeReading();
  }

  #isAtEndBefore(segment: SegmentInfo): boolean {
    const segments = this.#options.segments();
    const before = segments[segments.indexOf(segment) - 1];
    const cursor = this.#cursor;
    if (before === undefined || cursor === undefined) return before === undefined;
    return cursor.segment === before && cursor.position.offset >= before.endOffset;
  }

  /** The first segment behind `id` that is worth reading; the one being written always is. */
  #nextSegment(id: SegmentId): SegmentInfo | undefined {
    const segments = this.#options.segments();
    const last = segments.at(-1);
    return segments.find(
      (one) => one.id > id && !one.absent && (one === last ? one.nextSequence > 1 : this.#options.hasPending(one)),
    );
  }

  #push(frame: LoadedFrame): void {
    this.#pushedTo = frame.baseSequence + frame.count;
    this.#loaded.push(frame);
    this.#loadedBytes += frame.bytes;
  }

  async #load(): Promise<void> {
    while (!this.#closed && this.#loadedBytes < readAheadBytes && this.isBehind) {
      const reading = await this.#readingAtCursor();
      if (reading === undefined) return;
      const step = await reading.scanner.next();
      const { segment } = reading;
      this.#cursor = { segment, position: reading.scanner.position };
      // Drained and recycled meanwhile: what was read means nothing.
      if (!this.#options.segments().includes(segment)) continue;
      if (step.kind === 'group') this.#take(reading, step.group);
      else if (step.kind === 'damage') {
        const ranges = givenBetween(segment, step.lostFrom, step.lostTo);
        const kind = step.unreadable ? 'unreadable' : 'group';
        this.#lost(segment, step.from, step.to - step.from, kind, ranges);
      }
      reading.scanner.window.recycle();
    }
  }

  #take(reading: OpenSegment, group: ReadGroup): void {
    addMark(reading.segment, group.header);
    for (const { offset, bytes, lostFrom, lostTo } of group.bad) {
      const unreadable = reading.scanner.window.isUnreadable(offset, offset + bytes);
      const ranges = givenBetween(reading.segment, lostFrom, lostTo);
      this.#lost(reading.segment, offset, bytes, unreadable ? 'unreadable' : 'frame', ranges);
    }
    const { window } = reading.scanner;
    const own = (payload: Buffer) => (window.lends(payload) ? this.#keep(payload, 0, payload.length) : payload);
    for (const frame of group.frames) {
      if (frame.header.type !== FrameType.put || frame.payload === undefined) continue;
      if (frame.header.baseSequence < this.#pushedTo) continue;
      const loaded = openFrame(frame.header, frame.payload, reading.payloads, own);
      if (loaded !== undefined) this.#push(loaded);
      else {
        const { baseSequence, count, storedBytes } = frame.header;
        const ranges = count > 0 ? [{ first: baseSequence, last: baseSequence + count - 1 }] : [];
        this.#lost(reading.segment, frame.offset, storedBytes, 'frame', ranges);
      }
    }
  }

  #lost(
    segment: SegmentInfo,
    offset: ByteOffset,
    bytes: number,
    kind: DamageKind,
    ranges: readonly SequenceRange[],
  ): void {
    if (ranges.length > 0) this.#options.onLost({ segment, offset, bytes, kind, ranges });
  }

  async #readingAtCursor(): Promise<OpenSegment | undefined> {
    const cursor = this.#cursor;
    const segments = this.#options.segments();
    if (cursor === undefined) {
      this.start();
      return this.#cursor === undefined ? undefined : this.#readingAtCursor();
    }
    const { segment, position } = cursor;
    if (position.offset >= segment.endOffset || !segments.includes(segment)) {
      const next = this.#nextSegment(segment.id);
      if (next === undefined) return undefined;
      this.#cursor = { segment: next, position: headOf(next) };
      await this.#closeReading();
      return this.#readingAtCursor();
    }
    if (this.#reading?.segment === segment && this.#reading.scanner.position.offset === position.offset) {
      this.#reading.scanner.extendTo({ offset: segment.endOffset, nextSequence: segment.nextSequence });
      return this.#reading;
    }
    await this.#closeReading();
    this.#reading = await this.#open(segment, position, this.#buffers);
    return this.#reading;
  }

  /** `buffers`: for what is read in order. What was given back may be again, and is read through the cache. */
  async #open(segment: SegmentInfo, position: ScanPosition, buffers: BufferPool | undefined): Promise<OpenSegment> {
    const { disk, clock, storage } = this.#options;
    const pastCache = this.#options.pastCache && buffers !== undefined;
    const file = await openThrough(disk, segment.path, clock, pastCache).catch((cause: unknown) => {
      throw isForebayError(cause) ? cause : unreadable(segment.path, cause);
    });
    const { epoch, recycled, tailEndSequence, resumeSequence, endOffset, nextSequence } = segment;
    const scanner = new SegmentScanner(
      {
        file,
        fileBytes: endOffset,
        epoch,
        recycled,
        clock,
        end: { offset: endOffset, nextSequence },
        tailEndSequence,
        resumeSequence,
        checkPuts: true,
        reading: { windowBytes, chunksAhead: 1, buffers },
      },
      position,
    );
    return { segment, file, scanner, payloads: new PayloadReader(storage, segment) };
  }

  async #closeReading(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.scanner.window.release();
    // Nothing was written to it.
    await reading?.file.close().catch(() => undefined);
  }
}

function unreadable(path: string, cause: unknown): ForebayError {
  const text = `${path} cannot be opened to read (${String(cause)}): nothing is lost; take again when that is mended`;
  return new ForebayError('DIR_UNUSABLE', text, { path, cause });
}

function headOf(segment: SegmentInfo): ScanPosition {
  const { firstSerial, firstSequence } = segment;
  return {
    offset: firstGroupOffset,
    serial: firstSerial,
    previousCrc: undefined,
    generation: 0,
    nextSequence: firstSequence,
  };
}

function readPuts(group: ReadGroup, payloads: PayloadReader): LoadedFrame[] {
  const frames: LoadedFrame[] = [];
  for (const { header, payload } of group.frames) {
    if (header.type !== FrameType.put || payload === undefined) continue;
    const frame = openFrame(header, payload, payloads);
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

/** `own`: gives a plain payload where it may stay. */
function openFrame(
  header: FrameHeader,
  stored: Buffer,
  payloads: PayloadReader,
  own: (payload: Buffer) => Buffer = (payload) => payload,
): LoadedFrame | undefined {
  const restored = payloads.restore(header, stored);
  if (restored === undefined || header.codec !== eventBatchCodec) return undefined;
  const payload = restored === stored ? own(stored) : restored;
  const batch = readEventBatch(payload, header.count);
  if (batch.kind !== 'batch') return undefined;
  return { baseSequence: header.baseSequence, count: header.count, batch, bytes: header.rawBytes };
}
