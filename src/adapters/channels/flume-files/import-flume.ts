/**
 * Puts what a file channel of Flume's would still deliver into a channel, once. How far it is stands in the same frame
 * as the events: an import that was cut off is gone on with by the next, and a finished one is not done again.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Channel, Event, NoteValue } from '../../../engine.ts';
import type { LogDamage } from './log-file.ts';
import type { FlumeChannelFiles } from './read-flume-channel.ts';

/** What came of it. */
export interface FlumeImport {
  /** Put by this run, and by runs before it that were cut off. */
  readonly events: number;
  readonly eventsBefore: number;
  /** Events that cannot be read, and files that cannot be read on. */
  readonly damages: readonly LogDamage[];
}

/** This import is done, or another one was begun here. */
class ImportRefusedError extends Error {}

const noteKey = 'import-flume';
const batchEvents = 1000;
const batchBytes = 4 * 1024 * 1024;

/**
 * `onProgress` is called after each transaction. Rejects where another import was begun here, or this one was finished:
 * with `isAgain` it only tells what that came to.
 */
export async function importFlume(
  files: Pick<FlumeChannelFiles, 'paths' | 'replayed' | 'events'>,
  channel: Channel,
  onProgress: (done: number, total: number) => void,
  { isAgain = false }: { readonly isAgain?: boolean } = {},
): Promise<FlumeImport> {
  const source = await fingerprintOf(files.paths);
  const noted = channel.notes.get(noteKey);
  const before = doneBefore(noted, source, isAgain);
  if (noted === undefined && channel.stats().counters.put > 0) {
    throw new ImportRefusedError('the channel has events already: name a directory that is not there yet');
  }
  const total = files.replayed.count;
  const damages: LogDamage[] = [...files.replayed.damages];
  let seen = 0;
  let put = before.put;
  let batch: Event[] = [];
  let bytes = 0;
  const store = async (isDone: boolean): Promise<void> => {
    put += batch.length;
    const note = { source, seen, put, isDone };
    await channel.put(batch, { notes: { [noteKey]: note } });
    batch = [];
    bytes = 0;
    onProgress(seen, total);
  };
  for await (const event of files.events()) {
    seen += 1;
    if ('message' in event) damages.push(event);
    if (seen <= before.seen || 'message' in event) continue;
    batch.push(event);
    bytes += event.body.length;
    if (batch.length >= batchEvents || bytes >= batchBytes) await store(false);
  }
  if (!before.isDone) await store(true);
  return { events: put, eventsBefore: before.put, damages };
}

interface DoneBefore {
  readonly seen: number;
  readonly put: number;
  readonly isDone: boolean;
}

function doneBefore(noted: NoteValue | undefined, source: string, isAgain: boolean): DoneBefore {
  if (noted === undefined) return { seen: 0, put: 0, isDone: false };
  const { source: earlier, seen, put, isDone } = noted as Readonly<Record<string, NoteValue | undefined>>;
  if (isDone === true && !isAgain) {
    throw new ImportRefusedError('an import was finished here before: nothing is done twice');
  }
  if (earlier !== source || typeof seen !== 'number' || typeof put !== 'number') {
    const why = 'another import was begun here, or Flume has written to its files since';
    throw new ImportRefusedError(`${why}: remove the new directory, and begin again`);
  }
  return { seen, put, isDone: isDone === true };
}

/** Changes with each start of Flume, and with each record it writes. */
async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    const { size, mtimeMs } = await stat(path);
    hash.update(JSON.stringify([basename(path), size, mtimeMs]));
  }
  return hash.digest('hex').slice(0, 32);
}
