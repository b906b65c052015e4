/** Which files are spooled, in which order, and what becomes of them. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Channel, MemoryChannel, type MemoryChannelOptions } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { drain, drainText, isAllDone, makeSource, until } from './support.ts';

async function setUp(t: TestContext, options: MemoryChannelOptions = {}) {
  const spoolDir = await tempDir(t);
  const channel = await MemoryChannel.open(options);
  t.after(() => channel.close());
  return { spoolDir, channel, channels: new Map<string, Channel>([['c1', channel]]) };
}

/** Spools what is there and stops. */
async function spoolAll(t: TestContext, files: Record<string, string | Buffer>, keys: Record<string, string> = {}) {
  const made = await setUp(t);
  await writeAll(made.spoolDir, files);
  const running = makeSource(made.channels, { spoolDir: made.spoolDir, ...keys });
  await running.source.start();
  const isQuiet = quietness(made.channel);
  await until(isQuiet, 'nothing more comes');
  await running.source.stop();
  return { ...made, ...running };
}

/** True once nothing came for a while. */
function quietness(channel: Channel): () => boolean {
  let last = -1;
  let sinceMs = Date.now();
  return () => {
    const { put } = channel.stats().counters;
    if (put !== last) sinceMs = Date.now();
    last = put;
    return Date.now() - sinceMs > 120;
  };
}

/** In this order of age. */
async function writeAll(spoolDir: string, files: Record<string, string | Buffer>): Promise<void> {
  let seconds = 1_700_000_000;
  for (const [name, content] of Object.entries(files)) {
    const path = join(spoolDir, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    await utimes(path, seconds, seconds);
    seconds += 10;
  }
}

test('oldest first, youngest first, and the smaller name of the same age', async (t) => {
  const files = { z: 'one\n', a: 'two\n', m: 'three\n' };
  const { channel } = await spoolAll(t, files);
  assert.deepEqual(await drainText(channel), ['one', 'two', 'three']);
  const youngest = await spoolAll(t, files, { consumeOrder: 'youngest' });
  assert.deepEqual(await drainText(youngest.channel), ['three', 'two', 'one']);
  const random = await spoolAll(t, files, { consumeOrder: 'random' });
  assert.deepEqual((await drainText(random.channel)).sort(), ['one', 'three', 'two']);
  for (const consumeOrder of ['oldest', 'youngest']) {
    const { spoolDir, channel: tied, channels } = await setUp(t);
    await writeAll(spoolDir, { b: 'b\n', c: 'c\n', a: 'a\n' });
    for (const name of ['a', 'b', 'c']) await utimes(join(spoolDir, name), 1_700_000_000, 1_700_000_000);
    const { source } = makeSource(channels, { spoolDir, consumeOrder });
    await source.start();
    await until(() => isAllDone(spoolDir), 'all are done');
    await source.stop();
    assert.deepEqual(await drainText(tied), ['a', 'b', 'c']);
  }
});

test('patterns match whole names; dot files, done files and directories are passed over', async (t) => {
  const files = {
    'a.log': 'a\n',
    'a.log.1': 'no\n',
    '.b.log': 'no\n',
    'c.log.COMPLETED': 'no\n',
    'x.log': 'no\n',
    'd/e.log': 'no\n',
  };
  const keys = { includePattern: '[a-z]+\\.log', ignorePattern: 'x.*' };
  const { channel } = await spoolAll(t, files, keys);
  assert.deepEqual(await drainText(channel), ['a']);
  const deep = { 'd/e.log': 'e\n', 'd/f/g.log': 'g\n', '.h/i.log': 'no\n', 'xx/j.log': 'no\n' };
  const recursive = await spoolAll(t, deep, { ...keys, recursiveDirectorySearch: 'true' });
  assert.deepEqual(await drainText(recursive.channel), ['e', 'g']);
  assert.deepEqual(await readdir(join(recursive.spoolDir, 'd')), ['e.log.COMPLETED', 'f']);
});

test('headers say which file an event is from', async (t) => {
  const keys = { fileHeader: 'true', basenameHeader: 'true', basenameHeaderKey: 'name' };
  const { channel, spoolDir } = await spoolAll(t, { a: 'x\n' }, keys);
  const [event] = await drain(channel);
  assert.deepEqual(event?.headers, { file: join(spoolDir, 'a'), name: 'a' });
  const other = await spoolAll(t, { b: 'x\n' }, { fileHeader: 'true', fileHeaderKey: 'path', basenameHeader: 'true' });
  const [second] = await drain(other.channel);
  assert.deepEqual(second?.headers, { path: join(other.spoolDir, 'b'), basename: 'b' });
});

test('the keys of the deserializers, the charsets and the policy have their effect', async (t) => {
  const cases: [Record<string, string>, string | Buffer, (string | Buffer)[]][] = [
    [{ 'deserializer.maxLineLength': '3' }, 'abcd\n', ['abc', 'd']],
    [{ 'deserializer.maxLineLength': '3', bufferMaxLineLength: '2' }, 'abcd\n', ['ab', 'cd', '']],
    [{ inputCharset: 'ISO8859_1' }, Buffer.from([0xe9]), ['é']],
    [{ 'deserializer.outputCharset': 'ISO-8859-1' }, 'é', [Buffer.from([0xe9])]],
    [{ decodeErrorPolicy: 'replace' }, Buffer.from([0x61, 0xe9]), ['a\ufffd']],
    [{ decodeErrorPolicy: 'IGNORE' }, Buffer.from([0x61, 0xe9]), ['a']],
    [{ deserializer: 'blob', 'deserializer.maxBlobLength': '3' }, 'a\nbc', ['a\nb', 'c']],
    [{ deserializer: 'org.apache.flume.serialization.LineDeserializer$Builder' }, 'a\nb', ['a', 'b']],
  ];
  for (const [keys, content, expected] of cases) {
    const { channel } = await spoolAll(t, { a: content }, keys);
    const bodies = (await drain(channel)).map(({ body }) => body);
    assert.deepEqual(
      bodies,
      expected.map((body) => Buffer.from(body as string)),
      JSON.stringify(keys),
    );
  }
  const refused = await spoolAll(t, { a: Buffer.from([0x61, 0x0a, 0xe9]), b: 'b\n' });
  assert.deepEqual(await drainText(refused.channel), ['a', 'b']);
  assert.equal(refused.errors.length, 1);
  assert.match(refused.errors[0] ?? '', /the line at byte 2 of .*a is not UTF-8/);
  const noAvro = await spoolAll(t, { a: 'text' }, { deserializer: 'AVRO' });
  assert.match(noAvro.errors[0] ?? '', /is no Avro object container file/);
});

test('a done file is renamed, deleted, or tracked', async (t) => {
  const renamed = await spoolAll(t, { a: 'x\n' }, { fileSuffix: '.DONE' });
  assert.deepEqual(await readdir(renamed.spoolDir), ['.flumespool', 'a.DONE']);
  const deleted = await spoolAll(t, { a: 'x\n' }, { deletePolicy: 'immediate' });
  assert.deepEqual(await readdir(deleted.spoolDir), ['.flumespool']);
  const keys = { trackingPolicy: 'tracker_dir', recursiveDirectorySearch: 'true' };
  const tracked = await spoolAll(t, { 'd/a': 'x\n' }, keys);
  assert.deepEqual(await readdir(join(tracked.spoolDir, '.flumespool', 'd')), ['a.COMPLETED']);
  assert.deepEqual(await readdir(join(tracked.spoolDir, 'd')), ['a']);
  const again = makeSource(tracked.channels, { spoolDir: tracked.spoolDir, ...keys });
  await again.source.start();
  await again.source.stop();
  assert.deepEqual(await drainText(tracked.channel), ['x']);
});

test('an empty file is one empty event; a file that comes later is found', async (t) => {
  const { spoolDir, channel, channels } = await setUp(t);
  await writeAll(spoolDir, { a: '', b: 'b\n', c: '' });
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'the first three');
  await writeFile(join(spoolDir, '.d'), 'd\n');
  await rename(join(spoolDir, '.d'), join(spoolDir, 'd'));
  await until(() => channel.stats().depthEvents === 4, 'the fourth');
  await source.stop();
  assert.deepEqual(await drainText(channel), ['', 'b', '', 'd']);
});

test('a name that exists already keeps the file, and the others go on', async (t) => {
  const { spoolDir, channel, channels } = await setUp(t);
  await writeAll(spoolDir, { 'a.COMPLETED': 'old\n', a: 'a\n', b: 'b\n' });
  const { source, errors } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => channel.stats().depthEvents === 2 && errors.length === 1, 'both are read');
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /a\.COMPLETED exists already/);
  assert.equal(await readFile(join(spoolDir, 'a.COMPLETED'), 'utf8'), 'old\n');
  await rm(join(spoolDir, 'a.COMPLETED'));
  await until(() => isAllDone(spoolDir), 'it is renamed when the way is free');
  await source.stop();
  assert.deepEqual(await drainText(channel), ['a', 'b']);
});

test('a file that is changed while it is read is left, named, and gone on with when it changes again', async (t) => {
  const { spoolDir, channel, channels } = await setUp(t);
  const lines = Array.from({ length: 500 }, (_, line) => `line ${line}`);
  await writeAll(spoolDir, { a: `${lines.join('\n')}\nhalf`, b: 'b\n' });
  const path = join(spoolDir, 'a');
  let puts = 0;
  const { source, errors } = makeSource(channels, { spoolDir, batchSize: '10' }, (real) => ({
    channels: real.channels,
    note: (name, key) => real.note(name, key),
    process: async (events, options) => {
      puts += 1;
      if (puts === 3) await appendFile(path, ' a line\n');
      await real.process(events, options);
    },
  }));
  await source.start();
  await until(() => errors.length === 1, 'it is named');
  await until(async () => (await readdir(spoolDir)).includes('b.COMPLETED'), 'the other file is done');
  assert.match(errors[0] ?? '', /changed while it was read/);
  await appendFile(path, 'more\n');
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual((await drainText(channel)).sort(), [...lines, 'b', 'half a line', 'more'].sort());
});

test('a full channel is offered the same events again until it takes them', async (t) => {
  const { spoolDir, channel, channels } = await setUp(t, { capacity: 40, transactionCapacity: 40, keepAliveMs: 10 });
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`);
  await writeAll(spoolDir, { a: lines.join('\n') });
  const { source, warnings } = makeSource(channels, { spoolDir, batchSize: '10', maxBackoff: '20' });
  await source.start();
  const taken: string[] = [];
  await until(() => warnings.length > 0, 'it was full');
  while (taken.length < lines.length) {
    taken.push(...(await drainText(channel)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual(taken, lines);
});

test('the channel that was not full gets nothing twice, and both keep the order', async (t) => {
  const { spoolDir, channel: small } = await setUp(t, { capacity: 40, transactionCapacity: 40, keepAliveMs: 10 });
  const large = await MemoryChannel.open();
  t.after(() => large.close());
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`);
  await writeAll(spoolDir, { a: lines.join('\n') });
  const channels = new Map<string, Channel>([
    ['c1', large],
    ['c2', small],
  ]);
  const { source, warnings, counts } = makeSource(channels, { spoolDir, batchSize: '10', maxBackoff: '20' });
  await source.start();
  await until(() => warnings.length > 1, 'it was full more than once');
  const taken: string[] = [];
  while (taken.length < lines.length) {
    taken.push(...(await drainText(small)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual(taken, lines);
  assert.deepEqual((await drainText(large)).sort(), [...lines].sort());
  assert.ok((counts.get('ChannelWriteFail') ?? 0) > 0);
  assert.equal(counts.get('AppendBatchReceivedCount'), 40);
  assert.equal(counts.get('AppendBatchAcceptedCount'), 40);
});

test('a directory that is not there makes the start fail, and says so', async (t) => {
  const { channels, spoolDir } = await setUp(t);
  const { source } = makeSource(channels, { spoolDir: join(spoolDir, 'none') });
  await assert.rejects(source.start(), /spoolDir .*none cannot be read/);
  await source.stop();
});
