/**
 * What a sink keeps in its channel about each file that is not finished: a note under `hdfs/<sink>/<number>`.
 *
 *     begun      its temporary name may be made: nothing in the file counts yet. It is deleted after a crash.
 *     suspended  the events in its first `lengthBytes` are acknowledged, in the same frame. It is gone on with.
 *     prepared   it is finished and only lacks its name. Its last events may be prepared in the channel, or are
 *                acknowledged like those before.
 */
import type { NoteValue } from '../../../engine.ts';

interface Named {
  /** `<path>/<prefix>`, of the file's events. */
  readonly bucket: string;
  /** What another final name would end with. */
  readonly suffix: string;
  /** With scheme, as the final one: they hold wherever the configuration leads by now. */
  readonly temporary: string;
  readonly final: string;
}

/** As far as it is safe. */
interface Written {
  readonly fileId: string;
  readonly lengthBytes: number;
  /** Of those bytes. */
  readonly events: number;
  /** Of those events' bodies. */
  readonly bodyBytes: number;
}

/** See the file's comment. */
export interface BegunNote extends Named {
  readonly state: 'begun';
}

/** See the file's comment. */
export interface SuspendedNote extends Named, Written {
  readonly state: 'suspended';
  /** What RecordWriter.continuation gave. */
  readonly continuation: string;
  /** What the file is made of; another one cannot go on with it. */
  readonly style: string;
  /** Wall clock. */
  readonly begunAtMs: number;
  /** Names that the file may have in place of `temporary`, the oldest first: it is being given that one. */
  readonly former?: readonly string[];
}

/** See the file's comment. */
export interface PreparedNote extends Named, Written {
  readonly state: 'prepared';
  /** Of `events`, those that are prepared in the channel. */
  readonly preparedEvents: number;
}

/** Of one file. */
export type FileNote = BegunNote | SuspendedNote | PreparedNote;

type Fields = Readonly<Record<string, NoteValue | undefined>>;

/** As the channel keeps it. */
export function noteValueOf(note: FileNote): NoteValue {
  return { ...note };
}

/** The note of a value; undefined where it is none. */
export function fileNoteOf(value: NoteValue | undefined): FileNote | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = value as Fields;
  const { state, bucket, suffix, temporary, final } = fields;
  if (typeof bucket !== 'string' || typeof suffix !== 'string') return undefined;
  if (typeof temporary !== 'string' || typeof final !== 'string') return undefined;
  const named = { bucket, suffix, temporary, final };
  if (state === 'begun') return { state, ...named };
  const written = writtenOf(fields);
  if (written === undefined) return undefined;
  const { continuation, style, begunAtMs, preparedEvents, former } = fields;
  if (state === 'prepared') {
    return isCount(preparedEvents) ? { state, ...named, ...written, preparedEvents } : undefined;
  }
  if (state !== 'suspended' || typeof continuation !== 'string' || typeof style !== 'string') return undefined;
  if (typeof begunAtMs !== 'number') return undefined;
  const suspended: SuspendedNote = { state, ...named, ...written, continuation, style, begunAtMs };
  if (former === undefined) return suspended;
  return isTexts(former) ? { ...suspended, former } : undefined;
}

function writtenOf({ fileId, lengthBytes, events, bodyBytes }: Fields): Written | undefined {
  if (typeof fileId !== 'string' || !isCount(lengthBytes) || !isCount(events) || !isCount(bodyBytes)) return undefined;
  return { fileId, lengthBytes, events, bodyBytes };
}

function isTexts(value: NoteValue): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isCount(value: NoteValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
