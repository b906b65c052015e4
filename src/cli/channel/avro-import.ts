/**
 * Puts the events of an Avro file into a channel, once. How far it is stands in a note that rides in the same frame as
 * the events: an import that was cut off is gone on with by the next, and a finished one is not done again.
 */
import { basename } from 'node:path';
import { ForebayError, isForebayError } from '../../base/errors.ts';
import type { Channel, NoteValue, PutTransaction } from '../../channel/channel.ts';
import type { Event } from '../../event/event.ts';
import type { AvroEventFile, AvroPosition } from './avro-event-file.ts';
import { counted } from './verb.ts';

/** What came of it, also while it is under way. */
export interface AvroImport {
  /** Put by this run. */
  events: number;
  /** By runs before it that were cut off; or all, where nothing is left to do. */
  eventsBefore: number;
  /** When all of the file had been put before; then this run puts nothing. */
  doneBeforeMs: number | undefined;
}

/** How an import goes. */
export interface AvroImportOptions {
  /** A file that was put before is put once more. */
  readonly isAgain: boolean;
  readonly wallMs: () => number;
  readonly signal: AbortSignal;
  /** After each transaction: where in the file it is. */
  readonly onProgress: (offset: number) => void;
}

const noteKey = 'import/';
const batchEvents = 1000;
const batchBytes = 4 * 1024 * 1024;
/** Notes stand in every segment: files that were done before the latest so many are forgotten. */
const filesRemembered = 200;

interface ImportNote extends AvroPosition {
  readonly events: number;
  readonly isDone: boolean;
  readonly timeMs: number;
}

/**
 * Ends after the transaction under way once `signal` is aborted. `done` says at any time what was put.
 * @throws {ForebayError} As of the file and of a put; what was before it is in the channel.
 */
export async function importAvro(
  file: AvroEventFile,
  channel: Channel,
  done: AvroImport,
  options: AvroImportOptions,
): Promise<void> {
  const key = `${noteKey}${file.identity}`;
  const noted = noteIn(channel.notes.get(key));
  const earlier = noted?.isDone === true && options.isAgain ? undefined : noted;
  if (earlier !== undefined) {
    await checkSame(file, earlier);
    done.eventsBefore = earlier.events;
    if (earlier.isDone && earlier.offset === file.sizeBytes) {
      done.doneBeforeMs = earlier.timeMs;
      return;
    }
  }
  const put = new NotedPut(file, channel, key, earlier ?? { ...file.begin, events: 0 }, options.wallMs);
  const store = async (): Promise<void> => {
    done.events += await put.store(false);
    options.onProgress(put.position.offset);
  };
  try {
    for await (const { event, next } of file.events(put.position)) {
      if (put.add(event, next)) await store();
      if (options.signal.aborted) break;
    }
  } catch (error) {
    // What can be read is put, so that the next run begins at what cannot.
    await store();
    throw error;
  }
  if (options.signal.aborted) await store();
  else done.events += await put.store(true);
}

/** The transactions of an import. */
class NotedPut {
  /** Behind what was added last. */
  position: AvroPosition;
  readonly #file: AvroEventFile;
  readonly #channel: Channel;
  readonly #key: string;
  readonly #wallMs: () => number;
  #total: number;
  #batch: PutTransaction | undefined;
  #events = 0;
  #bytes = 0;

  constructor(
    file: AvroEventFile,
    channel: Channel,
    key: string,
    { offset, record, events }: AvroPosition & { readonly events: number },
    wallMs: () => number,
  ) {
    this.#file = file;
    this.#channel = channel;
    this.#key = key;
    this.position = { offset, record };
    this.#total = events;
    this.#wallMs = wallMs;
  }

  /** True where it is time to store. @throws {ForebayError} Where it is no event that a channel takes. */
  add(event: Event, next: AvroPosition): boolean {
    this.#batch ??= this.#channel.beginPut();
    try {
      this.#batch.put(event);
    } catch (cause) {
      if (!isForebayError(cause)) throw cause;
      const { path } = this.#file;
      const { offset, record } = this.position;
      const text = `${path}: record ${record + 1} of the block at byte ${offset}: ${cause.message}`;
      throw new ForebayError(cause.code, text, { path, offset, cause });
    }
    this.#events += 1;
    this.#bytes += event.body.length;
    this.position = next;
    return this.#events >= batchEvents || this.#bytes >= batchBytes;
  }

  /** Resolves, when durable, to how many events that were. */
  async store(isDone: boolean): Promise<number> {
    const [batch, events] = [this.#batch ?? this.#channel.beginPut(), this.#events];
    if (events === 0 && !isDone) return 0;
    this.#batch = undefined;
    this.#events = 0;
    this.#bytes = 0;
    for (const [key, note] of this.#notes(this.#total + events, isDone)) batch.note(key, note);
    await batch.commit();
    this.#total += events;
    return events;
  }

  #notes(events: number, isDone: boolean): [string, NoteValue | undefined][] {
    const { offset, record } = this.position;
    const note = { name: basename(this.#file.path), offset, record, events, isDone, timeMs: this.#wallMs() };
    const gone = isDone ? forgotten(this.#channel, this.#key) : [];
    return [...gone.map((key): [string, undefined] => [key, undefined]), [this.#key, note]];
  }
}

/** The notes of files that were done long ago, to be deleted. */
function forgotten({ notes }: Channel, current: string): readonly string[] {
  const others = notes.keys().filter((key) => key.startsWith(noteKey) && key !== current);
  if (others.length < filesRemembered) return [];
  const done = others
    .map((key) => ({ key, note: noteIn(notes.get(key)) }))
    .filter(({ note }) => note?.isDone === true)
    .sort((one, other) => (one.note?.timeMs ?? 0) - (other.note?.timeMs ?? 0));
  return done.slice(0, others.length - filesRemembered + 1).map(({ key }) => key);
}

function noteIn(value: NoteValue | undefined): ImportNote | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { offset, record, events, isDone, timeMs } = value as Readonly<Record<string, NoteValue | undefined>>;
  const isWhole = [offset, record, events, timeMs].every((one) => Number.isSafeInteger(one) && Number(one) >= 0);
  if (!isWhole || typeof isDone !== 'boolean') return undefined;
  return { offset: Number(offset), record: Number(record), events: Number(events), isDone, timeMs: Number(timeMs) };
}

/** @throws {ForebayError} DATA_DAMAGED, where the file is another from there on. */
async function checkSame(file: AvroEventFile, { offset, events }: ImportNote): Promise<void> {
  if (await file.isBlockEnd(offset)) return;
  const { path } = file;
  const text =
    `${path} is not as it was when ${counted(events)} events of it were imported: no block ends at byte ${offset}, ` +
    'up to which it was read: put the file back as it was';
  throw new ForebayError('DATA_DAMAGED', text, { path, offset });
}
