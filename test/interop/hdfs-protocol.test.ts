/**
 * The protocol of the hdfs sink on a real HDFS, where requests are held up until long after they were given up, or sent
 * twice, and where others change directories in the moment before a rename: each event once, and nothing left over.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { basename, dirname } from 'node:path/posix';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { WebFileSystem } from '../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import { systemClock } from '../../src/base/clock.ts';
import { FarSide, FaultyFileSystem } from '../adapters/sinks/hdfs/faulty-file-system.ts';
import { makeSink, openChannel, putNumbers } from '../adapters/sinks/hdfs/hdfs-harness.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type HadoopCluster, hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { hdfsBytes, hdfsFiles } from './hdfs-lines.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { clientOf, until } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
/** For a request that is held up to be given up. */
const callTimeoutMs = 4000;
const lateMs = 600_000;
/** More than two heartbeats. */
const cutShowsMs = 7000;

/** A sink that is being drained, on files that are reached through a proxy. */
class Scene {
  readonly proxy: FaultProxy;
  readonly directory: string;
  readonly address: string;
  readonly test: TestContext;
  readonly #said: (readonly { readonly text: string; readonly fields: object }[])[] = [];
  readonly #home: string;
  readonly #files: WebFileSystem;

  private constructor(t: TestContext, home: string, proxy: FaultProxy, address: string, directory: string) {
    this.test = t;
    this.#home = home;
    this.proxy = proxy;
    this.address = address;
    this.directory = directory;
    this.#files = clientOf(t, [proxy.address], { callTimeoutMs });
  }

  /** `door`: where requests go; `address`: where files are read. */
  static async make(t: TestContext, door: string, address: string, directory: string): Promise<Scene> {
    return new Scene(t, await tempDir(t), await startFaultProxy(t, door), address, directory);
  }

  async life(texts: Readonly<Record<string, string>>) {
    const channel = await openChannel(join(this.#home, 'channel'));
    const fileSystem = new FaultyFileSystem(this.#files, undefined, new FarSide(lateMs));
    const made = makeSink(this.directory, channel, { texts, clock: systemClock, fileSystem });
    const over = new AbortController();
    this.#said.push(made.said);
    await made.sink.start();
    const drain = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const status = await made.sink.process(over.signal).catch(() => 'backoff');
        if (status === 'backoff') await setTimeout(50);
      }
    };
    const drained = drain();
    const isAcknowledged = async (): Promise<boolean> => channel.stats().depthEvents === 0;
    let isEnded = false;
    const end = async (how: () => Promise<void>): Promise<void> => {
      if (isEnded) return;
      isEnded = true;
      over.abort();
      await how();
      await channel.close();
    };
    const stop = (): Promise<void> =>
      end(async () => {
        await drained;
        await made.sink.stop();
      });
    const kill = (): Promise<void> =>
      end(async () => {
        fileSystem.isDead = true;
        await fileSystem.release();
      });
    this.test.after(kill);
    return { ...made, channel, isAcknowledged, stop, kill };
  }

  /** What all lives said, and what was asked: for who wonders why it failed. */
  story(): string {
    const lines = this.#said.flat().map(({ text, fields }) => `${text} ${inspect(fields, { breakLength: 200 })}`);
    return [...lines, this.proxy.seen.join(' ')].join('\n');
  }

  /** In the directory, at any depth: final names, and those in use. */
  async names(): Promise<readonly string[]> {
    return [...(await hdfsFiles(this.address, this.directory)).keys()];
  }

  /** Each number from 0 on is in the files once, and nothing is left over. Resolves to the names. */
  async check(count: number): Promise<readonly string[]> {
    const names = await this.names();
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
    const texts = await Promise.all(names.map((name) => hdfsBytes(this.address, `${this.directory}/${name}`)));
    const numbers = texts.flatMap((text) => text.toString().split('\n').slice(0, -1)).map(Number);
    assert.deepEqual(
      numbers.sort((one, other) => one - other),
      Array.from({ length: count }, (_, index) => index),
    );
    return names;
  }

  /** Holds the next request of a kind back, whole, whatever becomes of its client. */
  hold(kind: string): Held {
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let hasCome = false;
    let isDone = false;
    this.proxy.spoil(kind, 1, {
      whole: true,
      before: async () => {
        hasCome = true;
        await gate;
      },
      after: async () => {
        isDone = true;
      },
    });
    this.test.after(() => letGo());
    const release = async (): Promise<void> => {
      letGo();
      await until(async () => isDone, `${kind} was let go`);
    };
    return { come: () => until(async () => hasCome, `${kind} came`), release };
  }
}

interface Held {
  /** Resolves when it has come. */
  come(): Promise<void>;
  /** Resolves when it was answered, to nobody. */
  release(): Promise<void>;
}

const longLived = { 'hdfs.maxPinnedAge': '1' };

async function lateAppend(scene: Scene): Promise<void> {
  const life = await scene.life(longLived);
  await putNumbers(life.channel, 0, 3);
  await until(life.isAcknowledged, 'a stretch');
  const append = scene.hold('APPEND body');
  await putNumbers(life.channel, 3, 3);
  await append.come();
  await until(life.isAcknowledged, 'another try');
  const before = await hdfsFiles(scene.address, scene.directory);
  await append.release();
  assert.deepEqual(await hdfsFiles(scene.address, scene.directory), before);
  await putNumbers(life.channel, 6, 3);
  await until(life.isAcknowledged, 'more');
  await life.stop();
  assert.equal((await scene.check(9)).length, 1);
}

async function lateTruncate(scene: Scene): Promise<void> {
  const first = await scene.life(longLived);
  await putNumbers(first.channel, 0, 3);
  await until(first.isAcknowledged, 'a stretch');
  await first.kill();
  const truncate = scene.hold('TRUNCATE');
  const life = await scene.life(longLived);
  await putNumbers(life.channel, 3, 3);
  await truncate.come();
  await until(life.isAcknowledged, 'another try');
  const before = await hdfsFiles(scene.address, scene.directory);
  await truncate.release();
  // Where a block is cut, its DataNode is told with its next heartbeat, and the length shows it then.
  await setTimeout(cutShowsMs);
  assert.deepEqual(await hdfsFiles(scene.address, scene.directory), before);
  await life.stop();
  assert.equal((await scene.check(6)).length, 1);
}

async function createTwice(scene: Scene): Promise<void> {
  scene.proxy.spoil('CREATE body', 1, { repeat: true });
  const life = await scene.life({ 'hdfs.rollInterval': '1' });
  await putNumbers(life.channel, 0, 3);
  await until(life.isAcknowledged, 'another try');
  await life.stop();
  assert.equal((await scene.check(3)).length, 1);
}

async function lateCreate(scene: Scene): Promise<void> {
  const create = scene.hold('CREATE body');
  const life = await scene.life({ 'hdfs.rollInterval': '1' });
  await putNumbers(life.channel, 0, 3);
  await create.come();
  await until(life.isAcknowledged, 'another try');
  assert.ok(life.channel.notes.keys().length >= 2, 'the name is still noted');
  await create.release();
  // On a busy machine the next time it is asked for can be a minute away.
  const endMs = performance.now() + 90_000;
  while (life.channel.notes.keys().length > 1) {
    assert.ok(performance.now() < endMs, 'what came late is deleted');
    await setTimeout(100);
  }
  assert.ok(life.said.some(({ text }) => text.includes('came late')));
  await life.stop();
  assert.equal((await scene.check(3)).length, 1);
}

async function directoryAtFinalName(scene: Scene): Promise<void> {
  const other = clientOf(scene.test, [`http://${scene.address}`]);
  let made = '';
  scene.proxy.spoil('RENAME', 1, {
    before: async () => {
      const [temporary = ''] = (await scene.names()).filter((name) => name.endsWith('.tmp'));
      made = `${scene.directory}/${temporary.split('.').slice(0, 2).join('.')}`;
      await other.makeDirectories(made);
    },
  });
  const life = await scene.life({ 'hdfs.rollInterval': '1' });
  await putNumbers(life.channel, 0, 3);
  await until(life.isAcknowledged, 'its name');
  await life.stop();
  const [name = ''] = await scene.check(3);
  assert.equal(dirname(name), '.');
  assert.notEqual(name, basename(made));
  assert.equal((await other.status(made))?.kind, 'directory');
  assert.ok(life.said.some(({ text }) => /the name of a finished file is taken|a directory took the name/.test(text)));
}

async function parentMissing(scene: Scene): Promise<void> {
  const texts = { 'hdfs.rollInterval': '1', 'hdfs.filePrefix': 'sub/log', 'hdfs.inUsePrefix': '_' };
  const life = await scene.life(texts);
  await putNumbers(life.channel, 0, 3);
  await until(life.isAcknowledged, 'its name');
  await life.stop();
  const [name = ''] = await scene.check(3);
  assert.match(name, /^sub\/log\.\d+$/);
}

const cases = {
  'an APPEND that comes late adds nothing': lateAppend,
  'a TRUNCATE that comes late cuts nothing': lateTruncate,
  'a CREATE that is sent twice leaves no file': createTwice,
  'a CREATE that comes late is found and deleted': lateCreate,
  'a directory that comes to the final name': directoryAtFinalName,
  'a final name whose directory is not there': parentMissing,
};

test('what is late, twice or in the way leaves each event in one file', {
  skip,
  timeout: 180_000,
  concurrency: 4,
}, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster: HadoopCluster = await startCluster(t, classPath, { httpFs: true });
  const [address = ''] = cluster.webAddresses;
  const doors = { NameNode: address, HttpFS: cluster.httpFsAddress };
  const runs = Object.entries(doors).flatMap(([name, door]) =>
    Object.entries(cases).map(([what, run], index) =>
      t.test(`${name}: ${what}`, async (one) => {
        const scene = await Scene.make(one, door, address, `/protocol/${name}-${index}`);
        await run(scene).catch((cause: unknown) => {
          throw new Error(`${String(cause)}\n${scene.story()}`, { cause });
        });
      }),
    ),
  );
  await Promise.all(runs);
  t.diagnostic(`shows: ${runs.length} cases of late, repeated and obstructed calls, each event in one file`);
});
