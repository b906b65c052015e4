/**
 * One file's position in the channels. Each transaction carries the note
 *
 *     taildir/SOURCE/INODE      { file, pos, length, crc, by }
 *
 * and a channel that has it has all lines before `pos`: the processor lets no call pass one that was refused. `length`
 * and `crc` are of the file's beginning, by which a new file with an old inode is known. `by` is new with each life of
 * the agent and whenever a file starts again.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ChannelProcessor, ProcessOptions } from '../../../agent/contracts/components.ts';

/** Note changes of a transaction. */
export type Notes = NonNullable<ProcessOptions['notes']>;

/** What one note says. */
export interface Mark {
  readonly file: string;
  readonly pos: number;
  readonly length: number;
  readonly crc: number;
  readonly by: string;
}

/** Bytes of a file's beginning that tell it from another. */
export const headBytesMax = 256;
/** Of this life. */
const life = randomBytes(6).toString('base64url');
let generations = 0;

/** Where the position of a file is kept. */
export function markKey(source: string, id: string): string {
  return `taildir/${source}/${id}`;
}

/** The mark in one channel; undefined where there is none of ours. */
export function readMark(processor: ChannelProcessor, channel: string, key: string): Mark | undefined {
  const value: unknown = processor.note(channel, key);
  if (typeof value !== 'object' || value === null) return undefined;
  const { file, pos, length, crc, by } = value as { readonly [name: string]: unknown };
  if (typeof file !== 'string' || typeof by !== 'string') return undefined;
  if (![pos, length, crc].every((one) => Number.isSafeInteger(one) && (one as number) >= 0)) return undefined;
  return value as Mark;
}

/** Whether a mark was made for the file that begins with `head`. */
export function isMarkOf(mark: Mark, head: Buffer): boolean {
  return mark.length <= head.length && crc32(head.subarray(0, mark.length)) === mark.crc;
}

/** The notes of one file in this life. */
export class FileNotes {
  readonly id: string;
  readonly #key: string;
  #by = '';
  #settledTo = 0;

  constructor(source: string, id: string, position: number) {
    this.id = id;
    this.#key = markKey(source, id);
    this.restart(position);
  }

  /** All before it is in every channel. */
  get settledTo(): number {
    return this.#settledTo;
  }

  /** The file starts again at `position`; nothing may be in flight. */
  restart(position: number): void {
    generations += 1;
    this.#by = `${life}.${generations}`;
    this.#settledTo = position;
  }

  /** For a transaction with all up to `pos`. `head`: the file's beginning. */
  noteAt(pos: number, file: string, head: Buffer): Notes {
    const known = head.subarray(0, Math.min(pos, headBytesMax));
    return { [this.#key]: { file, pos, length: known.length, crc: crc32(known), by: this.#by } };
  }

  /** Channels that took, in this life, all up to `pos`. Throws where a channel is not open. */
  channelsWith(processor: ChannelProcessor, pos: number): string[] {
    return processor.channels.filter((channel) => {
      const mark = readMark(processor, channel, this.#key);
      return mark !== undefined && mark.by === this.#by && mark.pos >= pos;
    });
  }

  /** It is in every channel. */
  settle(pos: number): void {
    this.#settledTo = Math.max(this.#settledTo, pos);
  }
}
