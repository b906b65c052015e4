/** How a spooled file becomes events: the contract of the deserializers. */
import type { FileHandle } from 'node:fs/promises';
import type { Event, Headers } from '../../../engine.ts';
import { FileProblem } from './file-problem.ts';

/** Events that follow one another in a file. */
export interface FileBatch {
  readonly events: readonly Event[];
  /** Position behind the last of them. */
  readonly to: number;
  /** Nothing of the file is behind `to`. */
  readonly isLast: boolean;
}

/** What a batch must not pass. */
export interface BatchLimits {
  readonly events: number;
  /** A position; an event that goes over it is the last. */
  readonly until: number;
}

/**
 * Reads one file from a position on. A position is a number that grows with each event; what it counts is the
 * deserializer's own affair.
 */
export interface Deserializer {
  /**
   * Undefined at the end of the file.
   *
   * @throws {FileProblem} Where the file cannot be read further; what was before it has been given out.
   */
  read(limits: BatchLimits): Promise<FileBatch | undefined>;
  /** What Flume's own meta file says for a position: a byte offset. */
  flumeOffsetOf(position: number): number;
  /** What the operator should know of the file, once it has been read: undefined where all was well. */
  notice(): string | undefined;
}

/** A file, open at its beginning. */
export interface SpooledFile {
  readonly handle: FileHandle;
  readonly path: string;
  /** As of opening: what is behind is not read. */
  readonly sizeBytes: number;
  /** Of each of its events. */
  readonly headers: Headers;
}

/** One way to read files. */
export interface DeserializerKind {
  open(file: SpooledFile, position: number): Promise<Deserializer>;
  /** The position that Flume's byte offset stands for. */
  positionOf(file: SpooledFile, flumeOffset: number): Promise<number>;
}

/** Of one batch: lines may be huge. */
export const batchBytesMax: number = 2 * 1024 * 1024;

/** Position behind the one event, without a body, that Flume makes of an empty file. */
const emptyFileEnd = 1;

/** Flume makes one event without a body of an empty file. */
export function emptyFile(file: SpooledFile, position: number): Deserializer {
  let at = position;
  return {
    read: async () => {
      if (at >= emptyFileEnd) return undefined;
      at = emptyFileEnd;
      return { events: [{ headers: file.headers, body: Buffer.alloc(0) }], to: at, isLast: true };
    },
    flumeOffsetOf: () => 0,
    notice: () => undefined,
  };
}

/** Exactly these bytes of the file. */
export async function readExactly(file: SpooledFile, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.handle.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) {
      throw new FileProblem(`${file.path} became shorter while it was read: spool only files that nobody writes to`);
    }
    filled += bytesRead;
  }
  return buffer;
}
