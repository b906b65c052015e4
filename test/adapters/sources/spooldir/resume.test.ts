/** Where a source goes on: from its channels' notes, from Flume's meta file, and after a crash at the worst place. */
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import avsc from 'avsc';
import { type Channel, FileChannel, MemoryChannel, type NoteValue } from '../../../../src/engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { drainText, isAllDone, makeSource, until, type Wrap } from './support.ts';

const lines = Array.from({ length: 1000 }, (_, line) => `line ${line} ${'x'.repeat(line % 50)}`);
const content = `${lines.join('\n')}\n`;

async function setUp(t: TestContext) {
  const spoolDir = await tempDir(t);
  const one = await MemoryChannel.open();
  const two = await MemoryChannel.open();
  t.after(async () => {
    await one.close();
    await two.close();
  });
  const channels = new Map<string, Channel>([
    ['c1', one],
    ['c2', two],
  ]);
  await writeFile(join(spoolDir, 'a'), content);
  return { spoolDir, one, two, channels };
}

/** Puts fail after `puts` of them, as where the process dies: what was in flight is there or not. */
function dyingAfter(puts: number, lastExcept: string): Wrap {
  let count = 0;
  return (real) => ({
    channels: real.channels,
    note: (name, key) => real.note(name, key),
    process: async (events, options) => {
      count += 1;
      if (count > puts + 1 && events.length > 0) throw new Error('dead');
      // The last one reaches one channel only.
      const isLast = count === puts + 1 && events.length > 0;
      const except = new Set([...(options?.except ?? []), lastExcept]);
      await real.process(events, isLast ? { ...options, except } : options);
      if (isLast) throw new Error('dead');
    },
  });
}

for (const lastExcept of ['c1', 'c2']) {
  test(`after a crash with ${lastExcept} behind, each channel gets each line once`, async (t) => {
    const { spoolDir, one, two, channels } = await setUp(t);
    const keys = { spoolDir, batchSize: '30' };
    for (const puts of [5, 3, 7]) {
      const dying = makeSource(channels, keys, dyingAfter(puts, lastExcept));
      await dying.source.start();
      await until(() => dying.warnings.length > 0, 'it dies');
      // No stop: what is left behind is as of a kill, but that nothing of it may run on.
      await dying.source.stop();
      assert.notEqual(one.stats().depthEvents, two.stats().depthEvents);
    }
    const { source, errors } = makeSource(channels, keys);
    await source.start();
    await until(() => isAllDone(spoolDir), 'it is done');
    await source.stop();
    assert.deepEqual((await drainText(one)).sort(), [...lines].sort());
    assert.deepEqual((await drainText(two)).sort(), [...lines].sort());
    assert.deepEqual(errors, []);
  });
}

test('a gap between transactions in flight is filled, in the channel that has it', async (t) => {
  const { spoolDir, one, two, channels } = await setUp(t);
  let count = 0;
  const holed = makeSource(channels, { spoolDir, batchSize: '30' }, (real) => ({
    channels: real.channels,
    note: (name, key) => real.note(name, key),
    process: async (events, options) => {
      count += 1;
      if (count >= 8 && events.length > 0) throw new Error('dead');
      if (count === 6) {
        await real.process(events, { ...options, except: new Set(['c2']) });
        throw new Error('refused');
      }
      await real.process(events, options);
    },
  }));
  await holed.source.start();
  await until(() => holed.warnings.length > 0, 'it is refused');
  await holed.source.stop();
  assert.equal(one.stats().depthEvents, 30 * 7);
  assert.equal(two.stats().depthEvents, 30 * 6);
  const { source } = makeSource(channels, { spoolDir, batchSize: '70' });
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  for (const channel of [one, two]) assert.deepEqual((await drainText(channel)).sort(), [...lines].sort());
});

test('a crash between the last put and the rename only renames', async (t) => {
  const { spoolDir, one, two, channels } = await setUp(t);
  const notes = new Map<string, NoteValue>();
  const { source } = makeSource(channels, { spoolDir }, (real) => ({
    channels: real.channels,
    note: (name, key) => real.note(name, key),
    process: async (events, options) => {
      await real.process(events, options);
      if (events.length === 0) return;
      for (const [key, value] of Object.entries(options?.notes ?? {})) if (value !== undefined) notes.set(key, value);
    },
  }));
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  // As the crash leaves it: the notes are there, the file has its old name.
  await rename(join(spoolDir, 'a.COMPLETED'), join(spoolDir, 'a'));
  for (const channel of [one, two]) {
    for (const [key, value] of notes) await channel.notes.set(key, value);
  }
  const again = makeSource(channels, { spoolDir });
  await again.source.start();
  await until(() => isAllDone(spoolDir), 'it is renamed');
  await again.source.stop();
  assert.equal(one.stats().depthEvents, 1000);
  assert.deepEqual(again.errors, []);
});

test('the check of permissions makes what is not spooled, and takes away what a kill left of one', async (t) => {
  const { spoolDir, one, channels } = await setUp(t);
  await rm(join(spoolDir, 'a'));
  const seen = new Set<string>();
  const watcher = watch(spoolDir, (_, name) => seen.add(String(name)));
  t.after(() => watcher.close());
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => [...seen].some((name) => /check/.test(name)), 'it was checked');
  await source.stop();
  const [check = ''] = [...seen].filter((name) => /check/.test(name));
  assert.match(check, /^\./, 'hidden');
  await writeFile(join(spoolDir, check), '');
  const next = makeSource(channels, { spoolDir });
  await next.source.start();
  await next.source.stop();
  assert.deepEqual(
    (await readdir(spoolDir)).filter((name) => /check/.test(name)),
    [],
  );
  assert.deepEqual(await drainText(one), []);
});

test('a file that comes back under its old name is spooled again', async (t) => {
  const { spoolDir, one, channels } = await setUp(t);
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await rename(join(spoolDir, 'a.COMPLETED'), join(spoolDir, 'a'));
  await until(() => one.stats().depthEvents === 2000, 'it is read again');
  await source.stop();
});

test('a Flume that was stopped in mid-file is continued, and can continue', async (t) => {
  const { spoolDir, one, two, channels } = await setUp(t);
  const offset = Buffer.byteLength(`${lines.slice(0, 400).join('\n')}\n`);
  const meta = join(spoolDir, '.flumespool', '.flumespool-main.meta');
  await writeMeta(meta, join(spoolDir, 'a'), [17, offset]);
  const stopped = makeSource(channels, { spoolDir, batchSize: '50' }, dyingAfter(4, 'c2'));
  await stopped.source.start();
  await until(() => stopped.warnings.length > 0, 'it stops in mid-file');
  await stopped.source.stop();
  assert.deepEqual((await drainText(one)).sort(), lines.slice(400, 600).sort());
  const read = await readMeta(meta);
  assert.equal(read.file, join(spoolDir, 'a'));
  const expected = Buffer.byteLength(`${lines.slice(0, 550).join('\n')}\n`);
  assert.deepEqual(read.offsets, [expected]);
  // Ours: the notes win. One channel is further than the file says.
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual((await drainText(one)).sort(), lines.slice(600).sort());
  assert.deepEqual((await drainText(two)).sort(), lines.slice(400).sort());
  assert.deepEqual(await readdir(join(spoolDir, '.flumespool')), []);
});

test('a meta file that was changed since wins over the notes; one that is empty or torn does not matter', async (t) => {
  const { spoolDir, one, channels } = await setUp(t);
  const meta = join(spoolDir, '.flumespool', '.flumespool-main.meta');
  const first = makeSource(channels, { spoolDir, batchSize: '50' }, dyingAfter(4, 'c2'));
  await first.source.start();
  await until(() => first.warnings.length > 0, 'it stops in mid-file');
  await first.source.stop();
  await drainText(one);
  const offset = Buffer.byteLength(`${lines.slice(0, 900).join('\n')}\n`);
  await writeMeta(meta, join(spoolDir, 'a'), [offset]);
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual((await drainText(one)).sort(), lines.slice(900).sort());
  for (const bytes of [Buffer.alloc(0), Buffer.from('Obj'), Buffer.from('nonsense')]) {
    await writeFile(meta, bytes);
    await writeFile(join(spoolDir, 'b'), 'b\n');
    const next = makeSource(channels, { spoolDir });
    await next.source.start();
    await until(async () => (await readdir(spoolDir)).includes('b.COMPLETED'), 'the next is done');
    await next.source.stop();
    await rm(join(spoolDir, 'b.COMPLETED'));
    assert.deepEqual(await drainText(one), ['b']);
  }
});

test('another file with the name and size of one half read is read from its beginning', async (t) => {
  const { spoolDir, one, two, channels } = await setUp(t);
  const first = makeSource(channels, { spoolDir, batchSize: '50' }, dyingAfter(4, 'c2'));
  await first.source.start();
  await until(() => first.warnings.length > 0, 'it stops in mid-file');
  await first.source.stop();
  await drainText(one);
  await drainText(two);
  const other = content.replaceAll('line', 'LINE');
  await writeFile(join(spoolDir, 'a'), other);
  await utimes(join(spoolDir, 'a'), 1_700_000_000, 1_700_000_000);
  await rm(join(spoolDir, '.flumespool', '.flumespool-main.meta'));
  const { source } = makeSource(channels, { spoolDir });
  await source.start();
  await until(() => isAllDone(spoolDir), 'it is done');
  await source.stop();
  assert.deepEqual(await drainText(one), other.trimEnd().split('\n'));
});

const metaSchema =
  '{"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization",' +
  '"fields":[{"name":"offset","type":"long"}]}';

/** As Flume does: a block for each commit. By another writer than ours. */
async function writeMeta(path: string, file: string, offsets: readonly number[]): Promise<void> {
  const encoder = new avsc.streams.BlockEncoder(avsc.Type.forSchema(JSON.parse(metaSchema)), {
    metadata: { file: Buffer.from(file) },
    blockSize: 1,
  } as ConstructorParameters<typeof avsc.streams.BlockEncoder>[1]);
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (const offset of offsets) encoder.write({ offset });
  encoder.end();
  await ended;
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, Buffer.concat(chunks));
}

async function readMeta(path: string): Promise<{ file: string; offsets: number[] }> {
  const decoder = new avsc.streams.BlockDecoder();
  const offsets: number[] = [];
  let file = '';
  decoder.on('metadata', (_type, _codec, header: { meta: Record<string, Buffer> }) => {
    file = String(header.meta['file']);
  });
  decoder.on('data', (record: { offset: number }) => offsets.push(record.offset));
  const ended = new Promise((resolve, reject) => decoder.on('end', resolve).on('error', reject));
  decoder.end(await readFile(path));
  await ended;
  return { file, offsets };
}

test('file channels keep the place over a stop', async (t) => {
  const root = await tempDir(t);
  const spoolDir = await tempDir(t);
  await writeFile(join(spoolDir, 'a'), content);
  const got: string[] = [];
  for (const puts of [3, 9, 100]) {
    const channel = await FileChannel.open(root, { segmentBytes: 1_048_576, minimumFreeBytes: 0 });
    const { source, warnings } = makeSource(
      new Map([['c1', channel]]),
      { spoolDir, batchSize: '30' },
      dyingAfter(puts, 'none'),
    );
    await source.start();
    await until(async () => warnings.length > 0 || (await isAllDone(spoolDir)), 'it stops');
    await source.stop();
    got.push(...(await drainText(channel)));
    await channel.close();
  }
  assert.deepEqual(got, lines);
});
