/**
 * The real disk and the real checkpoint, announcing when they are in the middle of something: a rotation (from the
 * new segment's file to the recycling of the old ones) or the save of a checkpoint. At a chosen step the child stands
 * still there, so that the kill finds it in exactly that state.
 */
import { basename } from 'node:path';
import type { Disk, DiskFile, OpenOptions } from '../../src/base/disk.ts';
import { diskWith, fileWith } from '../../src/base/disk-with.ts';
import type { CheckpointStore } from '../../src/checkpoint/store.ts';
import { type Hold, report } from './report.ts';

/** Longer than any parent waits before it kills. */
const holdMs = 5000;
const firstGroupOffset = 8192;

/** A rotation's steps: how many there are to stand still at. */
export const rotationSteps = 8;
/** The same of a checkpoint's save. */
export const checkpointSteps = 2;

/** Announces and holds. `live`: false until the life has looked at what it found. */
export class Announcer {
  live = false;
  acks = 0;
  readonly #hold: Hold | undefined;

  constructor(hold: Hold | undefined) {
    this.#hold = hold;
  }

  say(say: 'enter' | 'leave', where: Hold['where']): void {
    if (this.live) report({ say, where });
  }

  async step(where: Hold['where'], step: number): Promise<void> {
    const hold = this.#hold;
    if (!this.live || hold?.where !== where || hold.step !== step || this.acks < hold.afterAcks) return;
    report({ say: 'hold', where });
    await new Promise((resolve) => setTimeout(resolve, holdMs));
  }
}

/** `disk`, announcing rotations. */
export function announcingDisk(disk: Disk, announcer: Announcer): Disk {
  /** By the name of the new segment, while its first group is not there. */
  const starting = new Set<string>();
  const step = (at: number) => announcer.step('rotation', at);

  const wrap = (file: DiskFile): DiskFile =>
    fileWith(file, {
      async write(source, position) {
        const isFirst = position === firstGroupOffset && starting.has(file.path);
        if (isFirst) await step(4);
        await file.write(source, position);
        if (starting.has(file.path) && position === 0) await step(2);
        if (!isFirst) return;
        await step(5);
        starting.delete(file.path);
        announcer.say('leave', 'rotation');
      },
      writeSync(source, position) {
        file.writeSync(source, position);
        if (position === firstGroupOffset && starting.delete(file.path)) announcer.say('leave', 'rotation');
      },
    });

  const isStart = (path: string, { mode }: OpenOptions) =>
    (mode === 'create' && basename(path).startsWith('new-')) ||
    (mode === 'write' && basename(path).startsWith('free-'));

  return diskWith(disk, {
    async open(path, options) {
      if (!announcer.live || !isStart(path, options)) return await disk.open(path, options);
      announcer.say('enter', 'rotation');
      await step(0);
      const file = await disk.open(path, options);
      starting.add(path);
      await step(1);
      return wrap(file);
    },
    async rename(from, to) {
      const recycles = basename(to).startsWith('free-');
      if (recycles) announcer.say('enter', 'rotation');
      if (recycles) await step(6);
      await disk.rename(from, to);
      if (!recycles) await step(3);
      else {
        await step(7);
        announcer.say('leave', 'rotation');
      }
    },
  });
}

/** `disk`, saying that it syncs and doing nothing of the kind. */
export function lyingDisk(disk: Disk): Disk {
  return diskWith(disk, {
    open: async (path, { mode }) => fileWith(await disk.open(path, { mode }), { sync: async () => undefined }),
    syncDirectory: async () => undefined,
  });
}

/** `store`, announcing its saves. */
export function announcingStore(store: CheckpointStore, announcer: Announcer): CheckpointStore {
  return {
    load: () => store.load(),
    async save(record) {
      announcer.say('enter', 'checkpoint');
      await announcer.step('checkpoint', 0);
      await store.save(record);
      await announcer.step('checkpoint', 1);
      announcer.say('leave', 'checkpoint');
    },
    close: () => store.close(),
  };
}
