/**
 * Where a follower stands in one segment: behind the last group that it has read. Only what a later group, or the
 * segment's successor, calls durable is read; a segment that is used again meanwhile is noticed. Log rules 5 and 19.
 */
import type { Clock } from '../../base/clock.ts';
import { type Disk, type DiskFile, pageBytes } from '../../base/disk.ts';
import { ForebayError, systemCode } from '../../base/errors.ts';
import { type ByteOffset, mib, type Sequence } from '../../base/units.ts';
import { ByteWindow } from '../../wal/byte-window.ts';
import { PayloadReader, type PayloadStorage } from '../../wal/frame-payload.ts';
import { groupEnd, type ReadGroup } from '../../wal/group-reader.ts';
import { FrameFlag, type FrameHeader } from '../../wal/segment/frame-header.ts';
import { type GroupHeader, readGroupHeader } from '../../wal/segment/group-header.ts';
import { firstGroupOffset } from '../../wal/segment/segment-header.ts';
import { readFileHeader } from '../../wal/segment-files.ts';
import type { SegmentInfo } from '../../wal/segment-info.ts';
import { type ScanPosition, SegmentScanner } from '../../wal/segment-scanner.ts';
import type { DamageStep } from './segment-walk.ts';

/** Up to here, and up to without this sequence, all is durable. */
export interface DurableEnd {
  readonly offset: ByteOffset;
  readonly nextSequence: Sequence;
}

/** What a place is opened with. */
export interface PlaceContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly storage: PayloadStorage;
}

/** Groups and damage, in order. What groups hold is good for as long as it is kept. */
export type FollowedStep = { readonly kind: 'group'; readonly group: ReadGroup } | DamageStep;

/** Nothing that fits stands between two groups that are durable. */
export interface FoundDamage {
  readonly before: DurableEnd;
  readonly step: DamageStep;
  readonly behind: ScanPosition;
}

/** Read at once, before it is looked at whether the segment is still the same. */
const batchBytes: number = mib;

/** See above. One caller at a time. */
export class FollowPlace {
  readonly segment: SegmentInfo;
  readonly #payloads: PayloadReader;
  readonly #storage: PayloadStorage;
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #page: Buffer = Buffer.alloc(pageBytes);
  #scanner: SegmentScanner;

  private constructor(segment: SegmentInfo, file: DiskFile, { clock, storage }: PlaceContext) {
    this.segment = segment;
    this.#storage = storage;
    this.#payloads = new PayloadReader(storage, segment);
    this.#file = file;
    this.#clock = clock;
    const { endOffset, endSerial, nextSequence, firstSequence, tailEndSequence, resumeSequence } = segment;
    const behind = nextSequence === tailEndSequence ? resumeSequence : nextSequence;
    const next = endOffset === firstGroupOffset ? firstSequence : behind;
    const start = { serial: endSerial + 1, previousCrc: undefined, generation: 0, nextSequence: next };
    const end = { offset: endOffset, nextSequence };
    this.#scanner = this.#scan({ offset: endOffset, ...start }, endOffset, end);
  }

  /** Behind what the record counts. Undefined where the segment is there no more. */
  static async open(segment: SegmentInfo, context: PlaceContext): Promise<FollowPlace | undefined> {
    if (segment.absent) return undefined;
    let file: DiskFile;
    try {
      file = await context.disk.open(segment.path, { mode: 'read' });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const place = new FollowPlace(segment, file, context);
    if (await place.isStill()) return place;
    await place.close();
    return undefined;
  }

  /** Behind the last group that a later one of this segment proves; undefined where none is new. */
  async provenEnd(): Promise<DurableEnd | undefined> {
    const { position } = this.#scanner;
    const bytes = await this.#file.read(this.#page, position.offset).catch(() => 0);
    if (this.#headerIn(this.#page.subarray(0, bytes), position) === undefined) return undefined;
    // One read for many small groups.
    const window = new ByteWindow(this.#file, await this.#file.bytes(), this.#clock);
    const waiting: (DurableEnd & { readonly serial: number })[] = [];
    let end: DurableEnd | undefined;
    for (let at: ScanPosition = position; ; ) {
      const header = this.#headerIn(await window.view(at.offset, pageBytes), at);
      if (header === undefined) return end;
      while (waiting[0] !== undefined && waiting[0].serial <= header.provenSerial) end = waiting.shift();
      const behind = header.nextSequence + header.events;
      waiting.push({ offset: groupEnd(header), nextSequence: behind, serial: header.serial });
      at = {
        offset: groupEnd(header),
        serial: header.serial + 1,
        previousCrc: header.crc,
        generation: header.generation,
        nextSequence: this.#scanner.afterSequence(behind),
      };
    }
  }

  /** What comes up to `end`, some at a time, and then nothing; undefined where the segment is used again. */
  async read(end: DurableEnd): Promise<readonly FollowedStep[] | undefined> {
    this.#scanner.extendTo(end);
    const steps: FollowedStep[] = [];
    for (let bytes = 0; bytes < batchBytes; ) {
      const step = await this.#scanner.next();
      if (step.kind === 'end') break;
      steps.push(step);
      bytes += step.kind === 'group' ? step.group.header.bytes : 0;
    }
    if (steps.length === 0) return steps;
    // Its header is written again, durably, before anything else of it is.
    return (await this.isStill()) ? steps : undefined;
  }

  /**
   * Whether nothing comes because what should is damaged: a later group says that it was durable. Reads all of the file
   * that is left.
   */
  async findDamage(): Promise<FoundDamage | undefined> {
    // What was written since the first look is none.
    return (await this.#nextDamage()) === undefined ? undefined : await this.#nextDamage();
  }

  /** Goes on behind damage. */
  goOnAt(position: ScanPosition): void {
    this.#scanner = this.#scan(position, position.offset, position);
  }

  /**
   * The raw payload; undefined where it cannot be restored: damage.
   *
   * @throws {ForebayError} KEY_WRONG where an owner has begun to use a key that is not known.
   */
  restore(header: FrameHeader, stored: Buffer): Buffer | undefined {
    const { path } = this.segment;
    if ((header.flags & FrameFlag.encrypted) !== 0 && !this.#storage.keys.masterKeys.has(header.keyId)) {
      const text = `${path}: the channel is encrypted with key ${header.keyId} by now, which is not given`;
      throw new ForebayError('KEY_WRONG', text, { path, actual: header.keyId });
    }
    return this.#payloads.restore(header, stored);
  }

  /** Whether it is still the segment that it was. Where no header page holds, nobody has begun to use it again. */
  async isStill(): Promise<boolean> {
    const { header } = await readFileHeader(this.#file, this.#clock);
    return header === undefined || header.epoch === this.segment.epoch;
  }

  async close(): Promise<void> {
    // Nothing was written to it.
    await this.#file.close().catch(() => undefined);
  }

  async #nextDamage(): Promise<FoundDamage | undefined> {
    const scanner = this.#scan(this.#scanner.position, await this.#file.bytes(), undefined);
    for (let step = await scanner.next(); step.kind !== 'end'; step = await scanner.next()) {
      if (step.kind !== 'damage') continue;
      return { before: { offset: step.from, nextSequence: step.lostFrom }, step, behind: scanner.position };
    }
    return undefined;
  }

  #scan(position: ScanPosition, fileBytes: number, end: DurableEnd | undefined): SegmentScanner {
    const { epoch, recycled, tailEndSequence, resumeSequence } = this.segment;
    const bounds = { fileBytes, end, tailEndSequence, resumeSequence };
    const options = { file: this.#file, clock: this.#clock, epoch, recycled, checkPuts: true, ...bounds };
    return new SegmentScanner(options, position);
  }

  #headerIn(page: Buffer, { offset, serial, previousCrc, generation, nextSequence }: ScanPosition) {
    const header: GroupHeader | undefined = readGroupHeader(page, 0, this.segment.epoch, offset);
    if (header === undefined || header.serial !== serial || header.nextSequence !== nextSequence) return undefined;
    if (previousCrc !== undefined && header.previousCrc !== previousCrc) return undefined;
    return header.generation >= generation ? header : undefined;
  }
}
