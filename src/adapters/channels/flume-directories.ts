/**
 * Looks for Apache Flume's own files where a channel is to be: the events in them are not lost sight of by starting an
 * empty channel beside them. Nor is a channel started that an import has not moved to its place as a whole.
 */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ChannelContext } from '../../agent/contracts/components.ts';
import { ForebayError } from '../../engine.ts';
import { stagingOf } from './flume-files/in-place-layout.ts';
import { realPlace } from './flume-files/real-place.ts';

/** In the directories of a channel of ours: then it was there first, or was brought over. */
const ownName = 'channel.json';
const flumeLog = /^log-\d+$/;
/** Only Flume writes both. */
const flumeCheckpoint = ['checkpoint', 'checkpoint.meta'];

/** How the channel is called, and where. */
type Named = Pick<ChannelContext, 'name' | 'configuration'>;

/**
 * @throws {ForebayError} NOT_A_CHANNEL, where one of them holds what Flume's file channel wrote, or an import of that
 *   was cut off: with the command to run.
 */
export async function refuseFlumeFiles(
  dataDirs: readonly string[],
  checkpointDir: string,
  named: Named,
): Promise<void> {
  for (const path of [...dataDirs, checkpointDir]) {
    const staging = stagingOf(await realPlace(path));
    if ((await namesIn(staging)) === undefined) continue;
    throw refusal(
      path,
      staging,
      `${staging} is there: an import of Flume's file channel was cut off: finish it`,
      named,
    );
  }
  for (const path of dataDirs) {
    const names = (await namesIn(path)) ?? [];
    const found = names.includes(ownName) ? undefined : names.find((name) => flumeLog.test(name));
    if (found !== undefined) throw refusal(path, found, holding(path, found), named);
  }
  const names = (await namesIn(checkpointDir)) ?? [];
  if (!names.includes(ownName) && flumeCheckpoint.every((name) => names.includes(name))) {
    throw refusal(checkpointDir, 'checkpoint.meta', holding(checkpointDir, 'checkpoint.meta'), named);
  }
}

/** Undefined where there is no such directory. What cannot be read is the engine's to refuse, in its own words. */
async function namesIn(path: string): Promise<string[] | undefined> {
  return await readdir(path).catch(() => undefined);
}

function holding(path: string, found: string): string {
  return `${path} holds '${found}' of Apache Flume's file channel: let Flume deliver what is in it, or import it`;
}

function refusal(path: string, actual: string, what: string, named: Named): ForebayError {
  const text = `${what} with \`${importCommand(named)}\``;
  return new ForebayError('NOT_A_CHANNEL', text, { path, actual });
}

function importCommand({ name, configuration }: Named): string {
  const files = configuration?.files.map((file) => resolve(file)) ?? ['FILE'];
  const place = [...files.flatMap((file) => ['-f', file]), '-n', configuration?.agent ?? 'AGENT', '--channel', name];
  return `forebay channel import-flume ${place.map(quoted).join(' ')} --in-place`;
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
