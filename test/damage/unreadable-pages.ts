/** Pages of a simulated disk that cannot be read, and a clock on which nobody waits for the next try. */
import { dirname } from 'node:path';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { pageBytes } from '../../src/base/disk.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import type { Files } from './reference-log.ts';

/** Waits between tries are over at once; other timers keep their time. */
export const hastyClock: Clock = {
  ...systemClock,
  after: (delayMs, call, keepsAlive) => systemClock.after(delayMs <= 2000 ? 0 : delayMs, call, keepsAlive),
};

/** A simulated disk that holds `files`, durably. */
export async function simulatedDiskOf(files: Files): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  for (const [path, bytes] of files) {
    await disk.makeDirectory(dirname(path));
    const file = await disk.open(path, { mode: 'create' });
    if (bytes.length > 0) await file.write(Buffer.from(bytes), 0);
    await file.sync();
    await file.close();
    await disk.syncDirectory(dirname(path));
  }
  return disk;
}

/** Reads that touch the page fail: each, or the next `times`. */
export function failReads(disk: SimulatedDisk, path: string, page: number, times: number): () => void {
  const from = page * pageBytes;
  let left = times;
  return disk.inject({
    at: ({ kind, path: where, position, bytes }) => {
      const hits = kind === 'read' && where === path && position < from + pageBytes && from < position + bytes;
      if (!hits || left === 0) return false;
      left -= 1;
      return true;
    },
    error: 'EIO',
    sticky: true,
  });
}
