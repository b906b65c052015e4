/** The hdfs sink over a real channel and real files: buckets, failures of one and of all, and events without a file. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type FileChannel, isForebayError } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../contexts.ts';
import {
  drainInto,
  filesIn,
  makeSink,
  never,
  numbersIn,
  openChannel,
  putNumbers,
  type SinkOptions,
  startMs,
  whileTimePasses,
} from './hdfs-harness.ts';

async function scene(t: TestContext, options: SinkOptions & { readonly path?: string } = {}) {
  const home = await tempDir(t);
  const out = join(home, 'out');
  const channel = await openChannel(join(home, 'channel'));
  t.after(() => channel.close());
  const clock = new ManualClock();
  const texts = { 'hdfs.path': join(out, options.path ?? ''), ...options.texts };
  const made = makeSink(out, channel, { clock, ...options, texts });
  await made.sink.start();
  return { ...made, channel, clock, out, home };
}

const hosts = (count: number) => (number: number) => ({ host: `h${number % count}` });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const leased = (channel: FileChannel): number => channel.stats().leasedEvents;

test('each bucket has a file, each event is in its own once, and a stop ends all files', async (t) => {
  const { sink, channel, out, counts } = await scene(t, { path: '%{host}', texts: { 'hdfs.batchSize': '7' } });
  await putNumbers(channel, 0, 100, hosts(9));
  await drainInto(sink, channel);
  assert.equal(leased(channel), 100);
  await sink.stop();
  const files = await filesIn(out);
  assert.equal(Object.keys(files).length, 9);
  for (const [path, text] of Object.entries(files)) {
    assert.match(path, /^h\d\/FlumeData\.\d+$/);
    const mod = Number(path[1]);
    assert.ok(
      text
        .split('\n')
        .slice(0, -1)
        .every((line) => Number(line) % 9 === mod),
    );
  }
  assert.deepEqual(numbersIn(files), upTo(100));
  assert.equal(channel.stats().depthEvents, 0);
  const expected = {
    BatchCompleteCount: 14,
    BatchUnderflowCount: 1,
    EventDrainAttemptCount: 100,
    EventDrainSuccessCount: 100,
    ConnectionCreatedCount: 9,
    ConnectionClosedCount: 9,
  };
  assert.deepEqual(Object.fromEntries(counts), expected);
});

test('nothing to take: what waits is written, and the call asks for a pause', async (t) => {
  const { sink, channel, out, counts } = await scene(t);
  await putNumbers(channel, 0, 3);
  assert.equal(await sink.process(never), 'ready');
  assert.equal(await sink.process(AbortSignal.timeout(20)), 'backoff');
  assert.equal(counts.get('BatchEmptyCount'), 1);
  await until(() => leased(channel) === 3, 'leases');
  for (let turn = 0; turn < 500 && numbersIn(await filesIn(out)).length < 3; turn += 1) await setTimeout(5);
  assert.deepEqual(await filesIn(out), { [`FlumeData.${startMs + 1}.tmp`]: '0\n1\n2\n' });
  await sink.stop();
});

test('a bucket that fails does not stop the others, and has its events when it works again', async (t) => {
  const { sink, channel, out, clock, said } = await scene(t, { path: '%{host}', texts: { 'hdfs.batchSize': '5' } });
  await mkdir(out);
  await writeFile(join(out, 'h1'), 'no directory');
  await putNumbers(channel, 0, 60, hosts(3));
  for (let turn = 0; turn < 5; turn += 1) {
    await drainInto(sink, channel);
    await sink.process(AbortSignal.timeout(10));
    await setTimeout(20);
  }
  await until(() => said.some(({ text }) => text.startsWith('a file cannot be written')), 'a failure');
  assert.ok(said.length <= 2, 'it does not spin');
  const others = numbersIn(await filesIn(out)).filter((number) => number % 3 !== 1 && !Number.isNaN(number));
  assert.equal(others.length, 40);
  await rm(join(out, 'h1'));
  clock.advance(2000);
  await setTimeout(20);
  await drainInto(sink, channel);
  await whileTimePasses(clock, sink.stop());
  assert.deepEqual(numbersIn(await filesIn(out)), upTo(60));
  assert.equal(channel.stats().depthEvents, 0);
});

test('where all buckets fail the call rejects, and the events are another sink’s to take', async (t) => {
  const { sink, channel, out, clock } = await scene(t, { path: '%{host}' });
  await writeFile(out, 'no directory');
  await putNumbers(channel, 0, 10, hosts(2));
  const drain = async (): Promise<unknown> => {
    for (let turn = 0; turn < 100; turn += 1) {
      try {
        await sink.process(AbortSignal.timeout(10));
      } catch (error) {
        return error;
      }
    }
    return undefined;
  };
  assert.match(String(await drain()), /ENOTDIR|not a directory|out/);
  assert.equal(leased(channel), 0);
  const other = await channel.take(100);
  assert.equal(other.events.length, 10);
  await other.rollback();
  // Before the time has come nothing is tried, and nothing is kept either.
  await assert.rejects(sink.process(never));
  assert.equal(leased(channel), 0);
  await rm(out);
  clock.advance(5000);
  await drainInto(sink, channel);
  await whileTimePasses(clock, sink.stop());
  assert.deepEqual(numbersIn(await filesIn(out)), upTo(10));
});

test('an event without a path is kept: the rest goes on, and the call says why', async (t) => {
  const { sink, channel, out } = await scene(t, { path: '%Y' });
  await channel.put([
    { headers: { timestamp: '1790000000000' }, body: Buffer.from('1') },
    { headers: {}, body: Buffer.from('2') },
    { headers: { timestamp: '1790000000000' }, body: Buffer.from('3') },
  ]);
  await assert.rejects(sink.process(never), /event 2 is kept: the event has no header 'timestamp'/);
  assert.equal(leased(channel), 2);
  await assert.rejects(sink.process(never), /event 2 is kept/);
  await sink.stop();
  assert.deepEqual(numbersIn(await filesIn(out)), [1, 3]);
  assert.equal(channel.stats().depthEvents, 1);
});

test('an event that the serializer refuses is moved where undeliverable ones go', async (t) => {
  const moved: string[] = [];
  const { sink, channel, out } = await scene(t, {
    make: () => ({
      header: () => Buffer.alloc(0),
      canReopen: true,
      serialize: (events) => {
        if (events.some(({ body }) => body[0] === 0x78)) throw new Error('an x');
        return Buffer.concat(events.map(({ body }) => Buffer.concat([body, Buffer.from('\n')])));
      },
    }),
    undeliverable: async (consumer, events) => {
      for (const { event, reason } of events) moved.push(`${event.sequence} ${reason}`);
      await consumer.commit(events.map(({ event }) => ({ first: event.sequence, last: event.sequence })));
    },
  });
  await channel.put(['1', 'x', '3'].map((text) => ({ headers: {}, body: Buffer.from(text) })));
  assert.equal(await sink.process(never), 'ready');
  await sink.stop();
  assert.deepEqual(numbersIn(await filesIn(out)), [1, 3]);
  assert.equal(moved.length, 1);
  assert.match(moved[0] ?? '', /^2 .*an x/);
  assert.equal(channel.stats().depthEvents, 0);
});

test('names that are taken, by files or directories, are passed over and left alone', async (t) => {
  const { sink, channel, out, said } = await scene(t, { texts: { 'hdfs.rollCount': '2' } });
  await mkdir(join(out, `FlumeData.${startMs + 2}`), { recursive: true });
  await writeFile(join(out, `FlumeData.${startMs + 1}`), 'another’s');
  await writeFile(join(out, `FlumeData.${startMs + 3}.tmp`), 'another’s');
  await putNumbers(channel, 0, 6);
  await drainInto(sink, channel);
  await sink.stop();
  const files = await filesIn(out);
  assert.equal(files[`FlumeData.${startMs + 1}`], 'another’s');
  assert.equal(files[`FlumeData.${startMs + 3}.tmp`], 'another’s');
  delete files[`FlumeData.${startMs + 1}`];
  delete files[`FlumeData.${startMs + 3}.tmp`];
  assert.equal(Object.keys(files).length, 3);
  assert.deepEqual(numbersIn(files), upTo(6));
  assert.equal(said.filter(({ text }) => text.startsWith('the name of a finished file is taken')).length, 2);
});

test('a channel that fails ends the sink’s work: what the files hold is for the next life to see', async (t) => {
  const { sink, channel, out, home } = await scene(t, { texts: { 'hdfs.rollCount': '4' } });
  await putNumbers(channel, 0, 6);
  await sink.process(never);
  await until(() => channel.stats().counters.taken === 4, 'the first file');
  await channel.close();
  await assert.rejects(sink.process(never), (error) => isForebayError(error) && error.code === 'CHANNEL_CLOSED');
  await sink.stop();
  const again = await openChannel(join(home, 'channel'));
  const next = makeSink(out, again, {});
  await next.sink.start();
  await drainInto(next.sink, again);
  await next.sink.stop();
  assert.deepEqual(numbersIn(await filesIn(out)), upTo(6));
  await again.close();
});
