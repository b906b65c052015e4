/** `forebay channel rewind` and `resolve`: what comes back, what cannot, and when nothing is touched. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { expand, sequencesOf, upTo } from '../conformance/channel-support.ts';
import { forebay, type Ran } from '../support/forebay-here.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Without a checkpoint a look takes no process of its own. */
const options = { segmentBytes: 65_536, minimumFreeBytes: 0, retentionHours: 24, checkpoint: 'memory' } as const;
const eventsEach = 20;

function verb(...args: string[]): Promise<Ran> {
  return forebay('channel', ...args);
}

/** `batches` transactions of 20 events, about three in a segment; taken but for the last `left` events. */
async function makeChannel(t: TestContext, batches: number, left: number, retentionHours = 24): Promise<string> {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, { ...options, retentionHours });
  for (let batch = 0; batch < batches; batch += 1) {
    const bodies = upTo(eventsEach, batch * eventsEach + 1).map((one) => Buffer.from(`${one} ${'x'.repeat(1000)}`));
    await channel.put(bodies.map((body) => ({ headers: {}, body })));
  }
  for (let taken = 0; taken < batches * eventsEach - left; ) {
    const batch = await channel.take(Math.min(eventsEach, batches * eventsEach - left - taken));
    taken += batch.events.length;
    await batch.commit();
  }
  return directory;
}

async function deliveredBy(directory: string): Promise<number[]> {
  await using channel = await FileChannel.open(directory, options);
  const sequences: number[] = [];
  for (let batch = await channel.take(1000); batch.events.length > 0; batch = await channel.take(1000)) {
    for (const { sequence, body } of batch.events) assert.ok(body.toString().startsWith(`${sequence} x`));
    sequences.push(...sequencesOf(batch));
  }
  return sequences;
}

test('rewind to a sequence: a plan, the deed, and a second time nothing', async (t) => {
  const directory = await makeChannel(t, 20, 30);
  const plan = await verb('rewind', directory, '--to', '101', '--dry-run', '--json');
  assert.equal(plan.status, 0, plan.stderr);
  const expected = {
    fromSequence: 101,
    requeuedEvents: 270,
    sequences: [{ first: 101, last: 370 }],
    pendingEvents: 30,
    preparedEvents: 0,
    lostEvents: 0,
    notKept: [],
  };
  assert.deepEqual(JSON.parse(plan.stdout), { dryRun: true, ...expected });
  const before = JSON.parse((await verb('stats', directory, '--json')).stdout);
  assert.equal(before.counters.requeued, 0, 'a plan changes nothing');
  const done = await verb('rewind', directory, '--to', '101', '--json');
  assert.deepEqual(JSON.parse(done.stdout), { dryRun: false, ...expected });
  const { counters, depthEvents } = JSON.parse((await verb('stats', directory, '--json')).stdout);
  assert.deepEqual([counters.requeued, depthEvents], [270, 300]);
  const again = await verb('rewind', directory, '--to', '101');
  assert.match(again.stdout, /^from 101 on nothing is kept that was taken\n300 pending anyway\n$/);
  assert.deepEqual(await deliveredBy(directory), upTo(300, 101));
});

test('rewind to a time, of a channel that has let its oldest segments go: what is not there is said', async (t) => {
  const directory = await makeChannel(t, 30, 0, 0);
  {
    // A new segment lets the drained ones go.
    await using channel = await FileChannel.open(directory, { ...options, retentionHours: 0 });
    for (let batch = 0; batch < 5; batch += 1) {
      await channel.put(upTo(eventsEach).map(() => ({ headers: {}, body: Buffer.alloc(1000, 'y') })));
      await (await channel.take(eventsEach)).commit();
    }
  }
  const plan = await verb('rewind', directory, '--to', '2026-01-01T00:00:00Z', '--json', '--dry-run');
  const { fromSequence, sequences, notKept } = JSON.parse(plan.stdout);
  assert.ok(fromSequence > 1 && fromSequence <= 700);
  assert.deepEqual(
    [sequences, notKept],
    [[{ first: fromSequence, last: 700 }], [{ first: 1, last: fromSequence - 1 }]],
  );
  const done = await verb('rewind', directory, '--to', '2');
  const kept = 700 - fromSequence + 1;
  assert.equal(
    done.stdout,
    `${kept} events are pending again: ${fromSequence}…700\n` +
      `not there any more, and not sent again: 2…${fromSequence - 1}\n`,
  );
  const later = await verb('rewind', directory, '--to', '2999-01-01', '--json');
  assert.deepEqual([JSON.parse(later.stdout).requeuedEvents, JSON.parse(later.stdout).notKept], [0, []]);
});

test('by time, within a segment: from the first commit of that time on', async (t) => {
  const directory = await makeChannel(t, 2, 0);
  const split = new Date(Date.now() + 1);
  while (Date.now() < split.getTime() + 2) await new Promise((resolve) => setTimeout(resolve, 1));
  {
    await using channel = await FileChannel.open(directory, options);
    await channel.put([{ headers: {}, body: Buffer.from('41 x') }]);
    await (await channel.take(1)).commit();
  }
  const done = await verb('rewind', directory, '--to', split.toISOString(), '--json');
  assert.deepEqual(JSON.parse(done.stdout).sequences, [{ first: 41, last: 41 }]);
  assert.deepEqual(await deliveredBy(directory), [41]);
});

test('after a kill what was rewound is there, also for an owner that lets everything go', async (t) => {
  const directory = await makeChannel(t, 20, 0);
  const life = `
    const { FileChannel } = await import('./src/channel/file-channel.ts');
    const channel = await FileChannel.open(process.argv[1], ${JSON.stringify(options)});
    console.log(await channel.requeue([{ first: 7, last: 300 }]));
    process.kill(process.pid, 'SIGKILL');`;
  const args = ['--import=tsx', '--input-type=module', '--eval', life, directory];
  const killed = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  assert.equal(killed.stdout, '294\n', killed.stderr);
  await using channel = await FileChannel.open(directory, { ...options, retentionHours: 0 });
  assert.deepEqual(channel.damages, []);
  assert.deepEqual(sequencesOf(await channel.take(1000, { maxBytes: 1e9 })), upTo(294, 7));
});

test('resolve: commit, rollback, an unknown id, and the wrong command line', async (t) => {
  const directory = await makeChannel(t, 2, 40);
  {
    await using channel = await FileChannel.open(directory, options);
    const sink = channel.consumer('sink/k1');
    await sink.take(12);
    await sink.prepare([{ first: 1, last: 4 }], { file: 'a' });
    await sink.prepare([{ first: 7, last: 9 }], { file: 'b' });
  }
  const { unresolved } = JSON.parse((await verb('unresolved', directory, '--json')).stdout);
  const [first, second] = unresolved.map(({ id }: { id: string }) => id);
  assert.equal((await verb('resolve', directory, first)).status, 64);
  assert.equal((await verb('resolve', directory, first, '--commit', '--rollback')).status, 64);
  assert.equal((await verb('resolve', directory, '--commit')).status, 64);
  const unknown = await verb('resolve', directory, '9-9', '--commit');
  assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
  assert.equal(unknown.stderr, `error: no take is prepared as '9-9': there is ${first}, ${second}\n`);
  const committed = await verb('resolve', directory, first, '--commit', '--json');
  assert.deepEqual(JSON.parse(committed.stdout), {
    id: first,
    outcome: 'commit',
    consumer: 'sink/k1',
    events: 4,
    sequences: [{ first: 1, last: 4 }],
  });
  const rolledBack = await verb('resolve', directory, second, '--rollback');
  assert.deepEqual([rolledBack.status, rolledBack.stdout], [0, '3 events of sink/k1 are pending again: 7…9\n']);
  assert.equal((await verb('resolve', directory, second, '--commit')).status, 1);
  assert.deepEqual(await deliveredBy(directory), upTo(36, 5));
});

test('beside an owner: the plan is there, the deed and a resolve exit 75 and change nothing', async (t) => {
  const directory = await makeChannel(t, 4, 10);
  await using channel = await FileChannel.open(directory, options);
  const sink = channel.consumer('k');
  const id = await sink.prepare((await sink.take(3)).ranges, null);
  const before = channel.stats().counters;
  assert.equal((await verb('rewind', directory, '--to', '1')).status, 75);
  let status = 0;
  // The prepare is seen once a later group proves it.
  for (let tries = 0; status !== 75 && tries < 100; tries += 1) {
    ({ status } = await verb('resolve', directory, id, '--commit'));
    assert.ok(status === 75 || status === 1, `${status}`);
  }
  assert.equal(status, 75);
  assert.deepEqual(
    expand(JSON.parse((await verb('rewind', directory, '--to', '60', '--dry-run', '--json')).stdout).sequences),
    upTo(11, 60),
  );
  assert.equal((await verb('rewind', directory)).status, 64);
  assert.equal((await verb('rewind', directory, '--to', 'yesterday')).status, 64);
  assert.equal((await verb('rewind', join(directory, 'nowhere'), '--to', '1')).status, 1);
  assert.deepEqual([channel.stats().counters, channel.unresolved().length], [before, 1]);
});
