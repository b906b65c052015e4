/**
 * Reads files as they grow, as soon as the system tells of it, and at the latest every millisecond: how old a line is
 * when it is seen is what the agent took, and a little that the watching takes. That little is measured too, by
 * watching the written file itself.
 */
import { closeSync, type FSWatcher, openSync, readdirSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Arrivals } from './stamped-line.ts';

const readBytes = 1024 * 1024;
const pollMs = 1;

/** Watches the files of one directory from now on. */
export class OutputWatch {
  readonly #directory: string;
  readonly #arrivals: Arrivals;
  readonly #files: Map<string, number> = new Map<string, number>();
  readonly #buffer: Buffer = Buffer.allocUnsafe(readBytes);
  readonly #watcher: FSWatcher;
  readonly #timer: NodeJS.Timeout;

  constructor(directory: string, arrivals: Arrivals) {
    this.#directory = directory;
    this.#arrivals = arrivals;
    this.#watcher = watch(directory, (kind) => {
      if (kind === 'rename') this.#look();
      this.#read();
    });
    this.#look();
    this.#timer = setInterval(() => this.#read(), pollMs);
  }

  close(): void {
    this.#watcher.close();
    clearInterval(this.#timer);
    for (const file of this.#files.values()) closeSync(file);
  }

  #look(): void {
    for (const name of readdirSync(this.#directory)) {
      if (!this.#files.has(name)) this.#files.set(name, openSync(join(this.#directory, name), 'r'));
    }
  }

  #read(): void {
    for (const file of this.#files.values()) {
      const count = readSync(file, this.#buffer, 0, readBytes, null);
      if (count > 0) this.#arrivals.add(this.#buffer.toString('latin1', 0, count), process.hrtime.bigint());
    }
  }
}
