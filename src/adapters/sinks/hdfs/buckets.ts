/** The buckets of a sink, those used last at the end: which file events go to, when it is full, and when it failed. */
import { basename, dirname } from 'node:path/posix';
import type { Log, Undeliverable } from '../../../agent/contracts/components.ts';
import type { DeliveredEvent, SequenceRange } from '../../../engine.ts';
import { Bucket, bucketKey } from './bucket.ts';
import { FileLostError, NotYetError } from './fence.ts';
import type { BucketPath } from './file-names.ts';
import type { SuspendedNote } from './file-note.ts';
import { isFailure, isOver } from './file-system.ts';
import type { Prepared } from './naming.ts';
import { type FileFailure, type FileParts, OpenFile } from './open-file.ts';
import { decide, type FailedFacts, failedRows } from './protocol-table.ts';
import type { Settlements } from './settlements.ts';
import type { Tasks } from './tasks.ts';
import { hasOwnName, type KeyedNote } from './written-file.ts';

/** What a table of buckets is made with. */
export interface BucketsParts {
  readonly files: Omit<FileParts, 'onSafe' | 'onPrepared' | 'onSafeEnd' | 'onFailed' | 'canAppend'>;
  readonly settlements: Settlements;
  readonly tasks: Tasks;
  readonly log: Log;
  /** When another file is begun; 0 or less: never. */
  readonly rollCount: number;
  readonly rollBytes: number;
}

/** A block is recovered in a few seconds; whoever has died is waited for by HDFS for a minute. */
const waitsMax = 4;

/** See the file's comment. */
export class Buckets {
  readonly #parts: BucketsParts;
  readonly #fileParts: FileParts;
  readonly #table = new Map<string, Bucket>();
  #last: Bucket | undefined;
  #canAppend = true;

  constructor(parts: BucketsParts) {
    this.#parts = parts;
    this.#fileParts = {
      ...parts.files,
      canAppend: () => this.#canAppend,
      onSafe: ({ path }) => this.#table.get(bucketKey(path))?.worked(),
      onPrepared: (prepared: Prepared) => parts.settlements.settle(prepared),
      onSafeEnd: (note) => parts.settlements.finish(note),
      onFailed: (file, failure) => this.#failed(file, failure),
    };
  }

  /** The one that was used longest ago first. */
  get all(): Iterable<Bucket> {
    return this.#table.values();
  }

  get size(): number {
    return this.#table.size;
  }

  /** The bucket of a path, which counts as used now. */
  at(path: BucketPath): Bucket {
    const last = this.#last;
    if (last?.path === path) return last;
    if (last !== undefined && last.path.directory === path.directory && last.path.prefix === path.prefix) return last;
    const key = bucketKey(path);
    const bucket = this.#table.get(key) ?? new Bucket(path, this.#parts.files.load);
    bucket.path = path;
    this.#table.delete(key);
    this.#table.set(key, bucket);
    this.#last = bucket;
    return bucket;
  }

  /** Goes on with a file of an earlier life when an event for it comes. False where its bucket has one already. */
  adopt(note: KeyedNote<SuspendedNote>): boolean {
    const { bucket: key } = note.value;
    if (this.#table.get(key)?.file !== undefined) return false;
    const bucket = this.at({ directory: dirname(key), prefix: basename(key) });
    bucket.file = new OpenFile(this.#fileParts, bucket.path, { continued: note });
    bucket.isNew = false;
    return true;
  }

  /** Gives events to the bucket's file, and to the next one where it is full. Gives back those no file can hold. */
  write(bucket: Bucket, events: readonly DeliveredEvent[]): readonly Undeliverable[] {
    const refused: Undeliverable[] = [];
    for (let from = 0; from < events.length; ) {
      if (bucket.file !== undefined && this.#isFull(bucket.file.events, bucket.file.bodyBytes)) this.#end(bucket);
      bucket.file ??= new OpenFile(this.#fileParts, bucket.path, { isFirst: bucket.isNew });
      bucket.isNew = false;
      const to = this.#fits(bucket.file, events, from);
      const some = from === 0 && to === events.length ? events : events.slice(from, to);
      for (const one of bucket.file.add(some)) refused.push(one);
      from = to;
    }
    return refused;
  }

  /** Ends the bucket's file in the background, and forgets the bucket where nothing else is known of it. */
  close(bucket: Bucket): void {
    this.#end(bucket);
    this.forget(bucket);
  }

  forget(bucket: Bucket): void {
    if (!bucket.isIdle) return;
    this.#table.delete(bucket.key);
    if (this.#last === bucket) this.#last = undefined;
  }

  /** Takes those set aside out of all failing buckets, or of those whose time has come. */
  takeAside(nowMs: number | undefined): SequenceRange[] {
    const ranges: SequenceRange[] = [];
    for (const bucket of [...this.#table.values()]) {
      if (!bucket.hasAside || (nowMs !== undefined && bucket.isFailing(nowMs))) continue;
      for (const range of bucket.takeAside()) ranges.push(range);
    }
    return ranges.sort((one, other) => one.first - other.first);
  }

  #end(bucket: Bucket): void {
    const { file } = bucket;
    bucket.file = undefined;
    if (file !== undefined) this.#parts.tasks.add(() => file.close());
  }

  /** How far events from `from` on go into this file: one at least. */
  #fits(file: OpenFile, events: readonly DeliveredEvent[], from: number): number {
    let { events: count, bodyBytes } = file;
    let to = from;
    do {
      count += 1;
      bodyBytes += events[to]?.body.length ?? 0;
      to += 1;
    } while (to < events.length && !this.#isFull(count, bodyBytes));
    return to;
  }

  #isFull(events: number, bodyBytes: number): boolean {
    const { rollCount, rollBytes } = this.#parts;
    return (rollCount > 0 && events >= rollCount) || (rollBytes > 0 && bodyBytes >= rollBytes);
  }

  #failed(file: OpenFile, { error, events, bodyBytes, note }: FileFailure): void {
    const { files, log } = this.#parts;
    const { directory, prefix } = file.path;
    const fields = { path: `${directory}/${prefix}`, events: events.eventCount, error };
    log.warn('a file cannot be written: its events that are not acknowledged come again', fields);
    files.count('EventWriteFail');
    const bucket = this.#table.get(bucketKey(file.path)) ?? this.at(file.path);
    bucket.failed(error, events, bodyBytes, files.clock.monotonicMs());
    const isCurrent = bucket.file === file;
    if (isCurrent) bucket.file = undefined;
    const isLong = error instanceof NotYetError && bucket.failures >= waitsMax;
    this.#settle(file.path, isLong ? 'held' : whyOf(error), error, note, isCurrent);
  }

  /** Does with a file that failed what the table says. */
  #settle(
    path: BucketPath,
    why: FailedFacts['why'],
    error: Error,
    note: FileFailure['note'],
    isCurrent: boolean,
  ): void {
    const { settlements, files } = this.#parts;
    if (why === 'unsupported') this.#cannotAppend(path);
    if (note === undefined || note.value.state === 'prepared') return;
    const { key, value } = note;
    const name = hasOwnName(files.fileSystem, value) ? 'own' : 'shared';
    const action = decide(failedRows, { note: value.state, why, name, bucket: isCurrent ? 'goesOn' : 'isOver' });
    if (value.state === 'begun') {
      if (action === 'forget') settlements.forget(note);
      else settlements.discard({ key, value }, isOver(error) ? 'impossible' : 'possible');
      return;
    }
    const safe = { key, value };
    if (action === 'lost') settlements.lost(safe);
    else if (action === 'finish') settlements.finish(safe);
    else this.at(path).file = new OpenFile(this.#fileParts, path, { continued: safe });
  }

  #cannotAppend({ directory, prefix }: BucketPath): void {
    if (!this.#canAppend) return;
    this.#canAppend = false;
    const text = 'HDFS cannot go on with files here, as with erasure-coded ones: those that hold too much end early';
    this.#parts.log.warn(text, { path: `${directory}/${prefix}` });
  }
}

function whyOf(error: Error): FailedFacts['why'] {
  if (error instanceof FileLostError) return 'lost';
  if (isFailure(error, 'exists')) return 'exists';
  return isFailure(error, 'unsupported') ? 'unsupported' : 'other';
}
