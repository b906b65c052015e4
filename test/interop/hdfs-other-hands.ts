/** Jobs that put their hands on a writer's files: what they do, and how what they made of the lines is counted. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from './hdfs-case.ts';
import { hdfsBytes, hdfsFiles } from './hdfs-lines.ts';

const user = userInfo().username;
const lookMs = 20;

/** Renames each file that has its final name into another directory, as soon as it is there. As the superuser. */
export class MoverJob {
  readonly #address: string;
  readonly #from: string;
  readonly #to: string;
  #isOver = false;
  readonly #life: Promise<void>;
  moved = 0;

  private constructor(address: string, from: string, to: string) {
    [this.#address, this.#from, this.#to] = [address, from, to];
    this.#life = this.#run();
    // Awaited by `end`.
    this.#life.catch(() => undefined);
  }

  static async start(address: string, from: string, to: string): Promise<MoverJob> {
    await operate(address, 'PUT', to, 'MKDIRS');
    return new MoverJob(address, from, to);
  }

  /** Resolves when nothing is left that it would move. */
  async hasAll(): Promise<void> {
    while ((await this.#finals()).length > 0) await sleep(lookMs);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#life;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      for (const name of await this.#finals()) {
        const to = `&destination=${this.#to}/${basename(name)}`;
        if (await operate(this.#address, 'PUT', `${this.#from}/${name}`, `RENAME${to}`)) this.moved += 1;
      }
      await sleep(lookMs);
    }
  }

  async #finals(): Promise<readonly string[]> {
    return [...(await hdfsFiles(this.#address, this.#from)).keys()].filter(isFinal);
  }
}

/** Removes all files in use, as clean-up jobs do by their suffix. @returns how many. */
export async function removeTemporary(address: string, directory: string): Promise<number> {
  const names = [...(await hdfsFiles(address, directory)).keys()].filter((name) => name.endsWith('.tmp'));
  const gone = await Promise.all(names.map((name) => operate(address, 'DELETE', `${directory}/${name}`, 'DELETE')));
  return gone.filter(Boolean).length;
}

async function operate(address: string, method: string, path: string, operation: string): Promise<boolean> {
  const answer = await fetch(`http://${address}/webhdfs/v1${path}?op=${operation}&user.name=${user}`, { method });
  assert.equal(answer.status, 200, `${operation} ${path}`);
  return ((await answer.json()) as { readonly boolean: boolean }).boolean;
}

/** How often each line is in the files of some directories; lines are known by their digests. */
export async function countLines(
  address: string,
  directories: readonly string[],
): Promise<{ readonly lines: number; readonly different: number }> {
  const seen = new Set<string>();
  let lines = 0;
  for (const directory of directories) {
    for (const name of (await hdfsFiles(address, directory)).keys()) {
      const text = (await hdfsBytes(address, `${directory}/${name}`)).toString('latin1');
      for (const line of text.split('\n').slice(0, -1)) {
        lines += 1;
        seen.add(createHash('md5').update(line).digest('base64'));
      }
    }
  }
  return { lines, different: seen.size };
}
