/** `forebay channel`: what the verbs that only look print, and their exit status. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { type Ran, forebay as runHere } from '../support/forebay-here.ts';
import { tempDir } from '../support/temp-dir.ts';

const options = { segmentBytes: 65_536, minimumFreeBytes: 0 };

function forebay(...args: string[]): Promise<Ran> {
  return runHere('channel', ...args);
}

/** 300 events in several segments, 100 of them taken, 5 prepared; closed in order. */
async function makeChannel(t: TestContext): Promise<string> {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, options);
  for (let from = 0; from < 300; from += 10) {
    const events = Array.from({ length: 10 }, (_, at) => ({
      headers: { host: `h${(from + at) % 3}` },
      body: Buffer.from(`line ${from + at} \u001b[31m${'x'.repeat(1000)}`),
    }));
    await channel.put(events);
  }
  const consumer = channel.consumer('sink/k1');
  for (let taken = 0; taken < 100; taken += 10) await consumer.commit((await consumer.take(10)).ranges);
  await consumer.prepare((await consumer.take(5)).ranges, { file: '/a' });
  return directory;
}

test('stats, segments, unresolved and verify of a healthy channel', async (t) => {
  const directory = await makeChannel(t);
  const before = readdirSync(directory).map((name) => [
    name,
    name.endsWith('.seg') && readFileSync(join(directory, name)),
  ]);
  const stats = await forebay('stats', directory, '--json');
  assert.equal(stats.status, 0, stats.stderr);
  const found = JSON.parse(stats.stdout);
  const counters = { put: 300, requeued: 0, taken: 100, dropped: 0, quarantined: 0 };
  assert.deepEqual(
    [found.depthEvents, found.preparedEvents, found.leasedEvents, found.counters, found.health, found.owner],
    [200, 5, 0, counters, { state: 'ok', reasons: [] }, 'none'],
  );
  assert.match(found.checkpoint.position, /^[0-9a-f]{16}:\d+$/);
  const segments = JSON.parse((await forebay('segments', directory, '--json')).stdout).segments as {
    liveEvents: number;
  }[];
  assert.ok(segments.length > 3);
  assert.equal(
    segments.reduce((sum, { liveEvents }) => sum + liveEvents, 0),
    200,
  );
  const unresolved = await forebay('unresolved', directory);
  assert.match(unresolved.stdout, /^id .*\n1-1 {2}sink\/k1 {3}\S+ +5 {2}101…105 +\{"file":"\/a"\}\n$/);
  const verify = await forebay('verify', directory);
  assert.match(verify.stdout, /groups, .* events; all of it holds\n$/);
  assert.equal(verify.status, 0);
  assert.deepEqual(
    readdirSync(directory).map((name) => [name, name.endsWith('.seg') && readFileSync(join(directory, name))]),
    before,
    'nothing was changed',
  );
});

test('dump: ranges, states, headers, formats; what is on a terminal is inert', async (t) => {
  const directory = await makeChannel(t);
  const lines = await forebay('dump', directory, '--from', '99', '--to', '108', '--state', 'all', '--json');
  assert.equal(lines.status, 0, lines.stderr);
  const events = lines.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ sequence, state }) => `${sequence} ${state}`),
    ['99 acked', '100 acked', ...[101, 102, 103, 104, 105].map((one) => `${one} prepared`)].concat(
      [106, 107, 108].map((one) => `${one} pending`),
    ),
  );
  assert.deepEqual([events[0].headers, events[0].encoding], [{ host: 'h2' }, 'utf8']);
  const text = await forebay('dump', directory, '--where', 'host=h1', '--limit', '2', '--state', 'pending');
  assert.deepEqual(
    text.stdout.split('\n').map((line) => /^(\d+) \S+ pending \{host=h1\} line \d+ \\u\{1b\}\[31mx+$/.exec(line)?.[1]),
    ['107', '110', undefined],
  );
  const raw = await forebay('dump', directory, '--limit', '1', '--format', 'raw');
  assert.equal(raw.stdout, `line 100 \u001b[31m${'x'.repeat(1000)}\n`);
});

test('damage is exit 2 and named; no channel 1, usage 64, a configuration without it 78', async (t) => {
  const directory = await makeChannel(t);
  const [, second = ''] = readdirSync(directory).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
  const first = join(directory, second);
  const bytes = readFileSync(first);
  const at = bytes.indexOf('xxxxxxxx');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  writeFileSync(first, bytes);
  const verify = await forebay('verify', directory, '--json');
  assert.equal(verify.status, 2, verify.stderr);
  const { ok, damages } = JSON.parse(verify.stdout);
  assert.equal(ok, false);
  assert.equal(damages.length, 1);
  assert.deepEqual([damages[0].path, damages[0].kind], [first, 'frame']);
  assert.match(
    (await forebay('verify', directory)).stdout,
    /\.seg at \d+, [\d,]+ bytes: frame: .*events lost.*\n.*1 damage,/,
  );
  const nowhere = await forebay('stats', join(directory, 'nowhere'));
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stderr, /holds no channel: name one of its data directories/);
  assert.equal((await forebay('dump', directory, '--limit', 'x')).status, 64);
  const file = join(directory, 'a.properties');
  const lines = [
    'channels = c1',
    'sinks = k1',
    'channels.c1.type = memory',
    'sinks.k1.type = null',
    'sinks.k1.channel = c1',
  ];
  writeFileSync(file, lines.map((line) => `a1.${line}\n`).join(''));
  const memory = await forebay('stats', '-f', file, '-n', 'a1', '--channel', 'c1');
  assert.equal(memory.status, 78, memory.stderr);
  assert.match(memory.stderr, /c1 is no file channel/);
});
