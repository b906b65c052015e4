/**
 * Keeps Flume's position file: read at the start, written every so often. A note remembers what was written, so that a
 * file that Flume or an operator has changed since is told from our own.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SourceContext } from '../../../agent/contracts/components.ts';
import { type FilePosition, formatPositions, readPositionFile, writePositionFile } from './position-file.ts';

/** See the head of the file. */
export class PositionKeeper {
  readonly #path: string;
  readonly #context: SourceContext;
  readonly #key: string;
  #written: number | undefined;
  #problem: string | undefined;

  constructor(path: string, context: SourceContext) {
    this.#path = path;
    this.#context = context;
    this.#key = `taildir/${context.name}/position-file`;
  }

  /** The positions by inode that count before any note: those of a file that somebody else wrote. */
  async readForeign(): Promise<ReadonlyMap<string, FilePosition>> {
    await mkdir(dirname(this.#path), { recursive: true });
    const read = await readPositionFile(this.#path);
    if (read === undefined) return new Map();
    this.#written = read.checksum;
    const { processor, log } = this.#context;
    const ours = processor.channels.flatMap((channel) => processor.note(channel, this.#key) ?? []);
    if (ours.includes(read.checksum)) return new Map();
    if (!read.isWhole) log.warn(`${this.#path} is damaged: ${read.positions.length} positions in it are whole`);
    if (read.positions.length > 0) log.info(`${this.#path}: ${read.positions.length} positions are taken over`);
    return new Map(read.positions.map((position) => [position.inode, position]));
  }

  /** Writes them where they have changed. What cannot be written is said once, and tried again the next time. */
  async write(positions: readonly FilePosition[]): Promise<void> {
    const { text, checksum } = formatPositions(positions);
    if (checksum === this.#written) return;
    const either = this.#written === undefined ? [checksum] : [this.#written, checksum];
    try {
      // Before the file: whichever of the two a kill leaves is known for ours.
      await this.#context.processor.process([], { notes: { [this.#key]: either } });
      await writePositionFile(this.#path, text);
      this.#written = checksum;
      this.#problem = undefined;
    } catch (error) {
      const problem = String(error);
      if (problem !== this.#problem) this.#context.log.warn(`${this.#path} cannot be written`, { error });
      this.#problem = problem;
    }
  }
}
