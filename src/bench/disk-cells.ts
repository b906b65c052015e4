/** What is measured of a disk: kinds of writes and reads, by what a user chose of them. */
import { mib } from '../base/units.ts';
import type { WriteLayout } from './disk-lane.ts';
import type { WriteWay } from './raw-file.ts';
import { readBytes } from './sequential-read.ts';

/** Durable writes, one after the other in each of `files` files. */
export interface WriteCell {
  readonly kind: 'write';
  readonly layout: WriteLayout;
  readonly way: WriteWay;
  readonly files: number;
  readonly bytes: number;
}

/** Much in order: written past the cache with one sync at the end; or read past the cache. */
export interface SequentialCell {
  readonly kind: 'sequential-write' | 'sequential-read';
  readonly files: number;
  readonly bytes: number;
}

/** Any of them. */
export type DiskCell = WriteCell | SequentialCell;

/** Which cells are measured. */
export interface DiskChoice {
  readonly layouts: readonly WriteLayout[];
  readonly ways: readonly WriteWay[];
  readonly files: readonly number[];
  readonly sizes: readonly number[];
}

/** How much space a run may take. */
export interface DiskSpace {
  /** Of a file that is overwritten. */
  readonly overwrittenBytes: number;
  /** All files of an appending cell together. */
  readonly appendedBytesMax: number;
  /** Of a file that is read. */
  readonly readableBytes: number;
}

/** By cell what a choice comes to. */
export function diskCells({ layouts, ways, files, sizes }: DiskChoice): DiskCell[] {
  const writes = files.flatMap((count) =>
    ways.flatMap((way) =>
      layouts.flatMap((layout) =>
        sizes.map((bytes): DiskCell => ({ kind: 'write', layout, way, files: count, bytes })),
      ),
    ),
  );
  const kinds = ['sequential-write', 'sequential-read'] as const;
  return [...writes, ...kinds.flatMap((kind) => files.map((count) => ({ kind, files: count, bytes: readBytes })))];
}

/** Bytes that a run has on the disk at the most. */
export function spaceNeeded(choice: DiskChoice, space: DiskSpace): number {
  const files = Math.max(...choice.files);
  const overwritten = choice.layouts.includes('overwriting') ? choice.ways.length * files : 0;
  const { overwrittenBytes, readableBytes, appendedBytesMax } = space;
  return overwritten * overwrittenBytes + files * readableBytes + appendedBytesMax + files * 2 * mib;
}
