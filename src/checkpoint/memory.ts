/**
 * A checkpoint store that lives in memory: for channels that want no native add-on, for benchmarks and for the
 * simulator. It outlasts `close`, so that a simulator can hand it to the channel's next life.
 */
import type { CheckpointRecord, CheckpointStore } from './store.ts';

/** A fresh, empty store. */
export function memoryCheckpointStore(): CheckpointStore {
  let saved: CheckpointRecord | undefined;
  return {
    async load() {
      return saved;
    },
    async save(record) {
      saved = { ...record, state: Buffer.from(record.state) };
    },
    async close() {
      // What is in memory needs no closing.
    },
  };
}
