/** The file_roll sink over real channels and real files: names, rolling, failures, and what a kill leaves behind. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { avroEventSerializer } from '../../../../src/adapters/serializers/avro-event.ts';
import { textSerializer } from '../../../../src/adapters/serializers/text.ts';
import { fileNames } from '../../../../src/adapters/sinks/file-roll/file-names.ts';
import { fileRollSink } from '../../../../src/adapters/sinks/file-roll/file-roll-sink.ts';
import type { Serializer, Sink } from '../../../../src/agent/contracts/components.ts';
import { type Channel, type Clock, FileChannel, MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { sinkOn, valuesOf, type Watched } from '../../contexts.ts';

const never = new AbortController().signal;
const now = AbortSignal.abort();
const start = 1_790_000_000_000;

const { context } = sinkOn(await MemoryChannel.open());
const makeText = (): Serializer => textSerializer.create(valuesOf(textSerializer), context);
const makeAvro = (): Serializer => avroEventSerializer.create(valuesOf(avroEventSerializer), context);

function sinkIn(
  directory: string,
  channel: Channel,
  {
    texts = {},
    clock = new ManualClock(),
    make = makeText,
  }: { texts?: object; clock?: Clock; make?: () => Serializer } = {},
): Watched<object> & { readonly sink: Sink } {
  const watched = sinkOn(channel, make, clock);
  const values = valuesOf(fileRollSink, { 'sink.directory': directory, ...texts });
  return { ...watched, sink: fileRollSink.create(values, watched.context) };
}

async function put(channel: Channel, from: number, count: number): Promise<void> {
  const bodies = Array.from({ length: count }, (_, index) => Buffer.from(String(from + index)));
  await channel.put(bodies.map((body) => ({ headers: {}, body })));
}

async function filesIn(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')])),
  );
}

async function withFiles(t: TestContext): Promise<string> {
  const directory = join(await tempDir(t), 'out');
  await mkdir(directory);
  return directory;
}

test('names are Flume’s: the start and a number, or the time of each file', () => {
  const clock = new ManualClock();
  const plain = fileNames({ manager: 'DEFAULT', prefix: '', extension: '', clock });
  assert.deepEqual([plain(), plain()], [`${start}-1`, `${start}-2`]);
  const full = fileNames({ manager: 'DEFAULT', prefix: 'web-', extension: 'log', clock });
  assert.equal(full(), `web-${start}-1.log`);
  const byTime = fileNames({ manager: 'ROLLTIME', prefix: 'p', extension: 'x', clock });
  const local = (ms: number): string => {
    const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
    return date.toISOString().replace(/\D/g, '').slice(0, 14);
  };
  const first = [byTime(), byTime()];
  clock.advance(1000);
  assert.deepEqual(
    [...first, byTime()],
    [`p${local(start)}-1.x`, `p${local(start)}-2.x`, `p${local(start + 1000)}-1.x`],
  );
});

test('batches go to a file, a new one at each interval, also an empty one', async (t) => {
  const directory = await withFiles(t);
  const clock = new ManualClock();
  const channel = await MemoryChannel.open();
  await put(channel, 0, 32);
  const upTo = (count: number): string => Array.from({ length: count }, (_, index) => `${index}\n`).join('');
  const names = { 'sink.pathManager.prefix': 'web-', 'sink.pathManager.extension': 'log' };
  const texts = { 'sink.batchSize': '3', 'sink.rollInterval': '10', ...names };
  const { sink, counts } = sinkIn(directory, channel, { texts, clock });
  await sink.start();
  assert.equal(await sink.process(never), 'ready');
  assert.deepEqual(await filesIn(directory), { [`web-${start}-1.log`]: upTo(30) }, 'ten full batches');
  clock.advance(9_999);
  assert.equal(await sink.process(never), 'ready');
  clock.advance(1);
  assert.equal(await sink.process(now), 'backoff');
  clock.advance(25_000);
  await put(channel, 99, 1);
  assert.equal(await sink.process(never), 'ready');
  // Due again at 40 s, not 10 s later.
  clock.advance(4_999);
  await sink.process(now);
  clock.advance(1);
  await sink.process(now);
  await sink.stop();
  assert.deepEqual(await filesIn(directory), {
    [`web-${start}-1.log`]: upTo(32),
    [`web-${start}-2.log`]: '',
    [`web-${start}-3.log`]: '99\n',
    [`web-${start}-4.log`]: '',
  });
  assert.equal(channel.stats().depthEvents, 0);
  assert.equal(counts.get('EventDrainSuccessCount'), 33);
  assert.equal(counts.get('ConnectionCreatedCount'), 4);
  assert.equal(counts.get('ConnectionClosedCount'), 4);
  await channel.close();
});

test('full batches that are ready are written together, up to 10,000 events or 4 MiB', async (t) => {
  const channel = await MemoryChannel.open();
  const linesAfterOneCall = async (batchSize: string): Promise<number> => {
    const directory = await withFiles(t);
    const { sink } = sinkIn(directory, channel, { texts: { 'sink.batchSize': batchSize } });
    await sink.start();
    assert.equal(await sink.process(never), 'ready');
    await sink.stop();
    return (
      Object.values(await filesIn(directory))
        .join('')
        .split('\n').length - 1
    );
  };
  for (let from = 0; from < 16_000; from += 4000) await put(channel, from, 4000);
  assert.equal(await linesAfterOneCall('3000'), 12_000);
  assert.equal(await linesAfterOneCall('5000'), 4000);
  const large = { headers: {}, body: Buffer.alloc(2 ** 20, 120) };
  await channel.put([large, large, large, large, large]);
  assert.equal(await linesAfterOneCall('1'), 4);
  await channel.close();
});

test('rollInterval 0 never rolls; a name that is taken is passed over; the umask holds', async (t) => {
  const directory = await withFiles(t);
  const clock = new ManualClock();
  const channel = await MemoryChannel.open();
  await writeFile(join(directory, `${start}-1`), 'theirs');
  await put(channel, 0, 2);
  const { sink } = sinkIn(directory, channel, { texts: { 'sink.rollInterval': '0', 'sink.batchSize': '1' }, clock });
  await sink.start();
  await sink.process(never);
  clock.advance(1e9);
  await put(channel, 2, 1);
  await sink.process(never);
  await sink.stop();
  assert.deepEqual(await filesIn(directory), { [`${start}-1`]: 'theirs', [`${start}-2`]: '0\n1\n2\n' });
  assert.equal((await stat(join(directory, `${start}-2`))).mode & 0o777, 0o666 & ~process.umask());
  await channel.close();
});

test('a directory that is not there is said, and is found once it is there', async (t) => {
  const directory = join(await tempDir(t), 'late');
  const channel = await MemoryChannel.open();
  const { sink } = sinkIn(directory, channel);
  await assert.rejects(sink.start(), /sink\.directory .*late cannot be used \(ENOENT\): create it/);
  await mkdir(directory);
  await sink.start();
  await sink.stop();
  await channel.close();
});

test('what a failed acknowledgement leaves in the file is cut off: no event stands twice', async (t) => {
  const directory = await withFiles(t);
  const channel = await MemoryChannel.open();
  await put(channel, 0, 2);
  let takesLeaseAway = false;
  // The same name again ends the lease in the middle: bytes are written and synced, the commit is refused.
  const make = (): Serializer => {
    const serializer = makeText();
    return {
      ...serializer,
      header: () => serializer.header(),
      canReopen: true,
      serialize: (events) => {
        if (takesLeaseAway) channel.consumer('sink/x1');
        return serializer.serialize(events);
      },
    };
  };
  const { sink, said, counts } = sinkIn(directory, channel, { texts: { 'sink.batchSize': '2' }, make });
  await sink.start();
  await sink.process(never);
  await put(channel, 2, 2);
  takesLeaseAway = true;
  await assert.rejects(sink.process(never), { code: 'TRANSACTION_STATE' });
  assert.deepEqual(await filesIn(directory), { [`${start}-1`]: '0\n1\n2\n3\n' });
  assert.equal(counts.get('ChannelReadFail'), 1);
  takesLeaseAway = false;
  await sink.stop();
  await sink.start();
  assert.equal(await sink.process(never), 'ready');
  assert.deepEqual(await filesIn(directory), { [`${start}-1`]: '0\n1\n', [`${start}-2`]: '2\n3\n' });
  assert.deepEqual(
    said.map(({ fields }) => fields['cutBytes']),
    [4],
  );
  await sink.stop();
  await channel.close();
});

test('a directory that cannot be written rejects, keeps the events, and works once it can', async (t) => {
  const directory = await withFiles(t);
  const channel = await MemoryChannel.open();
  await put(channel, 0, 2);
  const { sink } = sinkIn(directory, channel);
  await sink.start();
  const away = `${directory}-away`;
  await rename(directory, away);
  await assert.rejects(sink.process(never), { code: 'ENOENT' });
  assert.equal(channel.stats().depthEvents, 2);
  await rename(away, directory);
  assert.equal(await sink.process(never), 'ready');
  assert.deepEqual(Object.values(await filesIn(directory)), ['0\n1\n']);
  await sink.stop();
  await channel.close();
});

test('after a kill: what was not acknowledged is cut off, the rest goes to a new file', async (t) => {
  const directory = await withFiles(t);
  const home = join(directory, '..', 'channel');
  const first = await FileChannel.open(home);
  await put(first, 0, 3);
  const before = sinkIn(directory, first, { make: makeAvro });
  await before.sink.start();
  await before.sink.process(never);
  await before.sink.stop();
  await first.close();
  const path = join(directory, `${start}-1`);
  const good = await readFile(path);
  // As a process leaves it that was killed between its sync and its acknowledgement.
  await writeFile(path, Buffer.concat([good, Buffer.from('half a block')]));
  const second = await FileChannel.open(home);
  const clock = new ManualClock(0, 60_000);
  const after = sinkIn(directory, second, { make: makeAvro, clock });
  await after.sink.start();
  assert.equal(await after.sink.process(now), 'backoff');
  assert.deepEqual(await readFile(path), good);
  assert.deepEqual(
    after.said.map(({ fields }) => fields['cutBytes']),
    [12],
  );
  await after.sink.stop();
  await second.close();
});

const changes: [name: string, change: (path: string) => Promise<unknown>, expected: string | undefined][] = [
  ['another file', (path) => rename(path, `${path}.kept`).then(() => writeFile(path, 'of somebody')), 'of somebody'],
  ['a shorter file', (path) => truncate(path, 1), '0'],
  ['no file', (path) => rename(path, `${path}.moved`), undefined],
];
for (const [name, change, expected] of changes) {
  test(`${name} where the noted one was is left alone`, async (t) => {
    const directory = await withFiles(t);
    const channel = await MemoryChannel.open();
    await put(channel, 0, 1);
    const before = sinkIn(directory, channel);
    await before.sink.start();
    await before.sink.process(never);
    await before.sink.stop();
    const path = join(directory, `${start}-1`);
    await change(path);
    const after = sinkIn(directory, channel, { clock: new ManualClock(0, 60_000) });
    await after.sink.start();
    await after.sink.process(now);
    await after.sink.stop();
    assert.equal(await readFile(path, 'utf8').catch(() => undefined), expected);
    assert.deepEqual(after.said, []);
    await channel.close();
  });
}
