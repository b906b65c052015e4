/** `log-N.meta`: what Flume keeps beside a log file. Of it only the encryption matters: a full replay needs no more. */
import { readFile, stat } from 'node:fs/promises';
import { bytesOf, int32, readDelimited, readMessage } from './protobuf.ts';

/** How a file's records are encrypted. */
export interface LogEncryption {
  readonly cipherProvider: string;
  readonly keyAlias: string;
  /** The initialization vector of each record. */
  readonly parameters: Buffer;
}

/** What a .meta says. */
export interface LogMeta {
  readonly version: number;
  readonly fileId: number;
  readonly encryption: LogEncryption | undefined;
}

const metaBytesMax = 1024 * 1024;
/** In the order in which Flume takes them up after a crash in the middle of a change. */
const suffixes = ['.meta', '.meta.tmp', '.meta.meta.old', '.meta.old'] as const;

/** Of the log file at `path`; undefined where there is none, or an empty one. @throws {Error} naming the file. */
export async function readLogMeta(path: string): Promise<LogMeta | undefined> {
  for (const suffix of suffixes) {
    const file = `${path}${suffix}`;
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) continue;
    if (found.size === 0) return undefined;
    if (found.size > metaBytesMax) throw new Error(`${file} has ${found.size} bytes: it is no .meta of Flume's`);
    const meta = decode(await readFile(file));
    if (meta !== undefined) return meta;
    throw new Error(`${file} is no .meta of Flume's file channel, version 3`);
  }
  return undefined;
}

function decode(bytes: Buffer): LogMeta | undefined {
  const delimited = readDelimited(bytes, 0);
  const message = delimited && readMessage(delimited.message);
  const version = message && int32(message, 1);
  const fileId = message && int32(message, 2);
  if (message === undefined || version === undefined || fileId === undefined) return undefined;
  const stored = bytesOf(message, 5);
  if (stored === undefined) return { version, fileId, encryption: undefined };
  const fields = readMessage(stored);
  const cipherProvider = fields && bytesOf(fields, 1)?.toString();
  const keyAlias = fields && bytesOf(fields, 2)?.toString();
  const parameters = fields && bytesOf(fields, 3);
  if (cipherProvider === undefined || keyAlias === undefined || parameters === undefined) return undefined;
  return { version, fileId, encryption: { cipherProvider, keyAlias, parameters: Buffer.from(parameters) } };
}
