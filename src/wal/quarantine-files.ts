/** Keeps what does not hold: copies of damaged bytes in `quarantine/` of the segment's directory, with a report. */
import { dirname, join } from 'node:path';
import { alignUp } from '../base/bytes.ts';
import { type Disk, pageBytes } from '../base/disk.ts';
import { mib } from '../base/units.ts';
import type { Damage } from './damage.ts';

/** More of one damage is not copied: it stays in its segment. */
const copyBytesMax: number = 64 * mib;

/**
 * Copies the damaged bytes beside a JSON report. False where that was not possible (no room, unreadable bytes, an
 * extent unknown or too long): then only the segment holds them. Never rejects.
 */
export async function keepDamagedBytes(disk: Disk, damage: Damage): Promise<boolean> {
  if (damage.bytes <= 0 || damage.bytes > copyBytesMax) return false;
  const directory = join(dirname(damage.path), 'quarantine');
  const name = `${damage.path.slice(dirname(damage.path).length + 1).replace(/\.seg$/, '')}-${damage.offset}`;
  try {
    await disk.makeDirectory(directory);
    const bytes = Buffer.alloc(damage.bytes);
    const source = await disk.open(damage.path, { mode: 'read' });
    const read = await source.read(bytes, damage.offset).finally(() => source.close());
    await writeWhole(disk, join(directory, `${name}.bin`), bytes.subarray(0, read));
    await writeWhole(disk, join(directory, `${name}.json`), Buffer.from(`${JSON.stringify(damage, null, 2)}\n`));
    await disk.syncDirectory(directory);
    return read === damage.bytes;
  } catch {
    return false;
  }
}

async function writeWhole(disk: Disk, path: string, bytes: Buffer): Promise<void> {
  if ((await disk.entry(path)) !== undefined) return;
  const file = await disk.open(path, { mode: 'create' });
  try {
    const padded = Buffer.alloc(alignUp(bytes.length, pageBytes));
    bytes.copy(padded);
    await file.write(padded, 0);
    await file.truncate(bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
}
