/**
 * The hdfs sink with each single call of the file system going wrong in each way, and then another life: every event
 * is in the files once, and nothing of the sink's own is left over.
 */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { makeTempDir } from '../../../support/temp-dir.ts';
import { type Fault, FaultyFileSystem } from './faulty-file-system.ts';
import { drainInto, filesIn, makeSink, numbersIn, openChannel, putNumbers, whileTimePasses } from './hdfs-harness.ts';

interface Workload {
  readonly name: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly hosts: number;
  /** The first life dies after this call, and the faults are the second one's. */
  readonly diesAt?: number;
}

const workloads: readonly Workload[] = [
  { name: 'files that end', texts: { 'hdfs.rollCount': '3' }, hosts: 1 },
  { name: 'files that are gone on with', texts: { 'hdfs.maxPinnedAge': '5' }, hosts: 2 },
  { name: 'at least once', texts: { 'hdfs.delivery': 'at-least-once', 'hdfs.rollCount': '9' }, hosts: 1 },
  { name: 'one name', texts: { 'hdfs.rollCount': '4', 'hdfs.emptyInUseSuffix': 'true' }, hosts: 1 },
  { name: 'after a crash as a file was begun', texts: { 'hdfs.rollCount': '9' }, hosts: 1, diesAt: 2 },
  { name: 'after a crash as a file was gone on with', texts: { 'hdfs.maxPinnedAge': '5' }, hosts: 1, diesAt: 6 },
  { name: 'after a crash before a file had its name', texts: { 'hdfs.rollCount': '3' }, hosts: 1, diesAt: 6 },
];
const total = 7;
const foreign = 'FlumeData.1789999999999.tmp';

/** Until nothing has been under way for some time. */
async function quiet(fileSystem: FaultyFileSystem): Promise<void> {
  for (let still = 0; still < 3 && !fileSystem.isDead; ) {
    const before = fileSystem.calls.length;
    await setTimeout(1);
    still = fileSystem.inFlight === 0 && fileSystem.calls.length === before ? still + 1 : 0;
  }
}

/** One life: takes what is there, then what comes, and stops unless it dies. Resolves to what the channel had then. */
async function live(
  home: string,
  { texts, hosts }: Workload,
  fileSystem: FaultyFileSystem,
  startMs: number,
): Promise<{ readonly depthEvents: number; readonly notes: readonly string[]; readonly unresolved: number }> {
  const channel = await openChannel(join(home, 'channel'));
  const clock = new ManualClock(0, startMs);
  const path = join(home, 'out', '%{host}');
  const { sink } = makeSink(path, channel, { texts: { 'hdfs.path': path, ...texts }, clock, fileSystem });
  const script = async (): Promise<void> => {
    await sink.start();
    for (const until of [4, total]) {
      const { put } = channel.stats().counters;
      if (put < until) await putNumbers(channel, put, until - put, (number) => ({ host: `h${number % hosts}` }));
      for (let round = 0; round < 2; round += 1) {
        await drainInto(sink, channel).catch(() => undefined);
        await quiet(fileSystem);
        clock.advance(6000);
        await quiet(fileSystem);
      }
    }
    await whileTimePasses(clock, sink.stop(), () => fileSystem.isDead);
  };
  await Promise.race([script(), fileSystem.died]);
  clock.forget();
  await fileSystem.release();
  const { depthEvents } = channel.stats();
  const after = { depthEvents, notes: channel.notes.keys(), unresolved: channel.unresolved().length };
  await channel.close();
  return after;
}

/** What has to be so after a last life without faults. */
async function checkEnd(
  home: string,
  after: Awaited<ReturnType<typeof live>> | undefined,
  where: string,
): Promise<void> {
  const files = await filesIn(join(home, 'out'));
  assert.equal(files[`h0/${foreign}`], 'not ours', where);
  delete files[`h0/${foreign}`];
  assert.deepEqual(
    numbersIn(files),
    Array.from({ length: total }, (_, index) => index),
    where,
  );
  assert.deepEqual(
    Object.keys(files).filter((path) => path.endsWith('.tmp')),
    [],
    where,
  );
  assert.deepEqual(after, { depthEvents: 0, notes: ['hdfs/x1/counter'], unresolved: 0 }, where);
  await rm(home, { recursive: true });
}

/** With another's unfinished file in it. */
async function makeHome(): Promise<string> {
  const home = await makeTempDir();
  await mkdir(join(home, 'out', 'h0'), { recursive: true });
  await writeFile(join(home, 'out', 'h0', foreign), 'not ours');
  return home;
}

async function check(workload: Workload, fault: Fault | undefined, atCall: number): Promise<readonly string[]> {
  const home = await makeHome();
  const faulty = new FaultyFileSystem(localFileSystem(), (call) => (call === atCall ? fault : undefined));
  const lives = [faulty, new FaultyFileSystem(localFileSystem())];
  const { diesAt } = workload;
  if (diesAt !== undefined)
    lives.unshift(new FaultyFileSystem(localFileSystem(), (call) => (call === diesAt ? 'after' : undefined)));
  let after: Awaited<ReturnType<typeof live>> | undefined;
  for (const [index, fileSystem] of lives.entries()) after = await live(home, workload, fileSystem, index * 1_000_000);
  const where = `${workload.name}: ${fault} at call ${atCall}: ${faulty.calls.join(' ')}`;
  await checkEnd(home, after, where);
  return faulty.calls;
}

for (const workload of workloads) {
  test(`each call goes wrong in each way: ${workload.name}`, { timeout: 100_000 }, async (t) => {
    const calls = await check(workload, undefined, -1);
    t.diagnostic(calls.join(' '));
    const faults = ['before', 'after', 'lost', 'refused'] as const;
    const tries = calls.flatMap((_, atCall) => faults.map((fault) => ({ fault, atCall })));
    assert.ok(calls.length >= 10);
    const next = tries.values();
    const run = async (): Promise<void> => {
      for (const { fault, atCall } of next) await check(workload, fault, atCall);
    };
    await Promise.all(Array.from({ length: 8 }, run));
    t.diagnostic(`${tries.length} runs`);
  });
}

test('many calls go wrong in many lives', { timeout: 100_000 }, async (t) => {
  const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
  const next = seeds.values();
  const run = async (): Promise<void> => {
    for (const seed of next) await checkRandom(seed);
  };
  await Promise.all(Array.from({ length: 8 }, run));
  t.diagnostic(`seeds ${seeds[0]} to ${seeds.at(-1)}`);
});

async function checkRandom(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const texts = {
    'hdfs.rollCount': String(random.below(6)),
    'hdfs.maxPinnedAge': random.pick(['5', '600']),
    'hdfs.delivery': random.pick(['exactly-once', 'at-least-once']),
    'hdfs.maxOpenStreams': random.pick(['1', '512']),
    'hdfs.emptyInUseSuffix': random.pick(['true', 'false']),
    'hdfs.batchSize': random.pick(['1', '3', '100']),
  };
  const workload = { name: `seed ${seed}`, texts, hosts: 1 + random.below(3) };
  const home = await makeHome();
  const faultChance = random.pick([0.02, 0.1, 0.4]);
  const randomFault = (): Fault | undefined => {
    if (!random.chance(faultChance)) return undefined;
    return random.chance(0.2) ? random.pick(['before', 'after'] as const) : random.pick(['lost', 'refused'] as const);
  };
  for (let life = 0; life < 4; life += 1) {
    const startMs = random.below(100_000_000);
    await live(home, workload, new FaultyFileSystem(localFileSystem(), randomFault), startMs);
  }
  const after = await live(home, workload, new FaultyFileSystem(localFileSystem()), 1_000_000_000);
  await checkEnd(home, after, workload.name);
}
