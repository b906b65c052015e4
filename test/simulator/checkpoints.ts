/** The simulator's checkpoint store: what it saved survives as the newest, an older one, not, or unreadable. */
import type { OpenCheckpoint } from '../../src/channel/channel-parts.ts';
import type { CheckpointRecord, CheckpointStore } from '../../src/checkpoint/store.ts';

/** What the next life finds. */
export type CheckpointFound = 'newest' | 'older' | 'missing' | 'unreadable';
/** What a life may find of the checkpoints before it. */
export const checkpointsFound: readonly CheckpointFound[] = ['newest', 'older', 'missing', 'unreadable'];

/** All records of one channel that were ever saved durably. */
export class SurvivingCheckpoints {
  #saved: CheckpointRecord[] = [];

  /** How the next life opens its store. `alive`: false once its process is dead; then nothing is saved any more. */
  open(found: CheckpointFound, alive: () => boolean): OpenCheckpoint {
    return async () => {
      await turn();
      if (found === 'unreadable') throw new Error('this checkpoint cannot be read');
      if (found === 'missing') this.#saved = [];
      if (found === 'older') this.#saved.splice(Math.max(0, this.#saved.length - 1 - (this.#saved.length % 3)));
      return { store: this.#store(alive), notice: undefined };
    };
  }

  #store(alive: () => boolean): CheckpointStore {
    return {
      load: async () => this.#saved.at(-1),
      save: async (record) => {
        await turn();
        if (alive()) this.#saved.push({ ...record, state: Buffer.from(record.state) });
      },
      close: async () => undefined,
    };
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
