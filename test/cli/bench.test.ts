/** `forebay bench`: what it prints, what it refuses and how it says so, and that it leaves nothing behind. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { asNobody } from '../support/as-nobody.ts';
import { forebay, forebayInterrupted } from '../support/forebay-here.ts';
import { tempDir } from '../support/temp-dir.ts';

/** The least that is measured. */
const leastDisk = ['--quick', '--size', '4', '--files', '1', '--duration-ms', '2'];
const leastChannel = ['--quick', '--work', 'put', '--producers', '2', '--batch', '10', '--window-ms', '20'];

test('disk: a table with every way and layout, a picture, and nothing left in the directory', async (t) => {
  const home = await tempDir(t);
  writeFileSync(join(home, 'other'), 'is not ours');
  const { status, stdout, stderr } = await forebay(
    'bench',
    'disk',
    home,
    ...leastDisk,
    '--svg',
    join(home, 'disk.svg'),
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^forebay [\d.]+, Node v/);
  for (const layout of ['appending', 'overwriting', 'zero-filled']) {
    assert.ok(stdout.split('\n').filter((line) => line.startsWith(`${layout} `)).length >= 2, layout);
  }
  for (const what of ['fdatasync after each write', 'O_DSYNC, 1 file', 'write, one sync at the end', 'read, ']) {
    assert.ok(stdout.includes(what), what);
  }
  assert.match(stderr, /--quick: the figures show that everything works/);
  assert.deepEqual(readdirSync(home), ['disk.svg', 'other']);
  assert.match(
    readFileSync(join(home, 'disk.svg'), 'utf8'),
    /^<svg [\s\S]*Durable writes by size: 1 file[\s\S]*<\/svg>\n$/,
  );
});

test('disk --json: one document with the machine, the settings, and a row for each kind', async (t) => {
  const home = await tempDir(t);
  const { status, stdout } = await forebay('bench', 'disk', home, ...leastDisk, '--rounds', '2', '--json');
  assert.equal(status, 0);
  const { benchmark, machine, ground, settings, warnings, rows } = JSON.parse(stdout);
  assert.equal(benchmark, 'disk');
  assert.equal(machine.node, process.version);
  assert.ok(machine.cpus > 0 && ground.freeBytes > 0 && typeof ground.isDirect === 'boolean');
  assert.deepEqual([settings.rounds, settings.sizes, warnings.length > 0], [2, [4096], true]);
  assert.equal(rows.length, 9 + 2);
  for (const { kind, perSecond, refused, p50Us } of rows) {
    assert.ok(refused === true || perSecond.low <= perSecond.median, kind);
    assert.equal(typeof p50Us, kind === 'write' && refused !== true ? 'number' : 'undefined');
  }
});

test('channel: a row for each work with its share of the disk, the same in the document, and a picture', async (t) => {
  const home = await tempDir(t);
  const args = [...leastChannel, '--headers', '2', '--body', '50'];
  const svg = join(home, 'channel.svg');
  const { status, stdout, stderr } = await forebay('bench', 'channel', home, ...args, '--json', '--svg', svg);
  assert.equal(status, 0, stderr);
  const { benchmark, settings, rows } = JSON.parse(stdout);
  assert.deepEqual([benchmark, settings.works, settings.rounds], ['channel', ['put'], 1]);
  assert.equal(rows.length, 1);
  for (const row of rows) {
    const { name, work, bodyBytes, headers, eventsPerSecond, limit, share } = row;
    assert.deepEqual([name, work.kind, work.batch, bodyBytes, headers], ['put 2 × 10', 'put', 10, 50, 2]);
    assert.ok(Math.abs(share.median - eventsPerSecond.median / limit.eventsPerSecond) < 0.001);
  }
  assert.match(readFileSync(svg, 'utf8'), /Durable events a second, bodies of 50 B[\s\S]*put 2 × 10/);
  assert.deepEqual(readdirSync(home), ['channel.svg']);
  const { stdout: table } = await forebay('bench', 'channel', home, ...leastChannel);
  assert.match(table, /\nput 2 × 10 +500 +0 +[\d,.]+ +[\d,.]+–[\d,.]+ .*\(write\)/);
});

test('each wrong value is refused with what is allowed, before anything is made', async (t) => {
  const home = await tempDir(t);
  writeFileSync(join(home, 'file'), '');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['disk', home, '--size', '5'], /--size: '5' is not allowed: whole numbers from 4 to 16,384, multiples of 4/],
    [['disk', home, '--size', '4,,8'], /--size: ''/],
    [['disk', home, '--files', '0'], /--files: '0' is not allowed: whole numbers from 1 to 64/],
    [
      ['disk', home, '--layout', 'appending,up'],
      /--layout: 'up' is not allowed: one of appending, overwriting, zero-fi/,
    ],
    [['disk', home, '--way', 'x'], /--way: 'x' is not allowed: one of direct, buffered, dsync/],
    [['disk', home, '--rounds', '0'], /--rounds '0' is not allowed: a whole number from 1 to 1,000/],
    [['disk', home, '--duration-ms', '1e3'], /--duration-ms '1e3' is not allowed: a whole number from 1/],
    [['disk', home, '--svg', '-'], /--svg: name a file/],
    [['disk', home, '--svg', home], /is there, and is no file/],
    [['disk', join(home, 'absent')], /absent is not there: name a directory/],
    [['disk', join(home, 'file')], /file is no directory: name a directory/],
    [['disk', join(home, 'file', 'below')], /below is no directory: name a directory/],
    [['disk'], /missing required argument 'dir'/],
    [['channel', home, '--producers', '1,0'], /--producers: '0' is not allowed: whole numbers from 1 to 1,024/],
    [['channel', home, '--batch', '10001'], /--batch: '10001' is not allowed: whole numbers from 1 to 10,000/],
    [['channel', home, '--body', '-1'], /--body: '-1' is not allowed/],
    [['channel', home, '--batch', '1000', '--body', '1000000'], /at most 64 MiB in one transaction/],
    [['channel', home, '--headers', '101'], /--headers: '101' is not allowed: whole numbers from 0 to 100/],
    [['channel', home, '--work', 'put,give'], /--work: 'give' is not allowed: one of put, take, both, open, memory/],
    [['channel', home, '--waiting', '1'], /--waiting '1' is not allowed: a whole number from 1000/],
    [['channel', home, '--window-ms', '1'], /--window-ms '1' is not allowed: a whole number from 10/],
  ];
  for (const [args, expected] of cases) {
    const { status, stdout, stderr } = await forebay('bench', ...args);
    assert.match(stderr, expected, args.join(' '));
    assert.deepEqual([status, stdout], [64, ''], args.join(' '));
  }
  assert.deepEqual(readdirSync(home), ['file']);
});

test('too little room, no right to write, and a picture that cannot be made are said at once', async (t) => {
  const home = await tempDir(t);
  const large = await forebay(
    'bench',
    'channel',
    home,
    '--work',
    'open',
    '--waiting',
    '1000000000',
    '--body',
    '1000000',
  );
  assert.match(large.stderr, /are free in .*, and 9\d\d\.\d TiB are needed: measure elsewhere, make room/);
  assert.deepEqual([large.status, large.stdout], [1, '']);
  const picture = await forebay('bench', 'disk', home, '--svg', join(home, 'absent', 'x.svg'));
  assert.match(picture.stderr, /absent/);
  assert.equal(picture.status, 1);
  mkdirSync(join(home, 'closed'), { mode: 0o555 });
  const closed = await asNobody(() => forebay('bench', 'disk', join(home, 'closed')));
  assert.match(closed.stderr, /nothing can be made in .*closed: this user may not write there|permission denied/);
  assert.deepEqual([closed.status, closed.stdout], [1, '']);
  assert.deepEqual(readdirSync(home), ['closed']);
});

test('Ctrl-C ends either with 130, no figures, and nothing left', async (t) => {
  const home = await tempDir(t);
  for (const args of [
    ['disk', home, '--size', '4', '--files', '1', '--duration-ms', '60000'],
    ['channel', home, '--work', 'put', '--producers', '1', '--batch', '1', '--window-ms', '20000'],
  ]) {
    const { status, stdout, stderr } = await forebayInterrupted(2, 'bench', ...args);
    assert.equal(status, 130, stderr);
    assert.doesNotMatch(`${stdout}${stderr}`, /writes\/s|events\/s|error/);
    assert.deepEqual(readdirSync(home), []);
  }
});
