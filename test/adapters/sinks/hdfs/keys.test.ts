/** The keys of the hdfs sink, each by what it does to the files: their names, their paths, where one ends. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { FileSystem } from '../../../../src/adapters/sinks/hdfs/file-system.ts';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { type Headers, MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { filesIn, makeSink, startMs } from './hdfs-harness.ts';

/** In the name of the first file: Flume counts up before it takes the number. */
const first = startMs + 1;
/** With it a call waits for nothing. */
const now = AbortSignal.abort();

interface Given {
  readonly texts: Readonly<Record<string, string>>;
  /** Behind the directory. */
  readonly path?: string;
  readonly fileSystem?: FileSystem;
}

/** A started sink whose files do not end but where a test says so. Stopped when the test ends. */
async function scene(t: TestContext, { texts, path = '', fileSystem = localFileSystem() }: Given) {
  const directory = await tempDir(t);
  const channel = await MemoryChannel.open();
  const clock = new ManualClock();
  const all = { 'hdfs.path': `${directory}${path}`, ...texts };
  const { sink } = makeSink(directory, channel, { texts: all, clock, fileSystem });
  t.after(() => sink.stop());
  await sink.start();
  const write = async (bodies: readonly string[], headers: Headers = {}): Promise<void> => {
    await channel.put(bodies.map((body) => ({ headers, body: Buffer.from(body) })));
    await sink.process(new AbortController().signal);
    // There is nothing left to take: what waits is written.
    await sink.process(now);
  };
  const contents = (): Promise<Record<string, string>> => filesIn(directory);
  const names = async (): Promise<string[]> => Object.keys(await contents());
  return { sink, clock, write, contents, names };
}

/** The names once there are so many; fails after 10 s. */
async function someNames(names: () => Promise<string[]>, count: number): Promise<string[]> {
  for (let turn = 0; turn < 1000; turn += 1) {
    const found = await names();
    if (found.length >= count) return found;
    await setTimeout(10);
  }
  throw new Error(`there are no ${count} files`);
}

test('names: the prefix, the suffix, and what they have while they are written', async (t) => {
  const whileWritten = { 'hdfs.inUsePrefix': '_', 'hdfs.inUseSuffix': '.part' };
  const texts = { 'hdfs.filePrefix': 'web', 'hdfs.fileSuffix': '.log', ...whileWritten };
  const { sink, write, names } = await scene(t, { texts });
  await write(['x']);
  assert.deepEqual(await someNames(names, 1), [`_web.${first}.log.part`]);
  await sink.stop();
  assert.deepEqual(await names(), [`web.${first}.log`]);
});

test('emptyInUseSuffix: a name has no suffix while it is written', async (t) => {
  const { write, names } = await scene(t, { texts: { 'hdfs.emptyInUseSuffix': 'true' } });
  await write(['x']);
  assert.deepEqual(await someNames(names, 1), [`FlumeData.${first}`]);
});

test('fileType: the bytes of the serializer, or a SequenceFile', async (t) => {
  const plain = await scene(t, { texts: {} });
  await plain.write(['x', 'y']);
  await plain.sink.stop();
  assert.deepEqual(Object.values(await plain.contents()), ['x\ny\n']);
  const sequence = await scene(t, { texts: { 'hdfs.fileType': 'SequenceFile' } });
  await sequence.write(['x']);
  await sequence.sink.stop();
  assert.match(Object.values(await sequence.contents())[0] ?? '', /^SEQ.*org\.apache\.hadoop\.io\.LongWritable/);
});

test('round and roundValue: the time in a path goes down to a multiple', async (t) => {
  const rounded = { 'hdfs.round': 'true', 'hdfs.roundValue': '10', 'hdfs.roundUnit': 'minute', 'hdfs.timeZone': 'UTC' };
  const { sink, write, names } = await scene(t, { texts: rounded, path: '/%H%M%S' });
  await write(['x'], { timestamp: String(startMs) });
  await sink.stop();
  assert.deepEqual(await names(), [`141000/FlumeData.${first}`]);
});

test('timeZone: the time in a path is that of the zone', async (t) => {
  for (const [zone, hour] of [
    ['Asia/Tokyo', '23'],
    ['America/New_York', '10'],
  ] as const) {
    const { sink, write, names } = await scene(t, { texts: { 'hdfs.timeZone': zone }, path: '/%H' });
    await write(['x'], { timestamp: String(startMs) });
    await sink.stop();
    assert.deepEqual(await names(), [`${hour}/FlumeData.${first}`], zone);
  }
});

test('useLocalTimeStamp: the time in a path is the clock’s, not the header’s', async (t) => {
  const { sink, write, names } = await scene(t, { texts: { 'hdfs.useLocalTimeStamp': 'true' }, path: '/%Y' });
  await write(['x'], { timestamp: '1000000000000' });
  await sink.stop();
  assert.deepEqual(await names(), [`2026/FlumeData.${first}`]);
});

test('rollCount: a file has so many events', async (t) => {
  const { sink, write, contents } = await scene(t, { texts: { 'hdfs.rollCount': '2' } });
  await write(['1', '2', '3', '4', '5']);
  await sink.stop();
  assert.deepEqual(Object.values(await contents()), ['1\n2\n', '3\n4\n', '5\n']);
});

test('rollSize: a file ends behind so many bytes of bodies', async (t) => {
  const { sink, write, contents } = await scene(t, { texts: { 'hdfs.rollSize': '10' } });
  await write(['123456', '123456', '12345678901', '1']);
  await sink.stop();
  assert.deepEqual(Object.values(await contents()), ['123456\n123456\n', '12345678901\n', '1\n']);
});

/** A file of one event is still written just before `afterMs`, and ends soon after. */
async function endsAfter(t: TestContext, texts: Record<string, string>, afterMs: number): Promise<void> {
  const { clock, write, names } = await scene(t, { texts });
  const isWritten = async (): Promise<boolean> => (await names()).some((name) => name.endsWith('.tmp'));
  await write(['x']);
  await someNames(names, 1);
  clock.advance(afterMs - 300);
  await setTimeout(200);
  assert.equal(await isWritten(), true);
  clock.advance(600);
  for (let turn = 0; turn < 500 && (await isWritten()); turn += 1) await setTimeout(10);
  assert.deepEqual(await names(), [`FlumeData.${first}`]);
}

test('rollInterval: a file ends so long after its first event', async (t) => {
  await endsAfter(t, { 'hdfs.rollInterval': '60' }, 60_000);
});

test('idleTimeout: a file ends so long after its last event', async (t) => {
  await endsAfter(t, { 'hdfs.idleTimeout': '20' }, 20_000);
});

test('threadsPoolSize: so many files are closed at a time', async (t) => {
  const mostAtOnce = async (threadsPoolSize: string): Promise<number> => {
    const real = localFileSystem();
    let renaming = 0;
    let most = 0;
    const slow: FileSystem = {
      prefix: real.prefix,
      create: (path) => real.create(path),
      append: (path) => real.append(path),
      truncate: (path, lengthBytes) => real.truncate(path, lengthBytes),
      rename: async (from, to) => {
        renaming += 1;
        most = Math.max(most, renaming);
        await setTimeout(50);
        await real.rename(from, to);
        renaming -= 1;
      },
      status: (path) => real.status(path),
      delete: (path) => real.delete(path),
      makeDirectories: (path) => real.makeDirectories(path),
      lateMs: real.lateMs,
      proveActive: (directory) => real.proveActive(directory),
      leastReplicas: (path) => real.leastReplicas(path),
      close: () => real.close(),
    };
    const texts = { 'hdfs.threadsPoolSize': threadsPoolSize, 'hdfs.rollCount': '1' };
    const { sink, write, names } = await scene(t, { texts, fileSystem: slow });
    await write(['1', '2', '3', '4', '5', '6']);
    await sink.stop();
    assert.equal((await names()).length, 6);
    return most;
  };
  assert.equal(await mostAtOnce('2'), 2);
  assert.ok((await mostAtOnce('6')) > 2);
});
