/** A follower beside an owner: each event once, in order, as soon as it is durable and not before; or named as gone. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { Followed } from '../../support/followed.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { events, numbered, openStill, stillOptions } from '../../support/still-owner.ts';
import { tempDir } from '../../support/temp-dir.ts';

function segmentNames(directory: string): string[] {
  return readdirSync(directory).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
}

test('each event once, in order, over segments that are written and used again', { timeout: 60_000 }, async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const channel = await FileChannel.open(directory, stillOptions);
  const committedMs: number[] = [0];
  const steadyMs: number[] = [];
  await using followed = await Followed.open(directory, {
    onEvent: ({ event, state }) => {
      assert.equal(event.body.toString(), `${event.sequence}`);
      assert.equal(state, 'pending');
      const atMs = committedMs[event.sequence];
      if (atMs !== undefined) steadyMs.push(performance.now() - atMs);
    },
  });
  let isOver = false;
  const producer = (async () => {
    const endMs = performance.now() + 500;
    for (let given = 0; given < 4000 || performance.now() < endMs; given += 20) {
      await channel.put(numbered(given + 1, 20));
      committedMs.push(...Array.from({ length: 20 }, () => performance.now()));
    }
    isOver = true;
  })();
  const consumer = (async () => {
    while (!isOver) await (await channel.take(100, { waitMs: 50 })).commit();
  })();
  while (!isOver || followed.last < committedMs.length - 1) {
    await followed.read();
    await pass(5);
  }
  await Promise.all([producer, consumer]);
  const given = committedMs.length - 1;
  assert.equal(followed.count + followed.passedCount, given);
  assert.ok(followed.count > given / 10, `${followed.count} of ${given}`);
  const segments = Number.parseInt(segmentNames(directory).at(-1) ?? '', 16);
  assert.ok(segments > 8, `${segments} segments`);
  steadyMs.sort((a, b) => a - b);
  const latency = `commit to shown p50 ${percentile(steadyMs, 0.5)} ms, p99 ${percentile(steadyMs, 0.99)} ms`;
  assert.ok((steadyMs[Math.floor(steadyMs.length / 2)] ?? 0) < 5000, latency);
  const aloneMs: number[] = [];
  for (let commit = 0; commit < 2; commit += 1) {
    await pass(150);
    await channel.put(events(`${given + commit + 1}`));
    const startMs = performance.now();
    committedMs.push(startMs);
    while (followed.last < given + commit + 1) {
      await pass(10);
      await followed.read();
    }
    aloneMs.push(performance.now() - startMs);
  }
  const alone = aloneMs.map((ms) => ms.toFixed(0)).join(', ');
  console.log(`shows: tail: ${followed.count} events over ${segments} segments, ${followed.passedCount} let go unread`);
  console.log(`shows: tail: ${latency}; a commit alone ${alone} ms, 100 of them until it is proven`);
  await channel.close();
});

test('what no later group proves is not there yet; from now on is from the last that is proven', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const { channel, prove, kill } = await openStill(directory);
  await channel.put(events('a'));
  await channel.put(events('b'));
  await using all = await Followed.open(directory, { from: { fromSequence: 1 } });
  await using late = await Followed.open(directory);
  assert.deepEqual((await all.read()).bodies, ['a']);
  assert.deepEqual((await late.read()).bodies, []);
  await channel.put(events('c', 'd'));
  assert.deepEqual((await all.read()).bodies, ['b']);
  assert.deepEqual((await late.read()).bodies, ['b']);
  assert.deepEqual((await all.read()).bodies, []);
  await prove();
  assert.deepEqual((await all.read()).bodies, ['c', 'd']);
  assert.deepEqual([all.owner, all.passed], ['running', []]);
  await kill();
});

test('synced by interval: only what a sync has returned for is there', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const clock = new ManualClock();
  const { channel, kill } = await openStill(directory, clock, { fsync: { intervalMs: 5000 } });
  await using followed = await Followed.open(directory, { from: { fromSequence: 1 } });
  for (const body of ['a', 'b', 'c']) await channel.put(events(body));
  assert.deepEqual((await followed.read()).bodies, []);
  clock.advance(5000);
  await pass(50);
  await channel.put(events('d'));
  assert.deepEqual((await followed.read()).bodies, ['a', 'b', 'c']);
  await kill();
});

test('it begins where it is told: a sequence, a time, later than now; states are those of the start', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const clock = new ManualClock();
  const { channel, prove, kill } = await openStill(directory, clock);
  const timeMs = clock.wallMs();
  for (let first = 1; first <= 9; first += 3) {
    await channel.put(numbered(first, 3));
    clock.advance(50);
  }
  await (await channel.take(4)).commit();
  await prove();
  const states: string[] = [];
  const onEvent = ({ state }: { readonly state: string }): number => states.push(state);
  await using sequence = await Followed.open(directory, { from: { fromSequence: 3 }, onEvent });
  assert.deepEqual((await sequence.read()).sequences, [3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(states.slice(0, 3), ['acked', 'acked', 'pending']);
  await using time = await Followed.open(directory, { from: { fromMs: timeMs + 50 } });
  assert.deepEqual((await time.read()).sequences, [4, 5, 6, 7, 8, 9]);
  await using later = await Followed.open(directory, { from: { fromSequence: 12 } });
  await using laterTime = await Followed.open(directory, { from: { fromMs: clock.wallMs() + 1000 } });
  await channel.put(numbered(10, 3));
  clock.advance(1000);
  await channel.put(numbered(13, 2));
  await prove();
  assert.deepEqual((await later.read()).sequences, [12, 13, 14]);
  assert.deepEqual((await laterTime.read()).sequences, [13, 14]);
  assert.deepEqual((await sequence.read()).sequences, [10, 11, 12, 13, 14]);
  await kill();
});

test('encrypted, compressed, in two directories, one of which joins later; a key that is not given', async (t) => {
  const home = await tempDir(t);
  const directory = join(home, 'c1');
  const encryption = { activeKey: 1, keys: { 1: Buffer.alloc(32, 5) } };
  const secret = { ...stillOptions, encryption, compression: 'deflate', dataDirs: [directory] } as const;
  const first = await FileChannel.open(directory, secret);
  const clock = new ManualClock();
  await using followed = await Followed.open(directory, { clock, view: { encryption } });
  await first.put(numbered(1, 10));
  await first.close();
  const both = await FileChannel.open(directory, { ...secret, dataDirs: [directory, join(home, 'c2')] });
  for (let next = 11; next <= 400; next += 10) await both.put(numbered(next, 10, `${Math.random()}`.repeat(200)));
  await both.close();
  assert.ok(segmentNames(join(home, 'c2')).length > 1);
  await followed.read();
  clock.advance(1000);
  await followed.read();
  assert.deepEqual([followed.count, followed.last, followed.passed, followed.owner], [400, 400, [], 'none']);
  const keys = { ...encryption.keys, 2: Buffer.alloc(32, 6) };
  const rotated = { ...secret, dataDirs: [directory, join(home, 'c2')], encryption: { activeKey: 2, keys } };
  const third = await FileChannel.open(directory, rotated);
  await third.put(numbered(401, 1));
  await third.close();
  await assert.rejects(followed.read(), { code: 'KEY_WRONG', message: /encrypted with key 2 by now/ });
});

test('a channel that is removed, or another in its place, is an error', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const { channel, kill } = await openStill(directory);
  const clock = new ManualClock();
  await using one = await Followed.open(directory, { clock });
  await using other = await Followed.open(directory, { clock });
  await channel.put(events('a'));
  await kill();
  await rm(directory, { recursive: true });
  assert.deepEqual((await one.read()).bodies, []);
  clock.advance(1000);
  await assert.rejects(one.read(), { code: 'NOT_A_CHANNEL', message: /holds no channel any more/ });
  await (await FileChannel.open(directory, stillOptions)).close();
  await assert.rejects(other.read(), { code: 'NOT_A_CHANNEL', message: /another channel/ });
});

test('idle costs hardly any processor time', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, stillOptions);
  await channel.put(events('a'));
  await using followed = await Followed.open(directory, { from: { fromSequence: 1 } });
  await pass(150);
  await followed.read();
  const [before, startMs] = [process.cpuUsage(), performance.now()];
  const looks = 50;
  for (let look = 0; look < looks; look += 1) await followed.read();
  const { user, system } = process.cpuUsage(before);
  const perLookMs = (user + system) / 1000 / looks;
  assert.ok(perLookMs < 20, `${perLookMs} ms a look`);
  const took = `${((performance.now() - startMs) / looks).toFixed(2)} ms, ${perLookMs.toFixed(2)} ms of processor`;
  console.log(`shows: tail: an idle look takes ${took}; at ten a second ${perLookMs.toFixed(1)} % of a core`);
  assert.equal(followed.count, 1);
});
