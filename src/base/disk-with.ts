/**
 * A disk, or a file of it, with some calls replaced: for whoever counts, delays or refuses some of them. Spelled out,
 * since the calls of the real ones are methods that a spread would lose.
 */
import type { Disk, DiskFile } from './disk.ts';

/** `disk` with some calls replaced. */
export function diskWith(disk: Disk, replaced: Partial<Disk>): Disk {
  return {
    writers: disk.writers,
    allocate: (bytes) => disk.allocate(bytes),
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    entry: (path) => disk.entry(path),
    open: (path, options) => disk.open(path, options),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    freeBytes: (path) => disk.freeBytes(path),
    locality: (path) => disk.locality(path),
    isDirect: (path) => disk.isDirect(path),
    lock: (path) => disk.lock(path),
    owner: (path) => disk.owner(path),
    ...replaced,
  };
}

/** `file` with some calls replaced. */
export function fileWith(file: DiskFile, replaced: Partial<DiskFile>): DiskFile {
  return {
    path: file.path,
    read: (target, position) => file.read(target, position),
    write: (source, position) => file.write(source, position),
    writeSync: (source, position) => file.writeSync(source, position),
    sync: () => file.sync(),
    bytes: () => file.bytes(),
    truncate: (bytes) => file.truncate(bytes),
    close: () => file.close(),
    ...replaced,
  };
}
