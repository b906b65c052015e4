/** `hdfs.doneFile`: when a directory gets one, what comes after it, and that no crash forgets it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { access, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { FileSystem } from '../../../../src/adapters/sinks/hdfs/file-system.ts';
import { hdfsKeys } from '../../../../src/adapters/sinks/hdfs/hdfs-keys.ts';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../contexts.ts';
import { type Fault, FaultyFileSystem } from './faulty-file-system.ts';
import { drainInto, filesIn, makeSink, openChannel, putNumbers, startMs, whileTimePasses } from './hdfs-harness.ts';

const name = '_SUCCESS';
const delay = { 'hdfs.doneFile': name, 'hdfs.doneDelay': '30' };
const hostOf = (host: string) => () => ({ host });

interface LifeOptions {
  readonly texts?: Readonly<Record<string, string>>;
  readonly faultAt?: (call: number) => Fault | undefined;
  readonly laterMs?: number;
  /** Whether no file gets another name now. */
  readonly refusesNames?: () => boolean;
}

/** One life, started. */
async function life(home: string, { texts = {}, faultAt, laterMs = 0, refusesNames = () => false }: LifeOptions = {}) {
  const channel = await openChannel(join(home, 'channel'));
  const clock = new ManualClock(0, laterMs);
  const inner = localFileSystem();
  const rename = async (from: string, to: string): Promise<void> => {
    if (refusesNames()) throw new Error('refused');
    await inner.rename(from, to);
  };
  // Done files beside files that did not have their names.
  const early: string[] = [];
  const create = async (path: string): ReturnType<FileSystem['create']> => {
    const beside = path.endsWith(`/${name}`) ? await readdir(dirname(path)).catch(() => []) : [];
    if (beside.some((one) => one.endsWith('.tmp'))) early.push(path);
    return await inner.create(path);
  };
  const fileSystem = new FaultyFileSystem({ ...bound(inner), create, rename }, faultAt);
  const out = join(home, 'out');
  const path = { 'hdfs.path': join(out, '%{host}') };
  const made = makeSink(out, channel, { texts: { ...path, ...delay, ...texts }, clock, fileSystem });
  await made.sink.start();
  const put = async (host: string, from: number, count: number): Promise<void> => {
    await putNumbers(channel, from, count, hostOf(host));
    await drainInto(made.sink, channel);
  };
  const kill = async (): Promise<void> => {
    fileSystem.isDead = true;
    clock.forget();
    await fileSystem.release();
    await channel.close();
    assert.deepEqual(early, []);
  };
  const stop = async (): Promise<void> => {
    await whileTimePasses(clock, made.sink.stop());
    await channel.close();
    assert.deepEqual(early, []);
  };
  const isDone = (host: string): Promise<boolean> =>
    access(join(out, host, name)).then(
      () => true,
      () => false,
    );
  /** Lets time pass in steps, and what hangs on it be done. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await setTimeout(2);
    }
    await setTimeout(20);
  };
  /** As much of it as it takes for everything to be done. */
  const settle = async (): Promise<void> => {
    const isOver = (): boolean => channel.stats().depthEvents === 0 && doneNotes(channel).length === 0;
    for (let step = 0; step < 2000 && !isOver() && !fileSystem.isDead; step += 1) {
      clock.advance(4000);
      await setTimeout(3);
      // Those of a file that failed come again.
      if (!fileSystem.isDead) await drainInto(made.sink, channel).catch(() => undefined);
    }
  };
  return { ...made, channel, clock, fileSystem, put, pass, settle, kill, stop, isDone, out };
}

/** Its methods as properties. */
function bound(inner: FileSystem): FileSystem {
  return {
    prefix: inner.prefix,
    lateMs: inner.lateMs,
    create: (path) => inner.create(path),
    append: (path) => inner.append(path),
    truncate: (path, lengthBytes) => inner.truncate(path, lengthBytes),
    rename: (from, to) => inner.rename(from, to),
    status: (path) => inner.status(path),
    delete: (path) => inner.delete(path),
    makeDirectories: (path) => inner.makeDirectories(path),
    proveActive: (directory) => inner.proveActive(directory),
    leastReplicas: (path) => inner.leastReplicas(path),
    close: () => inner.close(),
  };
}

function doneNotes({ notes }: { readonly notes: { keys(): readonly string[] } }): readonly string[] {
  return notes.keys().filter((key) => key.includes('/done/'));
}

test('a directory gets it once nothing came for the delay and its files have their names', async (t) => {
  const one = await life(await tempDir(t), { texts: { 'hdfs.rollInterval': '45' } });
  const areDone = async (): Promise<boolean[]> => [await one.isDone('a'), await one.isDone('b')];
  await one.put('a', 0, 4);
  await one.put('b', 4, 3);
  await one.pass(35);
  // Their files are open.
  assert.deepEqual(await areDone(), [false, false]);
  await one.put('b', 7, 1);
  await one.pass(15);
  // The second one is due at 65 s, whatever the machine has to do.
  for (let second = 50; second < 60 && !(await one.isDone('a')); second += 1) await one.pass(1);
  assert.deepEqual(await areDone(), [true, false]);
  // The file is there a moment before its note is gone.
  await until(() => doneNotes(one.channel).length === 1, 'one note');
  assert.equal((await filesIn(one.out))[`a/${name}`], '');
  await one.pass(20);
  await until(() => doneNotes(one.channel).length === 0, 'no note');
  assert.deepEqual(await areDone(), [true, true]);
  assert.equal(one.counts.get('DoneFileCount'), 2);
  await one.stop();
});

test('events for a directory that is done are written, counted, and said once', async (t) => {
  const home = await tempDir(t);
  const one = await life(home, { texts: { 'hdfs.idleTimeout': '2' } });
  await one.put('a', 0, 1);
  await one.pass(35);
  await until(() => doneNotes(one.channel).length === 0, 'no note');
  assert.equal(await one.isDone('a'), true);
  for (const from of [1, 3]) {
    await one.put('a', from, 2);
    await until(() => one.counts.get('LateEventCount') === from + 1, 'late events are counted');
    await one.pass(35);
  }
  const said = one.said.filter(({ text }) => text.includes('for a directory that is done'));
  assert.equal(said.length, 1);
  await until(() => doneNotes(one.channel).length === 0, 'no note');
  assert.equal(Object.keys(await filesIn(one.out)).length, 4);
  assert.equal(one.counts.get('DoneFileCount'), 1);
  await one.stop();
});

test('a file that is inherited, or finished by an heir who has no use for it, is waited for', async (t) => {
  const home = await tempDir(t);
  const first = await life(home, { texts: { 'hdfs.maxPinnedAge': '5' } });
  await first.put('a', 0, 2);
  await first.pass(10);
  await until(() => first.channel.stats().depthEvents === 0, 'a stretch');
  await first.kill();
  const second = await life(home, { texts: { 'hdfs.fileType': 'SequenceFile' }, laterMs: 60_000 });
  await second.pass(20);
  assert.equal(await second.isDone('a'), false);
  await second.pass(20);
  await until(() => doneNotes(second.channel).length === 0, 'no note');
  assert.equal(await second.isDone('a'), true);
  assert.deepEqual(await filesIn(second.out), { [`a/FlumeData.${startMs + 1}`]: '0\n1\n', [`a/${name}`]: '' });
  await second.stop();
});

test('a file that does not get its name for long is waited for', async (t) => {
  let refuses = true;
  const texts = { 'hdfs.idleTimeout': '2' };
  const one = await life(await tempDir(t), { texts, refusesNames: () => refuses });
  await one.put('a', 0, 1);
  await one.pass(100);
  assert.deepEqual(Object.keys(await filesIn(one.out)), [`a/FlumeData.${startMs + 1}.tmp`]);
  refuses = false;
  await one.settle();
  assert.deepEqual(Object.keys(await filesIn(one.out)), [`a/FlumeData.${startMs + 1}`, `a/${name}`]);
  await one.stop();
});

test('one that is there already is as good', async (t) => {
  const home = await tempDir(t);
  const one = await life(home, { texts: { 'hdfs.idleTimeout': '2', 'hdfs.doneFile': 'done-%[localhost]' } });
  await one.put('a', 0, 1);
  await one.pass(5);
  await until(() => existsSync(join(one.out, 'a')), 'the directory');
  await writeFile(join(one.out, 'a', `done-${hostname()}`), 'of another agent');
  await one.pass(35);
  await until(() => doneNotes(one.channel).length === 0, 'no note');
  assert.equal(one.counts.get('DoneFileCount'), undefined);
  await one.stop();
});

test('where none are asked for any more, what awaited one is forgotten', async (t) => {
  const home = await tempDir(t);
  const first = await life(home);
  await first.put('a', 0, 1);
  await first.stop();
  const second = await life(home, { texts: { 'hdfs.doneFile': '' }, laterMs: 60_000 });
  await until(() => doneNotes(second.channel).length === 0, 'no note');
  await second.pass(40);
  assert.equal(await second.isDone('a'), false);
  await second.stop();
});

test('more directories than can be noted: the others get none, and that is said once', async (t) => {
  const one = await life(await tempDir(t), { texts: { 'hdfs.idleTimeout': '2' } });
  const long = 'x'.repeat(230);
  for (let number = 0; number < 500; number += 1) await one.put(`${number}-${long}`, number, 1);
  await one.pass(4);
  await until(() => doneNotes(one.channel).length > 300, 'the files are begun');
  const { length } = doneNotes(one.channel);
  assert.ok(length < 500, `${length}`);
  assert.equal(one.said.filter(({ text }) => text.includes('too many directories await')).length, 1);
  await one.stop();
});

test('escapes other than those of the host are refused', () => {
  const { parse } = hdfsKeys['hdfs.doneFile'].type;
  assert.deepEqual(parse('_SUCCESS.%[localhost]'), { value: '_SUCCESS.%[localhost]' });
  for (const text of ['%Y', '%{host}', 'a/b', '..', '%[other]', '100%']) assert.ok('problem' in parse(text), text);
});

/** Two directories, an event each, from the first event to the last done file; then another life. */
async function crashAt(t: TestContext, call: number, fault: Fault): Promise<boolean> {
  const home = await tempDir(t);
  const texts = { 'hdfs.idleTimeout': '2' };
  const first = await life(home, { texts, faultAt: (at) => (at === call ? fault : undefined) });
  const work = async (): Promise<void> => {
    await putNumbers(first.channel, 0, 4, (number) => ({ host: number < 2 ? 'a' : 'b' }));
    await drainInto(first.sink, first.channel).catch(() => undefined);
    await first.settle();
  };
  await Promise.race([work(), first.fileSystem.died]);
  const isReached = first.fileSystem.calls.length > call;
  await first.kill();
  const second = await life(home, { texts, laterMs: 120_000 });
  await drainInto(second.sink, second.channel);
  await second.settle();
  const files = await filesIn(second.out);
  const where = `call ${call} of ${first.fileSystem.calls.join(' ')}: ${fault}`;
  const perDirectory = ['a', 'b'].map((host) => Object.entries(files).filter(([path]) => path.startsWith(`${host}/`)));
  for (const its of perDirectory) {
    assert.deepEqual(its.map(([path]) => path.endsWith(name)).sort(), [false, true], `${where} ${JSON.stringify(its)}`);
  }
  assert.deepEqual(Object.values(files).sort(), ['', '', '0\n1\n', '2\n3\n'], where);
  assert.deepEqual(doneNotes(second.channel), [], where);
  await second.stop();
  return isReached;
}

test('whatever call is the last one, or goes wrong, each directory gets its done file in the next life', async (t) => {
  let runs = 0;
  const each = (['before', 'after', 'lost', 'refused'] as const).map(async (fault) => {
    for (let call = 0; await crashAt(t, call, fault); call += 1) runs += 1;
  });
  await Promise.all(each);
  assert.ok(runs > 40, `${runs}`);
  console.log(`shows: ${runs} runs with a crash or a fault at each call: each directory has its done file`);
});
