/**
 * A checkpoint store that lives in memory: for channels that want no native add-on, for benchmarks and for the
 * simulator. It outlasts `close`, so that a simulator can hand it to the channel's next life.
 */
import type { Sequence } from '../base/units.ts';
import type { CheckpointRecord, CheckpointStore, IndexEntry } from './store.ts';

/** A fresh, empty store. `findByTime` looks at every entry: a group of about 256 KiB of log each. */
export function memoryCheckpointStore(): CheckpointStore {
  let saved: CheckpointRecord | undefined;
  /** Ascending by sequence. */
  let entries: IndexEntry[] = [];

  return {
    async load() {
      return saved;
    },
    async save(record, index, indexFrom) {
      saved = { ...record, state: Buffer.from(record.state) };
      for (const entry of index) {
        const at = countUpTo(entries, entry.sequence);
        const replaces = at > 0 && entries[at - 1]?.sequence === entry.sequence;
        entries.splice(replaces ? at - 1 : at, replaces ? 1 : 0, { ...entry });
      }
      entries = entries.slice(countUpTo(entries, indexFrom - 1));
    },
    async findBySequence(sequence) {
      return entries[countUpTo(entries, sequence) - 1];
    },
    async findByTime(timeMs) {
      let best: IndexEntry | undefined;
      for (const entry of entries) {
        if (entry.timeMs <= timeMs && (best === undefined || entry.timeMs > best.timeMs)) best = entry;
      }
      return best;
    },
    async close() {
      // What is in memory needs no closing.
    },
  };
}

/** How many of `entries` have a sequence ≤ `sequence`. */
function countUpTo(entries: readonly IndexEntry[], sequence: Sequence): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && entry.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
