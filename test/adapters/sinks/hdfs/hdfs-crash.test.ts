/**
 * The hdfs sink with each single call of the file system going wrong in each way, and then another life: every event
 * is in the files once, and nothing of the sink's own is left over. The same once more where the far side may do what
 * was asked for much later, as HDFS may.
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
import { FarSide, type Fault, FaultyFileSystem } from './faulty-file-system.ts';
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
const lateMs = 600_000;
const faults: readonly Fault[] = ['before', 'after', 'lost', 'refused'];
/** A little later, in another life, or after all. */
const lateByCalls: readonly number[] = [1, 25, 1_000_000];

/** Of a call of this name on a far side. Whoever dies before a call has died after the one before it. */
function farFaultsOf(name: string): readonly Fault[] {
  // A question that is answered late, or whose answer is lost, is one that was refused.
  if (name === 'status' || name === 'proveActive') return ['after', 'refused'];
  return ['after', 'lost', 'refused', ...lateByCalls.map((calls) => ({ lateByCalls: calls }))];
}

/** Until nothing has been under way for some time. */
async function quiet(fileSystem: FaultyFileSystem): Promise<void> {
  for (let still = 0; still < 3 && !fileSystem.isDead; ) {
    const before = fileSystem.calls.length;
    await setTimeout(1);
    still = fileSystem.inFlight === 0 && fileSystem.calls.length === before ? still + 1 : 0;
  }
}

/**
 * One life: takes what is there, then what comes, and stops unless it dies; with `last` not before all that may still
 * be made was made and found. Resolves to what the channel had then.
 */
async function live(
  home: string,
  { texts, hosts }: Workload,
  fileSystem: FaultyFileSystem,
  { startMs, last }: { readonly startMs: number; readonly last?: FarSide | undefined },
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
    await last?.release('create');
    // Asked for again at the end of the first step at least, and for the last time after the others.
    for (let steps = last === undefined ? 0 : 3; steps > 0; steps -= 1) {
      clock.advance(lateMs / 2);
      await quiet(fileSystem);
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

/** `isFar`: on a far side that may be late. */
async function check(
  workload: Workload,
  isFar: boolean,
  fault: Fault | undefined,
  atCall: number,
): Promise<readonly string[]> {
  const home = await makeHome();
  const far = new FarSide(isFar ? lateMs : 0);
  const withFault = (failing: Fault | undefined, at: number | undefined): FaultyFileSystem =>
    new FaultyFileSystem(localFileSystem(), (call) => (call === at ? failing : undefined), far);
  const { diesAt } = workload;
  const faulty = withFault(fault, atCall);
  const lives = [
    ...(diesAt === undefined ? [] : [withFault('after', diesAt)]),
    faulty,
    withFault(undefined, undefined),
  ];
  let after: Awaited<ReturnType<typeof live>> | undefined;
  for (const [index, fileSystem] of lives.entries()) {
    const last = isFar && index === lives.length - 1 ? far : undefined;
    after = await live(home, workload, fileSystem, { startMs: index * 1_000_000, last });
  }
  await far.release();
  const where = `${workload.name}: ${JSON.stringify(fault)} at call ${atCall}: ${faulty.calls.join(' ')}`;
  await checkEnd(home, after, where);
  return faulty.calls;
}

for (const isFar of [false, true]) {
  for (const workload of workloads) {
    const where = isFar ? ' where the far side may be late' : '';
    test(`each call goes wrong in each way${where}: ${workload.name}`, { timeout: 100_000 }, async (t) => {
      const calls = await check(workload, isFar, undefined, -1);
      t.diagnostic(calls.join(' '));
      const faultsOf = isFar ? farFaultsOf : (): readonly Fault[] => faults;
      const tries = calls.flatMap((name, atCall) => faultsOf(name).map((fault) => ({ fault, atCall })));
      assert.ok(calls.length >= 10);
      const next = tries.values();
      const run = async (): Promise<void> => {
        for (const { fault, atCall } of next) await check(workload, isFar, fault, atCall);
      };
      await Promise.all(Array.from({ length: 8 }, run));
      t.diagnostic(`${tries.length} runs`);
    });
  }
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
  const far = new FarSide(random.chance(0.5) ? lateMs : 0);
  const randomFault = (): Fault | undefined => {
    if (!random.chance(faultChance)) return undefined;
    if (random.chance(0.2)) return random.pick(['before', 'after'] as const);
    if (far.lateMs > 0 && random.chance(0.5)) return { lateByCalls: random.pick(lateByCalls) };
    return random.pick(['lost', 'refused'] as const);
  };
  for (let life = 0; life < 4; life += 1) {
    const startMs = random.below(100_000_000);
    await live(home, workload, new FaultyFileSystem(localFileSystem(), randomFault, far), { startMs });
  }
  const fileSystem = new FaultyFileSystem(localFileSystem(), undefined, far);
  const last = far.lateMs > 0 ? far : undefined;
  const after = await live(home, workload, fileSystem, { startMs: 1_000_000_000, last });
  await far.release();
  await checkEnd(home, after, workload.name);
}
