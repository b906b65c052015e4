/** The buckets of a sink, those used last at the end: which file events go to, when it is full, and when it failed. */
import { basename, dirname } from 'node:path/posix';
import type { Log, Undeliverable } from '../../../agent/contracts/components.ts';
import type { DeliveredEvent, SequenceRange } from '../../../engine.ts';
import { Bucket, bucketKey } from './bucket.ts';
import type { BucketPath } from './file-names.ts';
import type { SuspendedNote } from './file-note.ts';
import { type FileFailure, type FileParts, OpenFile } from './open-file.ts';
import type { Prepared, Settlements } from './settlements.ts';
import type { Tasks } from './tasks.ts';
import { FileLostError, type KeyedNote } from './written-file.ts';

/** What a table of buckets is made with. */
export interface BucketsParts {
  readonly files: Omit<FileParts, 'onSafe' | 'onPrepared' | 'onSafeEnd' | 'onFailed'>;
  readonly settlements: Settlements;
  readonly tasks: Tasks;
  readonly log: Log;
  /** When another file is begun; 0 or less: never. */
  readonly rollCount: number;
  readonly rollBytes: number;
}

/** See the file's comment. */
export class Buckets {
  readonly #parts: BucketsParts;
  readonly #fileParts: FileParts;
  readonly #table = new Map<string, Bucket>();
  #last: Bucket | undefined;

  constructor(parts: BucketsParts) {
    this.#parts = parts;
    this.#fileParts = {
      ...parts.files,
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
    const { settlements, files, log } = this.#parts;
    const { directory, prefix } = file.path;
    const fields = { path: `${directory}/${prefix}`, events: events.eventCount, error };
    log.warn('a file cannot be written: its events that are not acknowledged come again', fields);
    files.count('EventWriteFail');
    const bucket = this.#table.get(bucketKey(file.path)) ?? this.at(file.path);
    bucket.failed(error, events, bodyBytes, files.clock.monotonicMs());
    const isCurrent = bucket.file === file;
    if (isCurrent) bucket.file = undefined;
    if (note?.value.state === 'begun') settlements.discard({ key: note.key, value: note.value });
    if (note?.value.state !== 'suspended') return;
    const safe = { key: note.key, value: note.value };
    if (error instanceof FileLostError) settlements.lost(safe);
    else if (isCurrent) bucket.file = new OpenFile(this.#fileParts, bucket.path, { continued: safe });
    else settlements.finish(safe);
  }
}
