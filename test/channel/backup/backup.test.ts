/** Backups of channels at rest: what a copy holds and what it is; a kill at any write leaves a copy or none. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { diskWith, fileWith } from '../../../src/base/disk-with.ts';
import { isForebayError } from '../../../src/base/errors.ts';
import { type BackupReport, backupChannel } from '../../../src/channel/backup/backup-channel.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../../src/channel/options.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { verifyChannel } from '../../../src/channel/reader/verify.ts';
import { makeEvents, refuses, sequencesOf, sleep, upTo } from '../../conformance/channel-support.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const key = Buffer.alloc(32, 7);
const encryption = { activeKey: 1, keys: { 1: key } };
const base: ChannelOptions = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' };
let seeds = 0;

function openOn(disk: SimulatedDisk, path: string, options: ChannelOptions = {}): Promise<FileChannel> {
  seeds += 1;
  const environment = { disk, clock: systemClock, random: new SeededRandom(seeds) };
  return FileChannel.open(path, { ...base, ...options }, environment);
}

function backup(disk: SimulatedDisk, source: string, destination: string): Promise<BackupReport> {
  seeds += 1;
  const environment = { disk, clock: systemClock, random: new SeededRandom(seeds) };
  return backupChannel({ source, destination, view: { encryption } }, environment);
}

/** 4000 events in two directories, half of them taken, ten prepared; a note. */
async function makeChannel(disk: SimulatedDisk): Promise<FileChannel> {
  const channel = await openOn(disk, '/c1', { dataDirs: ['/c1', '/other'], encryption });
  for (let from = 0; from < 4000; from += 500) await channel.put(makeEvents(500, from), { notes: { from } });
  const sink = channel.consumer('sink');
  for (let taken = 0; taken < 2000; taken += 500) await sink.commit((await sink.take(500)).ranges);
  await sink.prepare((await sink.take(10)).ranges, { file: 'a' });
  return channel;
}

async function deliveredBy(channel: FileChannel): Promise<number[]> {
  const sequences: number[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    for (const { sequence, body } of batch.events) assert.equal(body.toString(), `${sequence - 1}`);
    sequences.push(...sequencesOf(batch));
  }
  return sequences;
}

test('an encrypted channel of two directories becomes one of one, which knows whose it is', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const channel = await makeChannel(disk);
  const parentId = channel.stats().channelId;
  await channel.close();
  const report = await backup(disk, '/other', '/backups/one');
  assert.deepEqual(
    { ...report, bytes: 0, segments: 0, channelId: '' },
    {
      channelId: '',
      parentChannelId: parentId,
      segments: 0,
      bytes: 0,
      events: 4000,
      depth: 2000,
      mayRepeatFrom: 2001,
      damages: [],
    },
  );
  assert.notEqual(report.channelId, parentId);
  const names = (await disk.list('/backups/one')) ?? [];
  assert.ok(
    names.every((name) => name === 'channel.json' || /^[0-9a-f]{16}\.seg$/.test(name)),
    names.join(),
  );
  await refuses('KEY_WRONG', () => openOn(disk, '/backups/one'));
  const copy = await openOn(disk, '/backups/one', { encryption });
  assert.deepEqual([copy.damages, copy.stats().channelId, copy.notes.get('from')], [[], report.channelId, 3500]);
  assert.deepEqual([copy.parent?.channelId, copy.parent?.mayRepeatFrom], [parentId, 2001]);
  const [take] = copy.unresolved();
  assert.deepEqual([take?.consumer, take?.ranges, take?.note], ['sink', [{ first: 2001, last: 2010 }], { file: 'a' }]);
  assert.deepEqual(await deliveredBy(copy), upTo(1990, 2011));
  await copy.close();
  await useOn(disk, report);
});

/** A copy is used like any channel, and copied itself. */
async function useOn(disk: SimulatedDisk, { channelId }: BackupReport): Promise<void> {
  const copy = await openOn(disk, '/backups/one', { encryption });
  for (let from = 4000; from < 8000; from += 500) await copy.put(makeEvents(500, from));
  const batch = await copy.take(1000, { maxBytes: 1e9 });
  await batch.commit();
  await copy.close();
  const second = await backup(disk, '/backups/one', '/backups/two');
  assert.deepEqual([second.parentChannelId, second.damages], [channelId, []]);
  const again = await openOn(disk, '/backups/two', { encryption });
  assert.deepEqual([again.damages, again.stats().depthEvents], [[], 2000 + 4000 - 1000]);
  assert.deepEqual(again.parent?.keyChannelId, (await openOn(disk, '/backups/one', { encryption })).parent?.channelId);
  await again.close();
}

test('a killed channel is copied with what nothing proves yet', async () => {
  const disk = new SimulatedDisk({ seed: 2 });
  const channel = await makeChannel(disk);
  await channel.put(makeEvents(3, 4000));
  const killed = disk.kill();
  const report = await backup(killed, '/c1', '/copy');
  assert.deepEqual([report.events, report.depth, report.damages], [4003, 2003, []]);
  const copy = await openOn(killed, '/copy', { encryption });
  assert.deepEqual([copy.damages, await deliveredBy(copy)], [[], upTo(1993, 2011)]);
});

test('a destination that is used, or in the channel, is refused, and nothing is changed', async () => {
  const disk = new SimulatedDisk({ seed: 3 });
  await (await makeChannel(disk)).close();
  const before = disk.operations.length;
  for (const used of ['/other', '/c1/below', '/c1']) {
    const error = await refuses('DIR_UNUSABLE', () => backup(disk, '/c1', used));
    assert.match(error.message, /is the channel's own; name a directory that is empty or not there$/);
  }
  await refuses('NOT_A_CHANNEL', () => backup(disk, '/nowhere', '/x'));
  assert.equal(disk.operations.length, before);
  await backup(disk, '/c1', '/x');
  const after = disk.operations.length;
  assert.match((await refuses('DIR_UNUSABLE', () => backup(disk, '/c1', '/x'))).message, /^\/x holds '0/);
  assert.equal(disk.operations.length, after);
});

test('a segment that is used again while it is copied counts for nothing', async () => {
  const disk = new SimulatedDisk({ seed: 5 });
  const channel = await openOn(disk, '/c1');
  await channel.put(makeEvents(200));
  // So that the first look could be the moment.
  await sleep(200);
  const names = async () => ((await disk.list('/c1')) ?? []).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
  const [oldest = ''] = await names();
  let turns = 0;
  let put = 200;
  /** Until the oldest segment is another one. */
  const goOn = async (): Promise<void> => {
    turns += 1;
    while ((await names()).includes(oldest)) {
      await channel.put(makeEvents(400, put));
      put += 400;
      await (await channel.take(600, { maxBytes: 1e9 })).commit();
    }
    for (let more = 0; more < 60; more += 1) {
      await channel.put(makeEvents(400, put));
      put += 400;
      await (await channel.take(400, { maxBytes: 1e9 })).commit();
    }
    await channel.put(makeEvents(5, put));
    put += 5;
    // A MARK proves it.
    await sleep(200);
  };
  const moving = diskWith(disk, {
    open: async (path, how) => {
      const file = await disk.open(path, how);
      const isCopied = (await disk.entry('/copy/backup-incomplete.json')) !== undefined;
      if (path !== `/c1/${oldest}` || !isCopied) return file;
      const read = async (target: Buffer, position: number): Promise<number> => {
        if (position >= 8192 && turns === 0 && (await disk.entry(`/copy/${oldest}`)) !== undefined) await goOn();
        return file.read(target, position);
      };
      return fileWith(file, { read });
    },
  });
  const environment = { disk: moving, clock: systemClock, random: new SeededRandom(99) };
  const report = await backupChannel({ source: '/c1', destination: '/copy', view: {} }, environment);
  assert.deepEqual([turns, report.depth, report.damages], [1, 5, []]);
  assert.ok(!((await disk.list('/copy')) ?? []).includes(oldest));
  const copy = await openOn(disk, '/copy');
  assert.deepEqual([copy.damages, await deliveredBy(copy)], [[], upTo(5, put - 4)]);
});

/** What a backup that was cut off left: nothing, what says so, or the whole. */
async function outcomeAt(disk: SimulatedDisk): Promise<'nothing' | 'mark' | 'whole'> {
  const names = await disk.list('/copy');
  if (names === undefined || names.length === 0) return 'nothing';
  if (names.includes('channel.json')) {
    const view = await viewChannel('/copy', { encryption }, { disk, clock: systemClock });
    const report = await verifyChannel(view);
    assert.deepEqual([report.damages, view.queue.depth], [[], 2000]);
    const copy = await openOn(disk, '/copy', { encryption });
    assert.deepEqual([copy.damages, (await deliveredBy(copy)).length], [[], 1990]);
    await refuses('DIR_UNUSABLE', () => backup(disk, '/c1', '/copy'));
    return 'whole';
  }
  await refuses('NOT_A_CHANNEL', () => openOn(disk, '/copy', { encryption }));
  const error = await refuses('DIR_UNUSABLE', () => backup(disk, '/c1', '/copy'));
  assert.match(error.message, /^\/copy holds (a backup that was cut off, which is no channel: remove it|'channel)/);
  return 'mark';
}

test('a kill or a power cut at any write leaves a whole copy, or what is none and says so', async () => {
  const outcomes = new Map<string, number>();
  let at = 0;
  for (let isOver = false; !isOver; ) {
    at += 1;
    const disk = new SimulatedDisk({ seed: 4 });
    await (await makeChannel(disk)).close();
    disk.stopAt(disk.operations.length + at, 'during');
    isOver = await backup(disk, '/c1', '/copy').then(
      () => true,
      (error: unknown) => {
        assert.ok(disk.stopped && !isForebayError(error), String(error));
        return false;
      },
    );
    if (isOver) break;
    const after = at % 2 === 0 ? disk.kill() : disk.powerCut(at);
    const outcome = await outcomeAt(after);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const source = await openOn(after, '/c1', { encryption });
    assert.deepEqual([source.damages, source.stats().depthEvents], [[], 2000]);
  }
  for (const outcome of ['nothing', 'mark', 'whole']) assert.ok((outcomes.get(outcome) ?? 0) > 0, outcome);
  console.log(`shows: backup cut off at each of ${at} writes: ${[...outcomes].map((one) => one.join(' ')).join(', ')}`);
});
