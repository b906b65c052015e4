/** `forebay channel export`: what is in the file is what is in the channel; and what `import` makes of it again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { mib } from '../../src/base/units.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { Event } from '../../src/event/event.ts';
import { numberedEvents } from '../support/avro-events.ts';
import { readAvroFile } from '../support/avro-files.ts';
import { forebay } from '../support/forebay-here.ts';
import { numbers, type Sample, tellStory } from '../support/sample-channels.ts';
import { samples } from '../support/sample-damage.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';

interface Exported {
  readonly sequence: number;
  readonly time: number;
  readonly state: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const plain = { minimumFreeBytes: 0, checkpoint: 'memory' } as const;

async function readExport(path: string): Promise<{ readonly records: Exported[]; readonly codec: string }> {
  return await readAvroFile<Exported>(await readFile(path));
}

function contentOf({ headers, body }: Event): string {
  const hash = createHash('sha256').update(body).digest('hex');
  return JSON.stringify([Object.entries(headers).sort(), body.length, hash]);
}

/** avsc gives no header back that is called so. */
function withoutProto({ headers, body }: Event): Event {
  return { headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== '__proto__')), body };
}

/** Compared by hand: a message with thousands of events helps nobody. */
function assertSame(actual: readonly string[], expected: readonly string[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const differs = expected.findIndex((line, index) => line !== actual[index]);
  assert.equal(differs, -1, `${what}: event ${differs + 1}: ${actual[differs]?.slice(0, 200)}`);
}

const oddEvents: readonly Event[] = [
  { headers: {}, body: Buffer.alloc(0) },
  { headers: { '': '', ' ': '\u0000', '\u001b[2J': 'x\ny', ключ: '値 🦊' }, body: Buffer.from([0xff, 0xfe, 0, 10]) },
  {
    headers: Object.fromEntries([
      ['__proto__', 'own'],
      ['constructor', 'too'],
    ]),
    body: Buffer.from('named oddly'),
  },
  {
    headers: Object.fromEntries(numbers(1, 1000).map((number) => [`h${number}`, 'v'.repeat(number % 70)])),
    body: Buffer.from('many headers'),
  },
  { headers: { large: 'yes' }, body: Buffer.alloc(8 * mib, 'eight MiB ') },
  ...numberedEvents(0, 3000),
];

for (const codec of ['deflate', 'null']) {
  test(`what is exported with the codec ${codec} and imported is what was put`, async (t) => {
    const home = await tempDir(t);
    const [from, to, out] = ['c1', 'c2', 'out.avro'].map((name) => join(home, name)) as [string, string, string];
    const channel = await FileChannel.open(from, plain);
    for (let at = 0; at < oddEvents.length; at += 1000) await channel.put(oddEvents.slice(at, at + 1000));
    await channel.close();
    const exported = await forebay('channel', 'export', from, out, '--codec', codec, '--json');
    assert.equal(exported.status, 0, exported.stderr);
    const file = await readExport(out);
    assert.equal(file.codec, codec);
    assertSame(file.records.map(contentOf), oddEvents.map(withoutProto).map(contentOf), 'exported');
    assert.deepEqual(
      file.records.map(({ sequence }) => sequence),
      numbers(1, oddEvents.length),
    );
    const { bytes } = JSON.parse(exported.stdout);
    assert.equal(bytes, (await readFile(out)).length);
    const imported = await forebay('channel', 'import', to, out);
    assert.equal(imported.status, 0, imported.stderr);
    await using other = await FileChannel.open(to, plain);
    const taken: Event[] = [];
    while (taken.length < oddEvents.length) taken.push(...(await other.take(10_000)).events);
    assertSame(taken.map(contentOf), oddEvents.map(contentOf), 'imported');
    assert.equal(other.stats().depthEvents, oddEvents.length, 'each once');
    console.log(`shows: ${oddEvents.length} events exported (${codec}) and imported: equal`);
  });
}

async function exportOf(sample: Sample, home: string, ...options: string[]): Promise<Exported[]> {
  const out = join(home, 'some.avro');
  const { status, stderr } = await forebay('channel', 'export', sample.directory, out, '--force', ...options);
  assert.equal(status, 0, stderr);
  return (await readExport(out)).records;
}

test('a range, states, headers and a limit choose the same events as the books say', async (t) => {
  const home = await tempDir(t);
  const sample = await tellStory(home, { isPreparing: true });
  const before = await snapshotOf(sample.directory);
  const { events, acked, prepared } = sample.oracle;
  const stateOf = (sequence: number): string =>
    acked.includes(sequence) ? 'acked' : prepared.includes(sequence) ? 'prepared' : 'pending';
  const iso = (sequence: number): string => new Date(events[sequence - 1]?.timeMs ?? 0).toISOString();
  const cases: [string[], (one: (typeof events)[number]) => boolean][] = [
    [[], ({ sequence }) => stateOf(sequence) !== 'acked'],
    [['--state', 'all'], () => true],
    [['--state', 'acked'], ({ sequence }) => stateOf(sequence) === 'acked'],
    [['--from', '43', '--to', '45'], ({ sequence }) => sequence >= 43 && sequence <= 45],
    [
      ['--from', iso(50), '--to', iso(60)],
      ({ timeMs }) => timeMs >= Date.parse(iso(50)) && timeMs <= Date.parse(iso(60)),
    ],
    [['--where', 'host=web1', '--state', 'all'], ({ headers }) => headers['host'] === 'web1'],
    [['--state', 'all', '--limit', '7'], ({ sequence }) => sequence <= 7],
    [['--limit', '0'], () => false],
    [['--from', '500'], () => false],
  ];
  for (const [options, isDue] of cases) {
    const expected = events.filter(isDue).map((one) => ({ ...one, state: stateOf(one.sequence) }));
    const found = await exportOf(sample, home, ...options);
    assert.deepEqual(
      found.map(({ sequence, time, state, headers, body }) => ({
        sequence,
        headers: { ...headers },
        body,
        timeMs: time,
        state,
      })),
      expected.map(({ sequence, headers, body, timeMs, state }) => ({ sequence, headers, body, timeMs, state })),
      options.join(' '),
    );
  }
  assert.deepEqual(await snapshotOf(sample.directory), before, 'who exports changes nothing');
});

test('damage costs its own events: they are named, the others are in the file', async (t) => {
  const home = await tempDir(t);
  const sample = await samples['bit-flip']?.(home);
  assert.ok(sample);
  const out = join(home, 'out.avro');
  const { status, stderr, stdout } = await forebay(
    'channel',
    'export',
    sample.directory,
    out,
    '--state',
    'all',
    '--json',
  );
  const { lost, events } = sample.oracle;
  assert.ok(lost.length > 0);
  assert.equal(status, 2);
  assert.match(stderr, new RegExp(`the events ${lost[0]}…${lost.at(-1)} are damaged, and were not exported`));
  assert.equal(JSON.parse(stdout).passedOver.events, lost.length);
  const expected = events.filter(({ sequence }) => !lost.includes(sequence)).map(({ sequence }) => sequence);
  assert.deepEqual(
    (await readExport(out)).records.map(({ sequence }) => sequence),
    expected,
  );
});

test('beside an owner who writes, each export is a whole beginning of what was put', { timeout: 60_000 }, async (t) => {
  const home = await tempDir(t);
  const directory = join(home, 'c1');
  await using channel = await FileChannel.open(directory, { ...plain, segmentBytes: 65_536 });
  const counts: number[] = [];
  let put = 0;
  const writing = (async () => {
    for (; counts.length < 5; put += 20) await channel.put(numberedEvents(put, put + 20));
  })();
  while (counts.length < 5) {
    const out = join(home, 'out.avro');
    const { status, stderr } = await forebay('channel', 'export', directory, out, '--force');
    assert.equal(status, 0, stderr);
    const { records } = await readExport(out);
    assertSame(records.map(contentOf), numberedEvents(0, records.length).map(contentOf), 'exported');
    if (records.length > 0) counts.push(records.length);
  }
  await writing;
  assert.ok((counts[0] ?? 0) < (counts[4] ?? 0) && (counts[4] ?? 0) <= put, `${counts}`);
  console.log(`shows: exports beside an owner who writes: ${counts.length}, of ${counts.join(', ')} events`);
});

test('a half file never stands under its name: after errors and signals there is nothing', async (t) => {
  const home = await tempDir(t);
  const directory = join(home, 'c1');
  const channel = await FileChannel.open(directory, plain);
  for (let put = 0; put < 4; put += 1) await channel.put(numberedEvents(put * 10_000, (put + 1) * 10_000));
  await channel.close();
  const files = join(home, 'files');
  await mkdir(files);
  const out = join(files, 'out.avro');
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const run = forebay('channel', 'export', directory, out);
    while (!readdirSync(files).some((name) => name.endsWith('.part'))) await new Promise(setImmediate);
    process.emit(signal);
    const ended = await run;
    assert.deepEqual([ended.status, ended.stdout], [status, ''], ended.stderr);
    assert.match(ended.stderr, /interrupted; .*out\.avro was not written/);
    assert.deepEqual(readdirSync(files), []);
  }
  const late = forebay('channel', 'export', directory, out);
  while (!readdirSync(files).some((name) => name.endsWith('.part'))) await new Promise(setImmediate);
  await writeFile(out, 'mine');
  const refused = await late;
  assert.deepEqual([refused.status, readdirSync(files), await readFile(out, 'utf8')], [64, ['out.avro'], 'mine']);
  await rm(out);
  // Files over 256 KiB are refused to it, as a full disk does.
  const main = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', 'export', directory, out, '--codec', 'null'];
  const script = `ulimit -f 256; exec ${[process.execPath, ...main].map((word) => `'${word}'`).join(' ')}`;
  const full = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });
  assert.deepEqual([full.status, full.stdout], [1, ''], full.stderr);
  assert.match(full.stderr, /error: .*out\.avro cannot be written: EFBIG/);
  assert.deepEqual(readdirSync(files), []);
});

test('a file that is there stays as it is, unless --force; nor does anything else give way', async (t) => {
  const home = await tempDir(t);
  const { directory } = await tellStory(home);
  const out = join(home, 'out.avro');
  await writeFile(out, 'mine');
  await symlink('out.avro', join(home, 'link'));
  const refused: [string, number, RegExp][] = [
    [out, 64, /is there already: name another, or replace it with --force/],
    [join(home, 'link'), 64, /is there already/],
    [home, 64, /is there, and is no file/],
    ['/dev/null', 64, /is there, and is no file/],
    [join(directory, 'out.avro'), 64, /would lie in a directory of the channel/],
    [join(home, 'nowhere/out.avro'), 1, /ENOENT/],
  ];
  const before = await snapshotOf(home);
  for (const [path, status, told] of refused) {
    const ran = await forebay('channel', 'export', directory, path);
    assert.deepEqual([ran.status, ran.stdout], [status, ''], ran.stderr);
    assert.match(ran.stderr, told);
  }
  assert.deepEqual(await snapshotOf(home), before);
  assert.equal((await forebay('channel', 'export', directory, join(home, 'link'), '--force')).status, 0);
  const { records } = await readExport(out);
  assert.equal(records.length, 90, 'the link leads to the new file');
});
