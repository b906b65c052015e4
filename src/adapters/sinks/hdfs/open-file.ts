/**
 * One file that events go to. Its events stay leased, or are acknowledged up to a length that is noted in the same
 * frame: a *stretch*. Behind that length nothing counts, so a file that fails is cut to it, or deleted where there is
 * none, and its other events come again. What is done with the file is done one thing after the other.
 */
import type { Undeliverable } from '../../../agent/contracts/components.ts';
import type { Clock, DeliveredEvent } from '../../../engine.ts';
import type { BucketPath } from './file-names.ts';
import type { PreparedNote, SuspendedNote } from './file-note.ts';
import type { FileStatus } from './file-system.ts';
import type { Limit } from './limit.ts';
import type { Prepared } from './naming.ts';
import { PinnedEvents } from './pinned-events.ts';
import type { RangeList } from './range-list.ts';
import type { RecordWriter } from './record-writer.ts';
import { type KeyedNote, type WriteParts, WrittenFile } from './written-file.ts';

/** What became of a file that failed. */
export interface FileFailure {
  readonly error: Error;
  /** Those that are not acknowledged. Still leased. */
  readonly events: RangeList;
  /** Of their bodies. */
  readonly bodyBytes: number;
  /** The file's, where it has one. */
  readonly note: KeyedNote | undefined;
}

/** What all files of a sink have in common. */
export interface FileParts extends WriteParts {
  readonly limit: Limit;
  readonly clock: Clock;
  /** What the files are made of: one of another style is not gone on with. */
  readonly style: string;
  readonly makeWriter: (continuation?: string) => RecordWriter;
  /** Whether the far side lets files be gone on with, as far as is known. */
  readonly canAppend: () => boolean;
  /** Its events are safe so far, or it is finished. */
  readonly onSafe: (file: OpenFile) => void;
  /** It is finished: it has to get its name. */
  readonly onPrepared: (prepared: Prepared) => void;
  /** It is safe as far as its note says, holds nothing else, and has to be ended there. */
  readonly onSafeEnd: (note: KeyedNote<SuspendedNote>) => void;
  readonly onFailed: (file: OpenFile, failure: FileFailure) => void;
}

/** See the file's comment. */
export class OpenFile {
  readonly path: BucketPath;
  /** Monotonic. */
  readonly beganAtMs: number;
  lastEventAtMs: number;
  /** When bytes went to its stream, or it had none. Monotonic. */
  lastWriteAtMs: number;
  /** When the oldest event came that no stretch has in it, monotonic. */
  pinnedSinceMs: number | undefined;
  /** Of all its events. */
  events: number;
  bodyBytes: number;
  readonly #parts: FileParts;
  readonly #writer: RecordWriter;
  readonly #file: WrittenFile;
  readonly #beganWallMs: number;
  readonly #pinned: PinnedEvents;
  /** What of this file `load.waitingBytes` counts, and what of it is on its way. */
  #countedBytes = 0;
  #sendingBytes = 0;
  #isWriteQueued = false;
  #isStretchQueued = false;
  #state: 'open' | 'closing' | 'over' = 'open';
  #tail: Promise<void> = Promise.resolve();

  /**
   * A new file, or with `continued` one that an earlier writer left. `isFirst`: of its bucket. Its name then has the
   * time in it; those behind it count on, as Flume's.
   */
  constructor(
    parts: FileParts,
    path: BucketPath,
    { continued, isFirst = false }: { continued?: KeyedNote<SuspendedNote>; isFirst?: boolean },
  ) {
    const note = continued?.value;
    const wallMs = parts.clock.wallMs();
    this.#parts = parts;
    this.path = path;
    this.#pinned = new PinnedEvents(parts.load);
    this.#writer = parts.makeWriter(note?.continuation);
    this.#beganWallMs = note?.begunAtMs ?? wallMs;
    const countsFrom = isFirst ? Math.floor(wallMs) : 0;
    this.#file = new WrittenFile(parts, { writer: this.#writer, countsFrom, note: continued });
    this.lastEventAtMs = parts.clock.monotonicMs();
    this.lastWriteAtMs = this.lastEventAtMs;
    this.beganAtMs = this.lastEventAtMs - Math.max(0, wallMs - this.#beganWallMs);
    this.events = note?.events ?? 0;
    this.bodyBytes = note?.bodyBytes ?? 0;
  }

  get hasStream(): boolean {
    return this.#file.hasStream;
  }

  /** Of what no stretch has in it. */
  get pinnedRanges(): number {
    return this.#pinned.rangeCount;
  }

  /** Of what no stretch has in it. */
  get pinnedBytes(): number {
    return this.#pinned.bytes;
  }

  get waitingBytes(): number {
    return this.#writer.waitingBytes;
  }

  /** Whether it can be made safe and gone on with. */
  get canStretch(): boolean {
    return this.#writer.continuation !== undefined && this.#parts.canAppend();
  }

  /** Whether a stretch would change anything, and none is about to. */
  get needsStretch(): boolean {
    return !this.#isStretchQueued && !this.#isUntouched;
  }

  get #isUntouched(): boolean {
    return this.#pinned.eventCount === 0 && !this.#file.hasStream;
  }

  /** Gives back those that no file can hold. */
  add(events: readonly DeliveredEvent[]): readonly Undeliverable[] {
    const refused = this.#writer.add(events);
    const kept = refused.length === 0 ? events : without(events, refused);
    this.bodyBytes += this.#pinned.add(kept);
    this.events += kept.length;
    this.#recount();
    this.lastEventAtMs = this.#parts.clock.monotonicMs();
    if (kept.length > 0) this.pinnedSinceMs ??= this.lastEventAtMs;
    return refused;
  }

  /** Sends what waits, in the background. */
  write(): void {
    if (this.#isWriteQueued || this.#writer.waitingBytes === 0 || this.#pinned.eventCount === 0) return;
    this.#isWriteQueued = true;
    void this.#enqueue(async () => {
      this.#isWriteQueued = false;
      // What was waited for may have sent it: nothing is opened for nothing.
      if (this.#writer.waitingBytes === 0) return;
      await this.#open(false);
      await this.#send();
    });
  }

  /** Makes all events so far safe and acknowledges them, in the background. Only where `canStretch`. */
  stretch(): void {
    this.#isStretchQueued = true;
    this.#file.willEnd();
    void this.#enqueue(() => this.#parts.limit.run(() => this.#stretch()));
  }

  /** Ends the file. Resolves when it is finished but for its name, or has failed. Nothing may be added any more. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#file.willEnd();
      const { load, limit } = this.#parts;
      load.closing += 1;
      await this.#enqueue(() => limit.run(() => this.#close()));
      load.closing -= 1;
      load.lowered();
    }
    await this.#tail;
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      if (this.#state === 'over') return;
      try {
        await job();
      } catch (error) {
        await this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    return this.#tail;
  }

  async #stretch(): Promise<void> {
    if (this.#isUntouched) {
      this.#isStretchQueued = false;
      return;
    }
    const { ledger, style, count, onSafe } = this.#parts;
    const { status, events, bodyBytes } = await this.#finishBytes();
    const note: SuspendedNote = {
      state: 'suspended',
      ...this.#file.named(),
      ...{ fileId: status.fileId, lengthBytes: status.lengthBytes, events, bodyBytes },
      continuation: this.#writer.continuation ?? '',
      style,
      begunAtMs: this.#beganWallMs,
    };
    await ledger.commit(this.#pinned.settling(), this.#file.key, note);
    this.#file.noted(note);
    const { events: settled } = this.#pinned.settled();
    if (settled.eventCount > 0) count('EventDrainSuccessCount', settled.eventCount);
    onSafe(this);
  }

  async #close(): Promise<void> {
    const { ledger, onSafe, onPrepared, onSafeEnd } = this.#parts;
    if (this.#isUntouched) {
      this.#end();
      const { note } = this.#file;
      if (note?.value.state === 'suspended') onSafeEnd({ key: note.key, value: note.value });
      return;
    }
    const { status, events, bodyBytes } = await this.#finishBytes();
    const { key } = this.#file;
    const note: PreparedNote = {
      state: 'prepared',
      ...this.#file.named(),
      ...{ fileId: status.fileId, lengthBytes: status.lengthBytes, events, bodyBytes },
      preparedEvents: this.#pinned.settlingCount,
    };
    let takeId: string | undefined;
    if (note.preparedEvents > 0) takeId = await ledger.prepare(this.#pinned.settling(), key, note);
    else await ledger.note(key, note);
    this.#end();
    onSafe(this);
    onPrepared({ key, note, takeId });
  }

  /** Sends all and ends the stream. The events so far are `#settling` then. */
  async #finishBytes(): Promise<{ status: FileStatus; events: number; bodyBytes: number }> {
    await this.#open(true);
    // From here to the writer's flush at once: what comes meanwhile belongs to the next stretch.
    this.#pinned.beginSettling();
    this.pinnedSinceMs = undefined;
    this.#isStretchQueued = false;
    const { events, bodyBytes } = this;
    await this.#send();
    return { status: await this.#file.end(), events, bodyBytes };
  }

  async #open(isEnding: boolean): Promise<void> {
    if (this.#file.hasStream) {
      if (isEnding) this.#file.willEnd();
      return;
    }
    await this.#file.open(this.path, isEnding);
    this.lastWriteAtMs = this.#parts.clock.monotonicMs();
  }

  async #send(): Promise<void> {
    this.#sendingBytes = this.#writer.waitingBytes;
    try {
      await this.#file.send();
    } finally {
      this.lastWriteAtMs = this.#parts.clock.monotonicMs();
      this.#sendingBytes = 0;
      this.#recount();
    }
  }

  async #fail(error: Error): Promise<void> {
    await this.#file.abort();
    this.#pinned.beginSettling();
    const failed = this.#end();
    const { ledger, onFailed } = this.#parts;
    if (ledger.failure === undefined) onFailed(this, { error, ...failed, note: this.#file.note });
  }

  /** Gives back what was being settled. */
  #end(): { readonly events: RangeList; readonly bodyBytes: number } {
    this.#state = 'over';
    this.#recount();
    return this.#pinned.settled();
  }

  #recount(): void {
    const nowBytes = this.#state === 'over' ? 0 : this.#writer.waitingBytes + this.#sendingBytes;
    const { load } = this.#parts;
    load.waitingBytes += nowBytes - this.#countedBytes;
    const isLess = nowBytes < this.#countedBytes;
    this.#countedBytes = nowBytes;
    if (isLess) load.lowered();
  }
}

function without(events: readonly DeliveredEvent[], refused: readonly Undeliverable[]): readonly DeliveredEvent[] {
  const sequences = new Set(refused.map(({ event }) => event.sequence));
  return events.filter(({ sequence }) => !sequences.has(sequence));
}
