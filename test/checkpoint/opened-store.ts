/** Stores on LMDB for tests: opened, filled, looked at. */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/base/disk.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import type { OpenedCheckpoint } from '../../src/checkpoint/store.ts';
import { makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';

/** The real one. */
export const disk: Disk = nodeDisk();

/** How the store was left, who opens it, and on what. */
export interface Stop {
  readonly unclean?: boolean;
  readonly channelId?: string;
  readonly on?: Disk;
}

/** Opens the store; fails the test where that is not possible. */
export async function mustOpen(directory: string, stop: Stop = {}): Promise<OpenedCheckpoint> {
  const options = { channelId: stop.channelId ?? suiteChannelId, afterUncleanStop: stop.unclean === true };
  const opened = await openLmdbCheckpoint(stop.on ?? disk, directory, options);
  assert.equal(opened.kind, 'opened', opened.kind === 'unavailable' ? opened.why : '');
  assert.ok(opened.kind === 'opened');
  return opened;
}

/** Makes or opens a store and leaves `makeRecord(serial)` in it, closed in good order. */
export async function filledStore(directory: string, serial: number): Promise<void> {
  const { store } = await mustOpen(directory);
  await store.save(makeRecord(serial));
  await store.close();
}

/** Fails unless the store holds what `filledStore` left. */
export async function assertHolds(opened: OpenedCheckpoint, serial: number): Promise<void> {
  assert.deepEqual(await opened.store.load(), makeRecord(serial));
}
