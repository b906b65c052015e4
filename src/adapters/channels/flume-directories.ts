/**
 * Looks for Apache Flume's own files where a channel is to be: the events in them are not lost sight of by starting an
 * empty channel beside them.
 */
import { readdir } from 'node:fs/promises';
import { ForebayError } from '../../engine.ts';

/** In the directories of a channel of ours: then it was there first, or was brought over. */
const ownName = 'channel.json';
const flumeLog = /^log-\d+$/;
/** Only Flume writes both. */
const flumeCheckpoint = ['checkpoint', 'checkpoint.meta'];

/** @throws {ForebayError} NOT_A_CHANNEL, where one of them holds what Flume's file channel wrote. */
export async function refuseFlumeFiles(dataDirs: readonly string[], checkpointDir: string): Promise<void> {
  for (const path of dataDirs) {
    const names = await namesIn(path);
    const found = names.includes(ownName) ? undefined : names.find((name) => flumeLog.test(name));
    if (found !== undefined) throw refusal(path, found);
  }
  const names = await namesIn(checkpointDir);
  if (!names.includes(ownName) && flumeCheckpoint.every((name) => names.includes(name))) {
    throw refusal(checkpointDir, 'checkpoint.meta');
  }
}

/** What cannot be read is the engine's to refuse, in its own words. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch {
    return [];
  }
}

function refusal(path: string, found: string): ForebayError {
  return new ForebayError(
    'NOT_A_CHANNEL',
    `${path} holds '${found}' of Apache Flume's file channel: import it into a new directory, with ` +
      '`forebay channel import-flume NEWDIR --data-dirs …`, and name that in dataDirs and checkpointDir; or let ' +
      'Flume deliver what is in it first',
    { path, actual: found },
  );
}
