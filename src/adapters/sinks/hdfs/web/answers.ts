/** What the NameNode's JSON says, believed no further than it can be checked. */
import type { FileStatus } from '../file-system.ts';
import { HdfsError } from './hdfs-error.ts';
import { nonsenseError, quoted, type SmallAnswer } from './remote-exception.ts';

/** `{"boolean":true}`. */
export function booleanIn({ text, status }: SmallAnswer, from: string): boolean {
  const { boolean } = objectIn(text);
  if (typeof boolean === 'boolean') return boolean;
  throw nonsenseError(`answers '${quoted(text)}' where true or false is due`, from, status);
}

/** What `GETFILESTATUS` says of more than a file's content. */
export interface DetailedStatus extends FileStatus {
  readonly owner: string;
  readonly group: string;
  /** `755`. */
  readonly permission: string;
}

/** `{"FileStatus":{…}}`. */
export function statusIn({ text, status }: SmallAnswer, from: string): DetailedStatus {
  const { FileStatus: found } = objectIn(text);
  const { fileId, type, length, owner, group, permission } = (found ?? {}) as Readonly<Record<string, unknown>>;
  const kind = type === 'DIRECTORY' ? 'directory' : 'file';
  const isKnownType = type === 'DIRECTORY' || type === 'FILE' || type === 'SYMLINK';
  if (!isKnownType || !isCount(length)) {
    throw nonsenseError(`answers '${quoted(text)}' where a file's status is due`, from, status);
  }
  if (!isCount(fileId) || fileId === 0) {
    const sentence = `${from} gives no fileId: HDFS, or HttpFS before it, is too old, or is none`;
    throw new HdfsError('unsupported', sentence, { status });
  }
  const words = { owner: textOr(owner), group: textOr(group), permission: textOr(permission) };
  return { fileId: `${fileId}`, kind, lengthBytes: length, ...words };
}

/** `{"Path":"/user/alice"}`: where the user whom HDFS takes us for is at home. */
export function homeIn({ text, status }: SmallAnswer, from: string): string {
  const { Path } = objectIn(text);
  if (typeof Path === 'string' && Path.startsWith('/')) return quoted(Path);
  throw nonsenseError(`answers '${quoted(text)}' where a path is due`, from, status);
}

/** `{"BlockLocations":{"BlockLocation":[{"names":["10.0.0.1:9866"],…}]}}`. */
export function leastReplicasIn({ text, status }: SmallAnswer, from: string): number {
  const { BlockLocations: found } = objectIn(text);
  const blocks: unknown = ((found ?? {}) as Readonly<Record<string, unknown>>)['BlockLocation'];
  const counts = (Array.isArray(blocks) ? blocks : [undefined]).map((block: unknown) => {
    const { names } = (block ?? {}) as Readonly<Record<string, unknown>>;
    if (Array.isArray(names)) return names.length;
    throw nonsenseError(`answers '${quoted(text)}' where a file's blocks are due`, from, status);
  });
  return Math.min(...counts, Number.POSITIVE_INFINITY);
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : '';
}
