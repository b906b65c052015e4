/**
 * Recovery with a checkpoint, without one, with an old, a foreign and a damaged one reaches the same state: the log
 * alone is the truth. On histories by seed in memory, and once with LMDB on the real disk.
 */
import assert from 'node:assert/strict';
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import type { CheckpointRecord, CheckpointStore } from '../../src/checkpoint/store.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { diskOf, environmentOf, type Files, home, readFiles } from './reference-log.ts';
import { drainOn } from './trial.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0 };
const histories = 25;
const stepsMax = 60;

/** A few random transactions of every kind. */
async function step(channel: FileChannel, random: SeededRandom, name: string): Promise<void> {
  const consumer = channel.consumer('k');
  const choice = random.below(10);
  if (choice < 4) {
    const events = Array.from({ length: 1 + random.below(20) }, (_, index) => {
      const body = `${name}/${index}`;
      return { headers: { host: 'a', body }, body: Buffer.from(`${body}.`.padEnd(random.below(1500), '.')) };
    });
    await channel.put(events, random.chance(0.3) ? { notes: { put: name } } : {});
    return;
  }
  if (choice === 4) return await channel.notes.set(`n${random.below(3)}`, name);
  const batch = await consumer.take(1 + random.below(30));
  const ranges = batch.ranges.filter(() => random.chance(0.8));
  if (choice === 5) return await batch.rollback();
  if (choice === 6 && ranges.length > 0) await consumer.prepare(ranges, name, { notes: { prepared: name } });
  else if (choice === 9) await consumer.drop(ranges, { notes: { dropped: name } });
  else await consumer.commit(ranges, random.chance(0.3) ? { notes: { taken: name } } : {});
  const [unresolved] = channel.unresolved();
  if (choice === 7 && unresolved !== undefined) {
    await channel.resolve(unresolved.id, random.chance(0.5) ? 'commit' : 'rollback');
  }
  await batch.rollback();
}

/** A history of one or two lives that ends by a kill or in order: its files, and every checkpoint saved on the way. */
async function tell(seed: number): Promise<{ files: Files; records: CheckpointRecord[] }> {
  const random = new SeededRandom(seed);
  const records: CheckpointRecord[] = [];
  const inner = memoryCheckpointStore();
  const store: CheckpointStore = {
    ...inner,
    save: async (record) => {
      records.push(record);
      await inner.save(record);
    },
  };
  let disk = memoryDisk();
  let files: Files = new Map();
  const lives = 1 + random.below(3);
  for (let life = 0; life < lives; life++) {
    const channel = await FileChannel.open(home, options, environmentOf(disk, store, seed * 10 + life));
    const steps = random.below(stepsMax);
    for (let at = 0; at < steps; at++) {
      await step(channel, random, `${life}.${at}`);
      if (random.chance(0.1)) await channel.checkpoint();
    }
    const isKilled = random.chance(0.7);
    files = await readFiles(disk, '/');
    const saved = records.length;
    await channel.close();
    if (isKilled) records.length = saved;
    else files = await readFiles(disk, '/');
    disk = await diskOf(files);
  }
  return { files, records };
}

function storeWith(load: () => Promise<CheckpointRecord | undefined>): CheckpointStore {
  return { ...memoryCheckpointStore(), load };
}

/** What an open may find, by name. */
function storesOf(records: readonly CheckpointRecord[], foreign: CheckpointRecord, random: SeededRandom) {
  const stores: [string, CheckpointStore | undefined][] = [['none', undefined]];
  for (const [index, record] of records.entries()) {
    const isNewest = index === records.length - 1;
    if (!isNewest && random.chance(0.7)) continue;
    stores.push([isNewest ? 'newest' : `older, ${index} of ${records.length}`, storeWith(async () => record)]);
    const state = Buffer.from(record.state);
    state[random.below(state.length)] = random.below(256);
    stores.push(['state damaged', storeWith(async () => ({ ...record, state: state.subarray(0, -1) }))]);
    stores.push(['another channel', storeWith(async () => ({ ...record, channelId: foreign.channelId, serial: 1e9 }))]);
    stores.push(['another epoch', storeWith(async () => ({ ...record, epoch: foreign.epoch }))]);
  }
  stores.push(['foreign', storeWith(async () => foreign)]);
  stores.push(['unreadable', storeWith(async () => Promise.reject(new Error('this store cannot be read')))]);
  return stores;
}

test('whatever the checkpoint says, the state is the same', async () => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
  const foreign = (await tell(seed + 999)).records.at(-1) ?? (await tell(4)).records.at(-1);
  assert.ok(foreign);
  let opens = 0;
  for (let history = 0; history < histories; history++) {
    const { files, records } = await tell(seed + history);
    const stores = storesOf(records, foreign, new SeededRandom(seed + history));
    let expected: unknown;
    for (const [name, store] of stores) {
      const disk = await diskOf(files);
      const { disk: _disk, ...outcome } = await drainOn(disk, { options }, environmentOf(disk, store, 1));
      expected ??= outcome;
      assert.deepEqual(outcome, expected, `checkpoint ${name}, FOREBAY_SEED=${seed + history}`);
      opens += 1;
    }
  }
  console.log(`shows: checkpoints: ${histories} histories, ${opens} opens, the same state each time`);
});

/** Work in a directory of the real disk with LMDB; copies of the checkpoint directory, the older first. */
async function workOnDisk(root: string, seed: number): Promise<{ channel: string; copies: string[] }> {
  const directory = join(root, `channel-${seed}`);
  const random = new SeededRandom(seed);
  const copies: string[] = [];
  const channel = await FileChannel.open(directory, options);
  for (let at = 0; at < 40; at++) {
    await step(channel, random, `0.${at}`);
    if (at % 20 !== 10) continue;
    await channel.checkpoint();
    const copy = join(root, `copy-${seed}-${at}`);
    await cp(join(directory, 'checkpoint'), copy, { recursive: true });
    copies.push(copy);
  }
  await channel.close();
  return { channel: directory, copies };
}

async function spoilFiles(directory: string, spoil: (bytes: Buffer) => Buffer): Promise<void> {
  const { readFile, writeFile } = await import('node:fs/promises');
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (name !== 'channel.json' && (await stat(path)).isFile()) await writeFile(path, spoil(await readFile(path)));
  }
}

test('the same with LMDB on the real disk', async (context) => {
  const root = await tempDir(context);
  const { channel, copies } = await workOnDisk(root, 7);
  const other = await workOnDisk(root, 8);
  const replaceBy = (source: string) => async (checkpoint: string) => {
    await rm(checkpoint, { recursive: true });
    await cp(source, checkpoint, { recursive: true });
  };
  const random = new SeededRandom(3);
  const flip = (bytes: Buffer) => {
    for (let turn = 0; turn < 40 && bytes.length > 0; turn++) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  };
  const changes: Record<string, (checkpoint: string) => Promise<void>> = {
    newest: async () => undefined,
    none: (checkpoint) => rm(checkpoint, { recursive: true }),
    old: replaceBy(copies[0] ?? ''),
    older: replaceBy(copies[1] ?? ''),
    flipped: (checkpoint) => spoilFiles(checkpoint, flip),
    cut: (checkpoint) => spoilFiles(checkpoint, (bytes) => bytes.subarray(0, bytes.length / 3)),
    zeros: (checkpoint) => spoilFiles(checkpoint, (bytes) => bytes.fill(0)),
    foreign: async (checkpoint) => {
      await rm(join(checkpoint, 'data.mdb'), { force: true });
      for (const name of await readdir(join(other.channel, 'checkpoint'))) {
        if (name !== 'channel.json') await cp(join(other.channel, 'checkpoint', name), join(checkpoint, name));
      }
    },
  };
  let expected: unknown;
  for (const [name, change] of Object.entries(changes)) {
    const directory = join(root, name);
    await cp(channel, directory, { recursive: true });
    await change(join(directory, 'checkpoint'));
    const opened = await FileChannel.open(directory, { ...options, dataDirs: [directory] });
    const batch = await opened.take(10_000);
    await opened.checkpoint();
    const { counters, depthEvents, preparedEvents } = opened.stats();
    const events = batch.events.map(({ sequence, headers }) => [sequence, headers]);
    const notes = opened.notes.keys().map((key) => [key, opened.notes.get(key)]);
    const state = { counters, depthEvents, preparedEvents, events, notes, unresolved: opened.unresolved() };
    expected ??= state;
    assert.deepEqual(state, expected, name);
    assert.deepEqual(opened.damages, [], name);
    await opened.close();
  }
});
