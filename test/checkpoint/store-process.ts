/**
 * A process that uses a checkpoint as a channel does, and that damage or its parent may end at any moment. It takes
 * one task at a time from its parent and answers each; not answering is dying.
 */
import { nodeDisk } from '../../src/base/disk-node.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import type { CheckpointRecord } from '../../src/checkpoint/store.ts';
import { makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';

/** One life: open, load, save, close. */
export interface LifeTask {
  readonly kind: 'life';
  readonly directory: string;
  readonly afterUncleanStop: boolean;
  readonly saveSerial: number;
}

/** Open, then save `fromSerial` and on without end, telling of each save that resolved. */
export interface SaveTask {
  readonly kind: 'save';
  readonly directory: string;
  readonly fromSerial: number;
}

/** What a life found: serials of records, whether all it read was as written or absent. */
export interface LifeReport {
  readonly opened: boolean;
  readonly setAside: string | undefined;
  readonly loadedSerial: number | undefined;
  readonly foreign: string[];
  readonly saveError: string | undefined;
}

/** What the process sends. */
export type Report = LifeReport | { readonly saved: number };

/** Bytes of state of the records of SaveTask: enough that a kill often falls into a save. */
export const savedStateBytes = 100_000;

async function live(task: LifeTask): Promise<LifeReport> {
  const { directory, afterUncleanStop } = task;
  const opened = await openLmdbCheckpoint(nodeDisk(), directory, { channelId: suiteChannelId, afterUncleanStop });
  const nothing = { loadedSerial: undefined, foreign: [], saveError: undefined };
  if (opened.kind === 'unavailable') return { ...nothing, opened: false, setAside: opened.why };
  const { store, setAside } = opened;
  const foreign: string[] = [];
  const record = await store.load();
  if (record !== undefined && !isOurs(record)) foreign.push(`record ${JSON.stringify({ ...record, state: 0 })}`);
  let saveError: string | undefined;
  try {
    await store.save(makeRecord(task.saveSerial));
  } catch (error) {
    saveError = String(error);
  }
  await store.close();
  return { opened: true, setAside: setAside?.why, loadedSerial: record?.serial, foreign, saveError };
}

function isOurs(record: CheckpointRecord): boolean {
  const { state, ...expected } = makeRecord(record.serial, record.state.length);
  const { state: loaded, ...fields } = record;
  return JSON.stringify(fields) === JSON.stringify(expected) && loaded.equals(state);
}

async function saveOnAndOn(task: SaveTask): Promise<never> {
  const options = { channelId: suiteChannelId, afterUncleanStop: true };
  const opened = await openLmdbCheckpoint(nodeDisk(), task.directory, options);
  if (opened.kind === 'unavailable') throw new Error(opened.why);
  for (let serial = task.fromSerial; ; serial += 1) {
    await opened.store.save(makeRecord(serial, savedStateBytes));
    process.send?.({ saved: serial } satisfies Report);
  }
}

process.on('message', async (task: LifeTask | SaveTask) => {
  const report = task.kind === 'life' ? await live(task) : await saveOnAndOn(task);
  process.send?.(report);
});
