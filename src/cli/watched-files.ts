/** Whether files were changed since the last look. */
import { statSync } from 'node:fs';

/** See above. A file that is away counts as unchanged: it is being replaced, or it is missed at the next look. */
export class WatchedFiles {
  readonly #paths: readonly string[];
  readonly #seen: Map<string, string> = new Map();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.changed();
  }

  /** True where one of them is another than at the last call. */
  changed(): boolean {
    let hasChanged = false;
    for (const path of this.#paths) {
      const now = stateOf(path);
      if (now === undefined || now === this.#seen.get(path)) continue;
      hasChanged = true;
      this.#seen.set(path, now);
    }
    return hasChanged;
  }
}

function stateOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? undefined : `${found.ino} ${found.mtimeNs} ${found.size}`;
}
