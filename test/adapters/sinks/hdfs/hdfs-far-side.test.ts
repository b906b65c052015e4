/** The hdfs sink on a far side that has more to say than a local disk: real files behind a wrapper that says it. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileNames, withToken } from '../../../../src/adapters/sinks/hdfs/file-names.ts';
import type { FileStream } from '../../../../src/adapters/sinks/hdfs/file-system.ts';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { StreamPlaces } from '../../../../src/adapters/sinks/hdfs/stream-places.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../contexts.ts';
import { FarSide, FaultyFileSystem } from './faulty-file-system.ts';
import {
  drainInto,
  filesIn,
  makeSink,
  numbersIn,
  openChannel,
  putNumbers,
  startMs,
  whileTimePasses,
} from './hdfs-harness.ts';

/** What HDFS says no with. */
class Refusal extends Error {
  readonly kind: string;
  readonly outcome: 'notDone' | 'unknown';

  constructor(kind: string, outcome: 'notDone' | 'unknown' = 'notDone') {
    super(`refused by the test: ${kind}`);
    this.kind = kind;
    this.outcome = outcome;
  }
}

/** Counts what is open. */
class FarFiles extends FaultyFileSystem {
  open = 0;
  mostOpen = 0;

  constructor() {
    super(localFileSystem(), undefined, new FarSide(600_000));
  }

  override async create(path: string): Promise<FileStream | undefined> {
    this.#opened();
    const stream = await super.create(path);
    return stream && this.#counted(stream);
  }

  override async append(path: string): Promise<FileStream> {
    this.#opened();
    return this.#counted(await super.append(path));
  }

  #opened(): void {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
  }

  #counted(stream: FileStream): FileStream {
    return {
      write: (bytes) => stream.write(bytes),
      end: async () => {
        await stream.end();
        this.open -= 1;
      },
      abort: () => stream.abort(),
    };
  }
}

/** A sink on such files, with what a test needs of it. */
async function scene(t: TestContext, fileSystem: FaultyFileSystem, texts: Readonly<Record<string, string>> = {}) {
  const home = await tempDir(t);
  const out = join(home, 'out');
  const channel = await openChannel(join(home, 'channel'));
  const clock = new ManualClock();
  const made = makeSink(out, channel, { texts: { 'hdfs.path': join(out, '%{host}'), ...texts }, clock, fileSystem });
  await made.sink.start();
  const write = async (from: number, count: number, hosts = 1): Promise<void> => {
    await putNumbers(channel, from, count, (number) => ({ host: `h${number % hosts}` }));
    // What is refused comes again.
    await drainInto(made.sink, channel).catch(() => undefined);
    await made.sink.process(AbortSignal.timeout(5)).catch(() => undefined);
  };
  /** Until all are in files, while time passes. */
  const drained = async (): Promise<void> => {
    for (let turn = 0; turn < 500 && channel.stats().depthEvents > 0; turn += 1) {
      await drainInto(made.sink, channel).catch(() => undefined);
      clock.advance(1000);
      await setTimeout(2);
    }
    assert.equal(channel.stats().depthEvents, 0);
  };
  const stop = async (): Promise<void> => {
    await whileTimePasses(clock, made.sink.stop());
    await channel.close();
  };
  return { ...made, home, out, channel, clock, write, drained, stop };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('names in use have a token of their own, and another one behind a fence', () => {
  const path = { directory: '/logs/a.7', prefix: 'web.7' };
  const parts = { suffix: '.log', inUsePrefix: '.', inUseSuffix: '.tmp' };
  const { temporary, final } = fileNames(path, 7, parts, 'abcd1234');
  assert.deepEqual([temporary, final], ['/logs/a.7/.web.7.7.abcd1234.log.tmp', '/logs/a.7/web.7.7.log']);
  assert.equal(withToken(temporary, '7', '.log', 'zzzz9999'), '/logs/a.7/.web.7.7.zzzz9999.log.tmp');
  assert.equal(withToken('/logs/web.7.log.tmp', '7', '.log', 'zzzz9999'), '/logs/web.7.zzzz9999.log.tmp');
  assert.equal(withToken('/logs.7/other', '7', '', 'zzzz9999'), '/logs.7/other.zzzz9999');
  const one = fileNames(path, 7, { ...parts, inUsePrefix: '', inUseSuffix: '' }, 'abcd1234');
  assert.deepEqual(one, { temporary: final, final });
});

test('no more bodies are open than hdfs.maxOpenStreams, but for those about to end', async (t) => {
  const files = new FarFiles();
  const life = await scene(t, files, { 'hdfs.maxOpenStreams': '3', 'hdfs.threadsPoolSize': '2' });
  for (let from = 0; from < 120; from += 40) await life.write(from, 40, 20);
  await until(() => files.open <= 3 && life.channel.stats().leasedEvents <= 3 * 6, 'the others end');
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(life.out)), upTo(120));
  assert.ok(files.mostOpen <= 3 + 2, `${files.mostOpen} open`);
  t.diagnostic(`shows: 20 buckets, at most ${files.mostOpen} bodies open for hdfs.maxOpenStreams 3`);
});

test('who waits for a place gets it in turn, and who is about to end waits for none', async () => {
  let asked = 0;
  const places = new StreamPlaces(1, () => {
    asked += 1;
  });
  await places.take(false);
  const got: string[] = [];
  const waiting = ['a', 'b'].map((name) => places.take(false).then(() => got.push(name)));
  await places.take(true);
  assert.deepEqual([places.surplus, asked, got], [2, 2, []]);
  places.give(true);
  await setTimeout(1);
  assert.deepEqual(got, []);
  places.give(false);
  await waiting[0];
  assert.deepEqual(got, ['a']);
  places.give(false);
  await Promise.all(waiting);
  assert.deepEqual([got, places.surplus], [['a', 'b'], 0]);
});

test('files that HDFS cannot go on with end where they are safe, later ones early, and that is said', async (t) => {
  class Striped extends FarFiles {
    override append(_path: string): Promise<FileStream> {
      return Promise.reject(new Refusal('unsupported'));
    }

    override truncate(_path: string, _lengthBytes: number): Promise<boolean> {
      return Promise.reject(new Refusal('unsupported'));
    }
  }
  const life = await scene(t, new Striped(), { 'hdfs.maxPinnedAge': '5' });
  for (let from = 0; from < 12; from += 3) {
    await life.write(from, 3);
    await life.drained();
  }
  await life.stop();
  const files = await filesIn(life.out);
  assert.deepEqual(numbersIn(files), upTo(12));
  assert.equal(Object.keys(files).filter((name) => name.endsWith('.tmp')).length, 0);
  assert.equal(life.said.filter(({ text }) => text.startsWith('HDFS cannot go on with files here')).length, 1);
  assert.equal(life.counts.get('EventWriteFail'), 1);
});

test('where the name in use is the final one, a file that another program made meanwhile is left alone', async (t) => {
  let theirs = '';
  class Taken extends FarFiles {
    override async create(path: string): Promise<FileStream | undefined> {
      if (theirs !== '') return await super.create(path);
      theirs = path;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'theirs');
      const late = async (): Promise<never> => {
        throw new Refusal('exists');
      };
      return { write: late, end: late, abort: async () => undefined };
    }
  }
  const life = await scene(t, new Taken(), { 'hdfs.emptyInUseSuffix': 'true', 'hdfs.rollInterval': '5' });
  await life.write(0, 3);
  await life.drained();
  await life.stop();
  const { [`h0/${basename(theirs)}`]: kept, ...ours } = await filesIn(life.out);
  assert.equal(kept, 'theirs');
  assert.deepEqual(numbersIn(ours), upTo(3));
});

test('a name of our own that is taken is our own file, asked for twice: it is deleted', async (t) => {
  class Twice extends FarFiles {
    isSecond = false;

    override async create(path: string): Promise<FileStream | undefined> {
      const stream = await super.create(path);
      if (this.isSecond) return stream;
      this.isSecond = true;
      await stream?.end();
      return undefined;
    }
  }
  const life = await scene(t, new Twice(), { 'hdfs.rollInterval': '5' });
  await life.write(0, 3);
  await life.drained();
  await life.stop();
  const files = await filesIn(life.out);
  assert.deepEqual([Object.keys(files).length, numbersIn(files)], [1, upTo(3)]);
});

test('a file that was moved into a directory of its final name is moved out again, and that is said', async (t) => {
  class IntoDirectory extends FarFiles {
    isSecond = false;

    override async rename(from: string, to: string): Promise<void> {
      if (this.isSecond) return await super.rename(from, to);
      this.isSecond = true;
      await mkdir(to);
      await rename(from, join(to, basename(from)));
    }
  }
  const life = await scene(t, new IntoDirectory(), { 'hdfs.rollCount': '3' });
  await life.write(0, 3);
  await life.drained();
  await life.stop();
  const files = await filesIn(life.out);
  assert.deepEqual(Object.keys(files), [`h0/FlumeData.${startMs + 2}`]);
  assert.deepEqual(numbersIn(files), upTo(3));
  assert.equal(life.said.filter(({ text }) => text.startsWith('a directory took the name')).length, 1);
  assert.equal(life.counts.get('FileInDoubtCount'), undefined);
});

test('nothing is decided about a file that is gone before it is proven who answers', async (t) => {
  class Replaced extends FarFiles {
    proofs = 0;
    away = '';

    override async rename(from: string, to: string): Promise<void> {
      if (this.proofs > 0) return await super.rename(from, to);
      // What a NameNode that was replaced would show: neither name.
      this.away = from;
      await rename(from, `${from}.away`);
    }

    override async proveActive(_directory: string): Promise<void> {
      this.proofs += 1;
      if (this.proofs < 3) throw new Refusal('network', 'unknown');
      if (this.proofs === 3) await rename(`${this.away}.away`, this.away);
    }
  }
  const files = new Replaced();
  const life = await scene(t, files, { 'hdfs.rollCount': '3' });
  await life.write(0, 3);
  await life.drained();
  await life.stop();
  assert.ok(files.proofs >= 3, `${files.proofs} proofs`);
  assert.equal(life.counts.get('FileInDoubtCount'), undefined);
  assert.deepEqual(numbersIn(await filesIn(life.out)), upTo(3));
});

test('minBlockReplicas: a file gets its name when so many have its blocks, or later, which is said', async (t) => {
  let replicas = 1;
  class Replicated extends FarFiles {
    override async leastReplicas(_path: string): Promise<number> {
      return replicas;
    }
  }
  const life = await scene(t, new Replicated(), { 'hdfs.rollInterval': '5', 'hdfs.minBlockReplicas': '2' });
  await life.write(0, 2);
  life.clock.advance(6000);
  await until(() => life.channel.stats().preparedEvents === 2, 'a finished file');
  life.clock.advance(20_000);
  await setTimeout(20);
  assert.equal(life.channel.stats().preparedEvents, 2);
  replicas = 2;
  life.clock.advance(600);
  await until(() => life.channel.stats().depthEvents === 0, 'its name');
  replicas = 1;
  for (const from of [2, 4]) {
    await life.write(from, 2);
    for (let turn = 0; turn < 100 && life.channel.stats().depthEvents > 0; turn += 1) {
      life.clock.advance(600);
      await setTimeout(5);
    }
    assert.equal(life.channel.stats().depthEvents, 0);
  }
  assert.equal(life.said.filter(({ text }) => text.includes('hdfs.minBlockReplicas')).length, 1);
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(life.out)), upTo(6));
});

test('a body that gets little in a busy sink is written to every 10 s, and ended after 30 s without', async (t) => {
  const files = new FarFiles();
  const life = await scene(t, files);
  await life.write(0, 1);
  await until(() => files.calls.filter((name) => name === 'write').length === 1, 'the first write');
  for (let number = 1; number <= 4; number += 1) {
    // A sink that is never without events writes by size only.
    await putNumbers(life.channel, number, 1, () => ({ host: 'h0' }));
    await drainInto(life.sink, life.channel);
    life.clock.advance(10_200);
    await until(() => files.calls.filter((name) => name === 'write').length === number + 1, 'another write');
  }
  assert.equal(files.open, 1);
  life.clock.advance(30_200);
  await until(() => files.open === 0 && life.channel.stats().depthEvents === 0, 'its end');
  await life.stop();
  assert.deepEqual(numbersIn(await filesIn(life.out)), upTo(5));
});

test('a file of an earlier life keeps its bytes also where its name changes with each try', async (t) => {
  const far = new FarSide(600_000);
  const home = await tempDir(t);
  const out = join(home, 'out');
  let tries = 0;
  class Slow extends FaultyFileSystem {
    override async truncate(path: string, lengthBytes: number): Promise<boolean> {
      tries += 1;
      if (tries % 3 === 1) throw new Refusal('network', 'unknown');
      return tries % 3 === 0 && (await super.truncate(path, lengthBytes));
    }
  }
  for (const [index, from] of [0, 3, 6].entries()) {
    const channel = await openChannel(join(home, 'channel'));
    const clock = new ManualClock(0, index * 1_000_000);
    const fileSystem = new Slow(localFileSystem(), undefined, far);
    const { sink } = makeSink(out, channel, { texts: { 'hdfs.maxPinnedAge': '5' }, clock, fileSystem });
    await sink.start();
    await putNumbers(channel, from, 3);
    for (let turn = 0; turn < 100 && channel.stats().depthEvents > 0; turn += 1) {
      await drainInto(sink, channel).catch(() => undefined);
      clock.advance(6000);
      await setTimeout(5);
    }
    assert.equal(channel.stats().depthEvents, 0);
    if (from === 6) await whileTimePasses(clock, sink.stop());
    fileSystem.isDead = true;
    clock.forget();
    await fileSystem.release();
    await channel.close();
    const [name = ''] = await readdir(out);
    if (from < 6) await appendFile(join(out, name), 'not acknowledged\n');
  }
  const files = await filesIn(out);
  assert.deepEqual([Object.keys(files), numbersIn(files)], [[`FlumeData.${startMs + 1}`], upTo(9)]);
  assert.ok(tries >= 6, `${tries} cuts`);
});

test('a stop ends in time where nobody answers, says what is left, and does nothing behind it', async (t) => {
  const home = await tempDir(t);
  const out = join(home, 'out');
  const channelHome = join(home, 'channel');
  let answer = (): void => undefined;
  const silence = new Promise<void>((resolve) => {
    answer = resolve;
  });
  class Silent extends FarFiles {
    override async rename(from: string, to: string): Promise<void> {
      await silence;
      await super.rename(from, to);
    }
  }
  const channel = await openChannel(channelHome);
  const fileSystem = new Silent();
  const texts = { 'hdfs.rollInterval': '5' };
  const clock = new ManualClock();
  const made = makeSink(out, channel, { texts, clock, fileSystem, stopLimitMs: 200 });
  await made.sink.start();
  await putNumbers(channel, 0, 3);
  await drainInto(made.sink, channel);
  clock.advance(6000);
  await until(() => fileSystem.calls.filter((name) => name === 'status').length >= 3, 'a look at both names');
  await made.sink.stop();
  assert.deepEqual(
    made.said.filter(({ text }) => text.startsWith('files are not finished')).map(({ fields }) => fields),
    [{ files: 1 }],
  );
  // As after a reload: the next sink has the channel, and the call of the one before is answered then.
  const next = makeSink(out, channel, { texts, clock, fileSystem: new FarFiles() });
  await next.sink.start();
  await until(() => channel.stats().depthEvents === 0, 'its name');
  answer();
  await setTimeout(100);
  assert.equal(made.counts.get('ConnectionClosedCount'), undefined);
  await whileTimePasses(clock, next.sink.stop());
  await channel.close();
  const files = await filesIn(out);
  assert.deepEqual([Object.keys(files), numbersIn(files)], [[`FlumeData.${startMs + 1}`], upTo(3)]);
});
