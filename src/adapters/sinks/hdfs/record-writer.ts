/**
 * Events as the bytes of one file: what `hdfs.fileType`, `hdfs.codeC`, `hdfs.writeFormat` and the serializer come to.
 * Knows nothing of files. What each flush gives is whole: behind it a file can end, be cut, or be gone on with.
 */
import type { Undeliverable } from '../../../agent/contracts/components.ts';
import type { DeliveredEvent } from '../../../engine.ts';

/** The bytes of one file, made of one event after the other. */
export interface RecordWriter {
  /** What a new file starts with; one that is gone on with has it already. */
  header(): Buffer;
  /** Takes events in, their bytes copied; gives back those that no file of this kind can hold. */
  add(events: readonly DeliveredEvent[]): readonly Undeliverable[];
  /** Of what was added and not flushed, before compression. */
  readonly waitingBytes: number;
  /** All that was added since the last flush; empty for nothing. One call at a time; `add` may go on meanwhile. */
  flush(): Promise<Buffer>;
  /** What a writer needs to go on with this file; undefined where it cannot be gone on with once it was closed. */
  readonly continuation: string | undefined;
}
