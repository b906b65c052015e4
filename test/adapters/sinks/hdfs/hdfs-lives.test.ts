/** Files of the hdfs sink that outlast a stretch, a kill, another configuration, or someone who takes them away. */
import assert from 'node:assert/strict';
import { appendFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { avroEventSerializer } from '../../../../src/adapters/serializers/avro-event.ts';
import { HdfsSink, hdfsSink } from '../../../../src/adapters/sinks/hdfs/hdfs-sink.ts';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { type FileChannel, MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { sinkOn, until, valuesOf } from '../../contexts.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import {
  drainInto,
  filesIn,
  makeSink,
  numbersIn,
  openChannel,
  putNumbers,
  type SinkOptions,
  startMs,
  whileTimePasses,
} from './hdfs-harness.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const hosts = (count: number) => (number: number) => ({ host: `h${number % count}` });
const { context: anyContext } = sinkOn(await MemoryChannel.open());

/** Lives after one another in one place. */
class Place {
  readonly home: string;
  readonly out: string;

  constructor(home: string) {
    this.home = home;
    this.out = join(home, 'out');
  }

  static async make(t: TestContext): Promise<Place> {
    return new Place(await tempDir(t));
  }

  async life(options: SinkOptions & { readonly path?: string; readonly laterMs?: number } = {}) {
    const channel = await openChannel(join(this.home, 'channel'));
    const clock = new ManualClock(0, options.laterMs ?? 0);
    const fileSystem = new FaultyFileSystem(localFileSystem());
    const texts = { 'hdfs.path': join(this.out, options.path ?? ''), ...options.texts };
    const made = makeSink(this.out, channel, { clock, fileSystem, ...options, texts });
    await made.sink.start();
    const stop = async (): Promise<void> => {
      await whileTimePasses(clock, made.sink.stop());
      await channel.close();
    };
    const kill = async (): Promise<void> => {
      fileSystem.isDead = true;
      clock.forget();
      await fileSystem.release();
      await channel.close();
    };
    return { ...made, channel, clock, fileSystem, stop, kill };
  }
}

/** Lets all events become acknowledged, by time alone. */
async function stretch({ channel, clock }: { channel: FileChannel; clock: ManualClock }, byMs = 6000): Promise<void> {
  clock.advance(byMs);
  await until(() => channel.stats().depthEvents === 0, 'a stretch');
}

test('a file that stays open is acknowledged now and then, and gone on with, also after a kill', async (t) => {
  const place = await Place.make(t);
  const texts = { 'hdfs.maxPinnedAge': '5' };
  const first = await place.life({ texts });
  for (const from of [0, 3]) {
    await putNumbers(first.channel, from, 3);
    await drainInto(first.sink, first.channel);
    await stretch(first);
  }
  await putNumbers(first.channel, 6, 2);
  await drainInto(first.sink, first.channel);
  await first.kill();
  const temporary = join(place.out, `FlumeData.${startMs + 1}.tmp`);
  await appendFile(temporary, 'what was not acknowledged\n');
  const second = await place.life({ texts, laterMs: 60_000 });
  await putNumbers(second.channel, 8, 2);
  await drainInto(second.sink, second.channel);
  await second.stop();
  const files = await filesIn(place.out);
  assert.deepEqual(Object.keys(files), [`FlumeData.${startMs + 1}`]);
  assert.deepEqual(numbersIn(files), upTo(10));
  assert.equal(second.counts.get('ConnectionCreatedCount'), undefined);
});

test('a file of an earlier life ends when its time is over, without an event', async (t) => {
  const place = await Place.make(t);
  const texts = { 'hdfs.maxPinnedAge': '5', 'hdfs.rollInterval': '100' };
  const first = await place.life({ texts });
  await putNumbers(first.channel, 0, 3);
  await drainInto(first.sink, first.channel);
  await stretch(first);
  await first.kill();
  const second = await place.life({ texts, laterMs: 90_000 });
  await setTimeout(30);
  assert.deepEqual(Object.keys(await filesIn(place.out)), [`FlumeData.${startMs + 1}.tmp`]);
  second.clock.advance(11_000);
  await until(() => second.counts.get('ConnectionClosedCount') === 1, 'the end of the file');
  assert.deepEqual(await filesIn(place.out), { [`FlumeData.${startMs + 1}`]: '0\n1\n2\n' });
  await second.stop();
});

const changes = {
  'another path': { path: 'elsewhere' },
  'another prefix': { texts: { 'hdfs.filePrefix': 'other' } },
  'another type': { texts: { 'hdfs.fileType': 'SequenceFile' } },
} as const;
for (const [name, change] of Object.entries(changes)) {
  test(`a file that the configuration has no use for any more is cut and named: ${name}`, async (t) => {
    const place = await Place.make(t);
    const first = await place.life({ texts: { 'hdfs.maxPinnedAge': '5' } });
    await putNumbers(first.channel, 0, 3);
    await drainInto(first.sink, first.channel);
    await stretch(first);
    await first.kill();
    await appendFile(join(place.out, `FlumeData.${startMs + 1}.tmp`), 'not acknowledged\n');
    const second = await place.life({ laterMs: 60_000, ...change });
    await until(() => second.counts.get('ConnectionClosedCount') === 1, 'the end of the old file');
    assert.deepEqual(await filesIn(place.out), { [`FlumeData.${startMs + 1}`]: '0\n1\n2\n' });
    await second.stop();
  });
}

test('a file that cannot be gone on with ends early, and that is said once', async (t) => {
  const place = await Place.make(t);
  const make = () => avroEventSerializer.create(valuesOf(avroEventSerializer), anyContext);
  const life = await place.life({ texts: { 'hdfs.maxPinnedAge': '5' }, make });
  for (const from of [0, 3]) {
    await putNumbers(life.channel, from, 3);
    await drainInto(life.sink, life.channel);
    await stretch(life);
  }
  assert.deepEqual(
    (await readdir(place.out)).sort(),
    [1, 6001].map((ms) => `FlumeData.${startMs + ms}`),
  );
  assert.equal(life.said.filter(({ text }) => text.includes('cannot be gone on with')).length, 1);
  await life.stop();
});

test('at least once: events are acknowledged and visible while their file is open', async (t) => {
  const place = await Place.make(t);
  const life = await place.life({ texts: { 'hdfs.delivery': 'at-least-once' }, path: '%{host}' });
  await putNumbers(life.channel, 0, 40, hosts(4));
  await drainInto(life.sink, life.channel);
  await until(() => life.channel.stats().depthEvents === 0, 'acknowledgements');
  const open = await filesIn(place.out);
  assert.ok(Object.keys(open).every((path) => path.endsWith('.tmp')));
  assert.deepEqual(numbersIn(open), upTo(40));
  await putNumbers(life.channel, 40, 40, hosts(4));
  await drainInto(life.sink, life.channel);
  await life.stop();
  assert.equal(Object.keys(await filesIn(place.out)).length, 4);
  assert.deepEqual(numbersIn(await filesIn(place.out)), upTo(80));
});

test('maxOpenStreams: files beyond it are made safe, and gone on with when their events come', async (t) => {
  const place = await Place.make(t);
  const life = await place.life({ texts: { 'hdfs.maxOpenStreams': '2' }, path: '%{host}' });
  for (let from = 0; from < 60; from += 20) {
    await putNumbers(life.channel, from, 20, hosts(10));
    await drainInto(life.sink, life.channel);
    await life.sink.process(AbortSignal.timeout(10));
    await setTimeout(50);
    await putNumbers(life.channel, from + 1000, 1, () => ({ host: 'h0' }));
    await drainInto(life.sink, life.channel);
    // Two files stay open, with two or three events more each time.
    await until(() => life.channel.stats().leasedEvents <= 5 * (1 + from / 20), 'streams ended');
  }
  assert.ok(life.fileSystem.calls.includes('append'));
  await life.stop();
  const files = await filesIn(place.out);
  assert.equal(Object.keys(files).length, 10);
  assert.deepEqual(numbersIn(files), [...upTo(60), 1000, 1020, 1040]);
});

test('maxOpenFiles: the file that has waited longest is ended', async (t) => {
  const place = await Place.make(t);
  const life = await place.life({ texts: { 'hdfs.maxOpenFiles': '2' }, path: '%{host}' });
  for (const host of ['a', 'b', 'a', 'c']) {
    await putNumbers(life.channel, 0, 1, () => ({ host }));
    await drainInto(life.sink, life.channel);
  }
  await until(() => life.counts.get('ConnectionClosedCount') === 1, 'a file ended');
  assert.deepEqual(await readdir(join(place.out, 'b')), [`FlumeData.${startMs + 1}`]);
  await life.stop();
});

test('names go on upwards where the clock was set back', async (t) => {
  const place = await Place.make(t);
  for (const laterMs of [50_000, 0]) {
    const life = await place.life({ laterMs });
    await putNumbers(life.channel, 0, 1);
    await drainInto(life.sink, life.channel);
    await life.stop();
  }
  assert.deepEqual(
    (await readdir(place.out)).sort(),
    [50_001, 50_002].map((ms) => `FlumeData.${startMs + ms}`),
  );
});

/** A file that is finished and prepared, and was taken away before it had its name. */
async function inDoubt(t: TestContext): Promise<Place> {
  const place = await Place.make(t);
  const home = join(place.home, 'channel');
  const channel = await openChannel(home);
  const clock = new ManualClock();
  const dying = new FaultyFileSystem(localFileSystem(), (call) => (call === 6 ? 'before' : undefined));
  const { sink } = makeSink(place.out, channel, { clock, fileSystem: dying });
  await sink.start();
  await putNumbers(channel, 0, 3);
  await drainInto(sink, channel);
  void sink.stop();
  await dying.died;
  assert.deepEqual(dying.calls, ['status', 'create', 'write', 'end', 'status', 'status', 'status']);
  clock.forget();
  await dying.release();
  assert.equal(channel.stats().preparedEvents, 3);
  await channel.close();
  await rm(join(place.out, `FlumeData.${startMs + 1}.tmp`));
  return place;
}

test('in doubt, commit: the events count as delivered, and it is an error', async (t) => {
  const place = await inDoubt(t);
  const life = await place.life();
  await until(() => life.channel.stats().depthEvents === 0, 'a commit');
  assert.match(life.said.find(({ level }) => level === 'error')?.text ?? '', /at neither of its names.*delivered/);
  assert.equal(life.counts.get('FileInDoubtCount'), 1);
  await life.stop();
});

test('in doubt, redeliver: the events come again', async (t) => {
  const place = await inDoubt(t);
  const life = await place.life({ texts: { 'hdfs.onInDoubt': 'redeliver' }, laterMs: 1000 });
  await until(() => life.channel.stats().preparedEvents === 0, 'a rollback');
  await drainInto(life.sink, life.channel);
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(place.out)), upTo(3));
});

test('in doubt, hold: the events wait for someone to settle them, and the sink goes on', async (t) => {
  const place = await inDoubt(t);
  const texts = { 'hdfs.onInDoubt': 'hold' };
  const life = await place.life({ texts, laterMs: 1000 });
  await putNumbers(life.channel, 3, 2);
  await drainInto(life.sink, life.channel);
  await until(() => life.counts.get('FileInDoubtCount') === 1, 'a look');
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(place.out)), [3, 4]);
  const channel = await openChannel(join(place.home, 'channel'));
  const [held] = channel.unresolved();
  assert.equal(channel.stats().preparedEvents, 3);
  assert.equal(await channel.resolve(held?.id ?? '', 'rollback'), true);
  await channel.close();
  const next = await place.life({ texts, laterMs: 2000 });
  await drainInto(next.sink, next.channel);
  await until(() => next.channel.notes.keys().length === 1 || next.channel.stats().leasedEvents > 0, 'the note');
  assert.ok(next.said.some(({ text }) => text.includes('settled by hand')));
  await next.stop();
  assert.deepEqual(numbersIn(await filesIn(place.out)), upTo(5));
});

test('a file that was renamed before the kill is recognised, one of the same name is not', async (t) => {
  for (const isOurs of [true, false]) {
    const place = await Place.make(t);
    const life = await place.life({ texts: { 'hdfs.maxPinnedAge': '5' } });
    await putNumbers(life.channel, 0, 3);
    await drainInto(life.sink, life.channel);
    await stretch(life);
    await life.kill();
    const temporary = join(place.out, `FlumeData.${startMs + 1}.tmp`);
    await rename(temporary, isOurs ? join(place.out, `FlumeData.${startMs + 1}`) : join(place.home, 'taken'));
    if (!isOurs) await writeFile(temporary, '0\n1\n2\n');
    const next = await place.life({ laterMs: 1000 });
    await next.stop();
    assert.equal(next.counts.get('FileInDoubtCount'), isOurs ? undefined : 1);
    const [name] = await readdir(place.out);
    assert.equal(name, `FlumeData.${startMs + 1}${isOurs ? '' : '.tmp'}`);
  }
});

test('an open file that someone takes away is said, and its bucket goes on with another', async (t) => {
  const place = await Place.make(t);
  const texts = { 'hdfs.maxPinnedAge': '5' };
  const first = await place.life({ texts });
  await putNumbers(first.channel, 0, 3);
  await drainInto(first.sink, first.channel);
  await stretch(first);
  await first.kill();
  await rm(join(place.out, `FlumeData.${startMs + 1}.tmp`));
  const second = await place.life({ texts, laterMs: 1000 });
  await putNumbers(second.channel, 3, 2);
  await drainInto(second.sink, second.channel);
  second.clock.advance(6000);
  await until(() => second.counts.get('FileInDoubtCount') === 1, 'the loss');
  second.clock.advance(6000);
  await setTimeout(20);
  await drainInto(second.sink, second.channel);
  await second.stop();
  assert.deepEqual(numbersIn(await filesIn(place.out)), [3, 4]);
});

test('notes that are no files of ours are left alone, and so is what they name', async (t) => {
  const place = await Place.make(t);
  const precious = join(place.home, 'precious');
  await writeFile(precious, 'x');
  const channel = await openChannel(join(place.home, 'channel'));
  const begun = { state: 'begun', bucket: precious, suffix: '', temporary: `file://${precious}`, final: 'file:///x' };
  await channel.notes.set('hdfs/x1/7', { state: 'unheard of' });
  await channel.notes.set('hdfs/x1/other/8', begun);
  await channel.notes.set('hdfs/x12/9', begun);
  await channel.notes.set('hdfs/x1/10', { ...begun, temporary: `hdfs://cluster${precious}` });
  await channel.close();
  const life = await place.life();
  assert.ok(life.said.some(({ text }) => text.startsWith('notes about files cannot be read')));
  await life.stop();
  assert.ok(life.said.some(({ fields }) => String(fields['error']).includes('is not on file://')));
  assert.deepEqual((await readdir(place.home)).sort(), ['channel', 'precious']);
});

test('a begun file’s name that another sink of the channel got is not deleted', async (t) => {
  const place = await Place.make(t);
  const temporary = join(place.out, `FlumeData.${startMs + 1}.tmp`);
  const first = await place.life({ texts: { 'hdfs.maxPinnedAge': '5' } });
  await putNumbers(first.channel, 0, 3);
  await drainInto(first.sink, first.channel);
  await stretch(first);
  const begun = { state: 'begun', bucket: 'b', suffix: '', temporary: `file://${temporary}`, final: 'file:///x' };
  await first.channel.notes.set('hdfs/x2/7', begun);
  await first.kill();
  const channel = await openChannel(join(place.home, 'channel'));
  const { context } = makeSink(place.out, channel, {});
  const other = new HdfsSink(valuesOf(hdfsSink, { 'hdfs.path': place.out }), { ...context, name: 'x2' }, async () => ({
    fileSystem: localFileSystem(),
    web: undefined,
    directory: place.out,
    openStreamsPreset: 512,
  }));
  await other.start();
  await other.stop();
  assert.deepEqual(
    channel.notes.keys().filter((key) => key.startsWith('hdfs/x2/')),
    [],
  );
  await channel.close();
  assert.deepEqual(await filesIn(place.out), { [`FlumeData.${startMs + 1}.tmp`]: '0\n1\n2\n' });
});

test('a file that cannot be cut yet is asked again, and its bucket goes on then', async (t) => {
  assert.deepEqual(await filesAfterWaiting(t, 3), [`FlumeData.${startMs + 1}`]);
});

test('a file that cannot be cut for long is finished later, and its bucket goes on with another', async (t) => {
  assert.deepEqual(await filesAfterWaiting(t, 6), [`FlumeData.${startMs + 1}`, `FlumeData.${startMs + 2}`]);
});

/** `notYetMax`: how often a cut is refused. Resolves to the names in the end: each event is in them once. */
async function filesAfterWaiting(t: TestContext, notYetMax: number): Promise<readonly string[]> {
  const place = await Place.make(t);
  const texts = { 'hdfs.maxPinnedAge': '5' };
  const first = await place.life({ texts });
  await putNumbers(first.channel, 0, 3);
  await drainInto(first.sink, first.channel);
  await stretch(first);
  await first.kill();
  await appendFile(join(place.out, `FlumeData.${startMs + 1}.tmp`), 'not acknowledged\n');
  let notYet = notYetMax;
  class Recovering extends FaultyFileSystem {
    override async truncate(path: string, lengthBytes: number): Promise<boolean> {
      notYet -= 1;
      return notYet < 0 && (await super.truncate(path, lengthBytes));
    }
  }
  const second = await place.life({ texts, laterMs: 1000, fileSystem: new Recovering(localFileSystem()) });
  await putNumbers(second.channel, 3, 2);
  for (let turn = 0; turn < 20 && second.channel.stats().depthEvents > 0; turn += 1) {
    await drainInto(second.sink, second.channel).catch(() => undefined);
    second.clock.advance(6000);
    await setTimeout(30);
  }
  await second.stop();
  assert.ok(notYet < 0);
  const files = await filesIn(place.out);
  assert.deepEqual(numbersIn(files), upTo(5));
  return Object.keys(files);
}

test('open files are as many as their notes have room for: the others end', async (t) => {
  const place = await Place.make(t);
  const life = await place.life({ path: `${'long'.repeat(60)}/%{host}`, texts: { 'hdfs.batchSize': '100' } });
  let mostBytes = 0;
  for (let from = 0; from < 600; from += 100) {
    await putNumbers(life.channel, from, 100, (number) => ({ host: `h${number}` }));
    await drainInto(life.sink, life.channel);
    await life.sink.process(AbortSignal.timeout(5));
    const texts = life.channel.notes.keys().map((key) => JSON.stringify(life.channel.notes.get(key)));
    mostBytes = Math.max(
      mostBytes,
      texts.reduce((sum, text) => sum + text.length, 0),
    );
  }
  assert.ok(mostBytes < 640 * 1024, `${mostBytes} bytes`);
  await until(() => (life.counts.get('ConnectionClosedCount') ?? 0) > 50, 'files ended');
  assert.equal(life.said.filter(({ text }) => text.startsWith('more files than can be noted')).length, 1);
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(place.out)), upTo(600));
});
