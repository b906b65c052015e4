/** The file channel under Flume's keys: real directories, real events; and what is refused, and in which words. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileChannel, spillableMemoryChannel } from '../../../src/adapters/channels/file.ts';
import type { ComponentContext } from '../../../src/agent/contracts/components.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Channel } from '../../../src/engine.ts';
import { tempDir } from '../../support/temp-dir.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const context: ComponentContext = { name: 'c1', log, clock: systemClock, count: () => undefined };

function read(properties: Record<string, string>) {
  return readKeys(fileChannel.keys, new Map(Object.entries(properties)));
}

function open(properties: Record<string, string>): Promise<Channel> {
  const { values, problems } = read(properties);
  assert.deepEqual(problems, []);
  assert.ok(values);
  assert.deepEqual(fileChannel.check?.(values), []);
  return fileChannel.create(values, context).open();
}

function inside(dir: string): Record<string, string> {
  return { checkpointDir: join(dir, 'cp'), dataDirs: ` ${join(dir, 'd1')} ,, ${join(dir, 'd2')}` };
}

function events(count: number, bytes = 10) {
  return Array.from({ length: count }, () => ({ headers: {}, body: Buffer.alloc(bytes, 'x') }));
}

test('dataDirs and checkpointDir are where the channel is, and it can be opened again', async (t) => {
  const dir = await tempDir(t);
  const { open: openAgain } = (() => {
    const { values } = read(inside(dir));
    assert.ok(values);
    return fileChannel.create(values, context);
  })();
  const first = await openAgain();
  await first.put(events(3));
  await first.close();
  for (const name of ['d1', 'd2', 'cp']) assert.ok((await readdir(join(dir, name))).includes('channel.json'), name);
  const second = await openAgain();
  assert.equal(second.stats().depthEvents, 3);
  await second.close();
});

test("Flume's defaults", () => {
  const { values } = read({});
  assert.ok(values);
  const picked = {
    capacity: values.capacity,
    transactionCapacity: values.transactionCapacity,
    'keep-alive': values['keep-alive'],
    checkpointInterval: values.checkpointInterval,
    maxFileSize: values.maxFileSize,
    minimumRequiredSpace: values.minimumRequiredSpace,
  };
  assert.deepEqual(picked, {
    capacity: 1_000_000,
    transactionCapacity: 10_000,
    'keep-alive': 3,
    checkpointInterval: 30_000,
    maxFileSize: 1_623_195_647,
    minimumRequiredSpace: 524_288_000,
  });
});

test('without directories it is below the home directory, where Flume keeps it', async (t) => {
  const home = await tempDir(t);
  const before = process.env['HOME'];
  process.env['HOME'] = home;
  t.after(() => {
    if (before === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before;
  });
  const channel = await open({});
  await channel.close();
  assert.ok((await readdir(join(home, '.flume/file-channel/data'))).includes('channel.json'));
  assert.ok((await readdir(join(home, '.flume/file-channel/checkpoint'))).includes('channel.json'));
});

test('capacity, keep-alive and transactionCapacity', async (t) => {
  const dir = await tempDir(t);
  const channel = await open({ ...inside(dir), capacity: '5', transactionCapacity: '4', 'keep-alive': '1' });
  t.after(() => channel.close());
  await assert.rejects(channel.put(events(5)), { code: 'TRANSACTION_TOO_LARGE' });
  await channel.put(events(4));
  const startedMs = performance.now();
  await assert.rejects(channel.put(events(2)), { code: 'CHANNEL_FULL' });
  const waitedMs = performance.now() - startedMs;
  assert.ok(waitedMs > 900 && waitedMs < 2500, `waited ${waitedMs} ms`);
});

test('maxFileSize bounds the files of the log', async (t) => {
  const dir = await tempDir(t);
  const channel = await open({ ...inside(dir), maxFileSize: '100000' });
  for (let put = 0; put < 20; put += 1) await channel.put(events(40, 500));
  await channel.close();
  const names = (await readdir(join(dir, 'd1'))).map((name) => join(dir, 'd1', name));
  const sizes = await Promise.all(names.map(async (name) => (await stat(name)).size));
  assert.ok(sizes.filter((size) => size > 50_000).length > 1, `files of ${sizes}`);
  assert.ok(Math.max(...sizes) <= 102_400, `files of ${sizes}`);
});

test('values that Flume replaces are replaced, and said', () => {
  const { values, warnings } = read({
    capacity: '0',
    transactionCapacity: '-1',
    checkpointInterval: '10',
    minimumRequiredSpace: '5',
    maxFileSize: '10',
    fsyncPerTransaction: 'false',
    checkpointDir: '~/cp',
  });
  assert.ok(values);
  assert.equal(values.capacity, 1_000_000);
  assert.equal(values.transactionCapacity, 10_000);
  assert.equal(values.checkpointInterval, 1000);
  assert.equal(values.minimumRequiredSpace, 1_048_576);
  assert.equal(values.maxFileSize, 65_536);
  const said = warnings.map(({ key, message }) => `${key} ${message}`).join('\n');
  assert.match(said, /capacity '0' is not above 0: 1000000 is used/);
  assert.match(said, /checkpointInterval 10 is below 1000/);
  assert.match(said, /fsyncPerTransaction has no effect: every commit stays durable/);
  assert.match(said, /checkpointDir '~\/cp' is a directory named ~/);
});

test('keys with nothing to do are accepted, each with its reason', () => {
  const { problems, warnings } = read({
    useDualCheckpoints: 'true',
    backupCheckpointDir: '/backup',
    compressBackupCheckpoint: 'true',
    'use-log-replay-v1': 'true',
    'use-fast-replay': 'true',
    fsyncInterval: '5',
    checkpointOnClose: 'false',
  });
  assert.deepEqual(problems, []);
  assert.equal(warnings.length, 7);
  for (const { message } of warnings) assert.match(message, /^has no effect: ./);
});

test('text for a number is refused, as Flume does', () => {
  const { problems } = read({ capacity: 'many', 'keep-alive': '-1' });
  assert.deepEqual(problems.map(({ key }) => key).sort(), ['capacity', 'keep-alive']);
});

test('transactionCapacity above capacity is refused', () => {
  const { values } = read({ capacity: '100' });
  assert.ok(values);
  const [problem] = fileChannel.check?.(values) ?? [];
  assert.equal(problem?.key, 'transactionCapacity');
  assert.match(problem?.message ?? '', /at most capacity, which is 100/);
});

test("directories with Flume's own files are refused, untouched", async (t) => {
  const dir = await tempDir(t);
  await mkdir(join(dir, 'd2'));
  for (const name of ['log-1', 'log-1.meta', 'in_use.lock']) await writeFile(join(dir, 'd2', name), 'flume');
  await assert.rejects(open(inside(dir)), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'NOT_A_CHANNEL');
    assert.match(error.message, /d2 holds 'log-1' of Apache Flume's file channel: .* or import it with/);
    assert.match(error.message, /`forebay channel import-flume -f FILE -n AGENT --channel c1 --in-place`/);
    return true;
  });
  assert.deepEqual(await readdir(dir), ['d2']);
  const other = await tempDir(t);
  await mkdir(join(other, 'cp'));
  for (const name of ['checkpoint', 'checkpoint.meta']) await writeFile(join(other, 'cp', name), 'flume');
  await assert.rejects(open(inside(other)), { code: 'NOT_A_CHANNEL' });
});

test('encryption with key files: what is on the disk cannot be read, and the key is needed again', async (t) => {
  const dir = await tempDir(t);
  await writeFile(join(dir, 'key'), randomBytes(32));
  const keys = { 'encryption.activeKey': '7', 'encryption.keys.7': join(dir, 'key') };
  const channel = await open({ ...inside(dir), ...keys });
  await channel.put(events(1));
  await channel.close();
  await assert.rejects(open(inside(dir)), { code: 'KEY_WRONG' });
  const again = await open({ ...inside(dir), ...keys });
  assert.equal((await again.take(1)).events.length, 1);
  await again.close();
});

test('encryption: key stores of Java and keys that do not fit together are refused by name', () => {
  const messages = (properties: Record<string, string>): string => {
    const { values } = read(properties);
    assert.ok(values);
    return (fileChannel.check?.(values) ?? []).map(({ key, message }) => `${key} ${message}`).join('\n');
  };
  const jceks = { 'encryption.keyProvider': 'JCEKSFILE', 'encryption.keyProvider.keys': 'k0 k1' };
  const flume = { ...jceks, 'encryption.activeKey': 'k0', 'encryption.cipherProvider': 'AESCTRNOPADDING' };
  assert.match(messages(flume), /^encryption\.keyProvider 'JCEKSFILE' is not allowed.*encryption\.keys\.NUMBER = FILE/);
  assert.match(messages({ 'encryption.activeKey': '1' }), /'1' is not the number of a key/);
  assert.match(messages({ 'encryption.keys.1': '/k' }), /^encryption\.activeKey is missing/);
  assert.match(messages({ 'encryption.keys.a': '/k' }), /^encryption\.keys\.a is not allowed/);
  assert.equal(messages({ 'encryption.keys.1': '/k', 'encryption.activeKey': '1' }), '');
});

test('spillablememory is a file channel of both capacities, and survives', async (t) => {
  const dir = await tempDir(t);
  const properties = { ...inside(dir), memoryCapacity: '2', overflowCapacity: '3', overflowTimeout: '0' };
  const keys = new Map(Object.entries({ ...properties, transactionCapacity: '5' }));
  const { values, problems } = readKeys(spillableMemoryChannel.keys, keys);
  assert.deepEqual(problems, []);
  assert.ok(values);
  const { open: openSpillable } = spillableMemoryChannel.create(values, context);
  const channel = await openSpillable();
  await channel.put(events(5));
  await assert.rejects(channel.put(events(1)), { code: 'CHANNEL_FULL' });
  await channel.close();
  const again = await openSpillable();
  assert.equal(again.stats().depthEvents, 5);
  await again.close();
  const none = readKeys(
    spillableMemoryChannel.keys,
    new Map([
      ['memoryCapacity', '0'],
      ['overflowCapacity', '0'],
    ]),
  );
  assert.ok(none.values);
  assert.equal(spillableMemoryChannel.check?.(none.values)[0]?.key, 'overflowCapacity');
});
