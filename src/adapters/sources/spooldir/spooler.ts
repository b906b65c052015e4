/** One file from its first event to its retirement. */
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SourceContext } from '../../../agent/contracts/components.ts';
import type { Headers } from '../../../engine.ts';
import type { Deserializer, DeserializerKind } from './deserializer.ts';
import type { Feeder } from './feeder.ts';
import { type FileIdentity, identify, isUnchanged } from './file-identity.ts';
import { FileProblem } from './file-problem.ts';
import type { Ledger } from './ledger.ts';
import type { Reading } from './progress.ts';

/** What a spooler works with. */
export interface SpoolerParts {
  readonly context: SourceContext;
  readonly ledger: Ledger;
  readonly feeder: Feeder;
  readonly kind: DeserializerKind;
  readonly headersOf: (path: string) => Headers;
  readonly retire: (path: string) => Promise<void>;
}

/** Where a stop came in mid-file. */
export interface Unfinished {
  readonly reading: Reading;
  readonly deserializer: Deserializer;
}

/** Names of headers that say where an event is from; undefined for one that is not wanted. */
export function fileHeaders(pathKey: string | undefined, nameKey: string | undefined): (path: string) => Headers {
  return (path) => ({
    ...(pathKey === undefined ? {} : { [pathKey]: path }),
    ...(nameKey === undefined ? {} : { [nameKey]: basename(path) }),
  });
}

/**
 * Reads the file and retires it. Undefined when that is done, or the file is gone.
 *
 * @throws {FileProblem}
 */
export async function spool(path: string, parts: SpoolerParts): Promise<Unfinished | undefined> {
  const { context, ledger, feeder, kind } = parts;
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new FileProblem(`${path} cannot be opened: ${error.message}`, { cause: error });
  });
  if (handle === undefined) return undefined;
  let reading: Reading;
  try {
    const now = await identify(path, handle);
    reading = await ledger.readingOf(now, handle);
    const file = { handle, path, sizeBytes: now.sizeBytes, headers: parts.headersOf(path) };
    const deserializer = await kind.open(file, feeder.startOf(reading));
    try {
      const isDone = await feeder.feed(reading, deserializer, () => isAsItWas(now));
      if (!isDone) return { reading, deserializer };
    } finally {
      const notice = deserializer.notice();
      if (notice !== undefined) context.log.warn(notice);
    }
    if (!(await isAsItWas(now))) {
      throw new FileProblem(`${path} was changed after it was read: move files here when they are finished`);
    }
  } catch (error) {
    throw asProblem(path, error);
  } finally {
    await handle.close();
  }
  await parts.retire(path);
  ledger.isOver(reading);
  return undefined;
}

/** An error of the disk concerns the file it was met in. */
function asProblem(path: string, error: unknown): unknown {
  if (error instanceof FileProblem || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  return new FileProblem(`${path} cannot be read: ${String(error)}`, { cause: error });
}

async function isAsItWas(known: FileIdentity): Promise<boolean> {
  try {
    const { ino, size, mtimeMs } = await stat(known.path);
    return ino === known.inode && isUnchanged(known, { sizeBytes: size, mtimeMs });
  } catch {
    return false;
  }
}
