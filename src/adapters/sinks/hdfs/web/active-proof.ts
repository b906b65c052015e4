/**
 * Lets a NameNode prove that it is the active one: it has to remove a directory that was just made. One that was paused
 * while another took over goes on answering from what it knew, but ends over whatever it has to write.
 *
 * The directories have the same names whenever this machine looks, so what one life had no time to remove the next one
 * does. Hive, Spark and MapReduce do not see them.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { HdfsError } from './hdfs-error.ts';

/** Both rejects with an HdfsError. */
interface Directories {
  /** One that is there is fine. */
  readonly make: (path: string) => Promise<void>;
  /** False where there was none. */
  readonly remove: (path: string) => Promise<boolean>;
}

const namePrefix = `_forebay-${createHash('sha256').update(hostname()).digest('hex').slice(0, 12)}-`;
/** Another program of this machine may remove it first. */
const triesMax = 3;

/** See the file's comment. Any number at a time. */
export class ActiveProof {
  readonly #directories: Directories;
  /** Numbers of those that are under way. */
  readonly #used = new Set<number>();

  constructor(directories: Directories) {
    this.#directories = directories;
  }

  /** Resolves when it is proven. `directory` is to be there. */
  async prove(directory: string): Promise<void> {
    let number = 0;
    while (this.#used.has(number)) number += 1;
    this.#used.add(number);
    try {
      await this.#prove(`${directory === '/' ? '' : directory}/${namePrefix}${number}`);
    } finally {
      this.#used.delete(number);
    }
  }

  async #prove(path: string): Promise<void> {
    const { make, remove } = this.#directories;
    for (let tries = 1; ; tries += 1) {
      // It may be there, and then nothing had to be written: what proves something is that it is removed.
      await make(path);
      try {
        if (await remove(path)) return;
      } catch (error) {
        if (tries === triesMax || !(error instanceof HdfsError)) throw error;
      }
      if (tries === triesMax) throw new HdfsError('refused', `${path} is removed by others again and again`);
    }
  }
}
