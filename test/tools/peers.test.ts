/** The peers' benchmark: what is left of a run, which results may stand together, what the document says of them. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { CommitFigures } from '../../src/bench/channel-work.ts';
import { allCells } from '../../tools/peers/cells.ts';
import { type ContenderName, contenders } from '../../tools/peers/contenders.ts';
import { documentOf } from '../../tools/peers/document.ts';
import { Figures } from '../../tools/peers/figures.ts';
import { LineProcess } from '../../tools/peers/line-process.ts';
import { readOptions } from '../../tools/peers/options.ts';
import { isPictureName, picturesOf } from '../../tools/peers/pictures.ts';
import {
  appendResult,
  differences,
  ForeignResults,
  type Line,
  type ResultLine,
  readResults,
  type StartLine,
} from '../../tools/peers/results-file.ts';
import { turnsLeft } from '../../tools/peers/turns.ts';
import { tempDir } from '../support/temp-dir.ts';

const start: StartLine = {
  kind: 'start',
  at: '2026-01-02T03:04:05.000Z',
  node: 'v20.20.2',
  settings: { windowMs: 2000, warmUpMs: 1000, gaugeMs: 500, quick: false, coldTakes: true, harness: 'abc' },
  machine: { cpu: 'Some CPU', cpus: 2, memoryBytes: 2 ** 34, system: 'Linux 6 x64', fileSystem: 'ext4 on /dev/x' },
  versions: { forebay: '1', flume: '1.11.0', sqlite: 'better-sqlite3 1' },
  commit: 'c0ffee',
  loadBefore: 0.1,
  pid: 1,
  scratch: 'gone',
};

function commitsOf(eventsPerSecond: number): CommitFigures {
  const seconds = 2;
  const events = seconds * eventsPerSecond;
  return { events, commits: events, seconds, eventsPerSecond, commitsPerSecond: eventsPerSecond, p50Us: 10, p99Us: 20 };
}

function resultOf(
  cell: string,
  contender: ContenderName,
  { rate, repetition = 1, node = 'v20.20.2' }: { rate: number; repetition?: number; node?: string },
): ResultLine {
  const side = cell.startsWith('put') ? { put: commitsOf(rate) } : { put: commitsOf(1), taken: commitsOf(rate) };
  const figures = { ...side, cpuCores: 0.5 };
  return { kind: 'result', cell, contender, repetition, node, at: start.at, tookMs: 3000, figures };
}

async function fileOf(context: TestContext, lines: readonly Line[]): Promise<string> {
  const file = join(await tempDir(context), 'results.jsonl');
  for (const line of lines) appendResult(file, line);
  return file;
}

const someCells = allCells.filter(({ id }) => ['put 1x1 100B', 'take 1x100 100B', 'both 8+8x1 100B'].includes(id));

test('the cells are those that were agreed, each with a name of its own', () => {
  const counts = (['put', 'take', 'both'] as const).map((work) => allCells.filter((cell) => cell.work === work).length);
  assert.deepEqual(counts, [27, 9, 18]);
  assert.equal(new Set(allCells.map(({ id }) => id)).size, 54);
});

test('every second repetition goes the other way round, and nobody gets what it cannot do', () => {
  const names = turnsLeft({ repetitions: 2, cells: someCells, contenders }, []).map(
    ({ repetition, cell, contender }) => `${repetition} ${cell.work} ${contender.name}`,
  );
  const all = contenders.map(({ name }) => name);
  const of = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  assert.deepEqual(of('1 put '), all);
  assert.deepEqual(of('2 put '), [...all].reverse());
  const queues = ['forebay', 'flume', 'lmdb', 'sqlite', 'chronicle', 'nats', 'diskqueue'];
  assert.deepEqual(of('1 take '), queues);
  assert.deepEqual(of('2 both '), queues.filter((name) => name !== 'chronicle').reverse());
});

test('a run that was killed while it wrote a line goes on with exactly what is missing', async (context) => {
  const done = resultOf('put 1x1 100B', 'forebay', { rate: 5 });
  const failed: Line = {
    kind: 'failed',
    contender: 'flume',
    cell: done.cell,
    repetition: 1,
    node: 'v20',
    at: '',
    error: 'x',
  };
  const file = await fileOf(context, [start, done, failed]);
  const whole = readFileSync(file, 'utf8');
  appendFileSync(file, JSON.stringify(resultOf('put 1x1 100B', 'lmdb', { rate: 5 })).slice(0, 60));
  assert.deepEqual(readResults(file), [start, done, failed], 'reading alone changes nothing');
  assert.notEqual(readFileSync(file, 'utf8'), whole);
  const lines = readResults(file, { repair: true });
  assert.equal(readFileSync(file, 'utf8'), whole, 'the torn line is cut off');
  const plan = { repetitions: 1, cells: someCells.slice(0, 1), contenders };
  const left = turnsLeft(plan, lines).map(({ contender }) => contender.name);
  assert.deepEqual(left, contenders.map(({ name }) => name).slice(1), 'the failed one and the torn one again');
  appendResult(file, resultOf('put 1x1 100B', 'flume', { rate: 5 }));
  assert.equal(turnsLeft(plan, readResults(file)).length, left.length - 1);
  console.log(`shows: peers' benchmark: killed in its third result, ${left.length} of ${contenders.length} turns left`);
});

test('results of another setting, machine, version or Node are refused by name', () => {
  const changed: [StartLine, RegExp][] = [
    [{ ...start, settings: { ...start.settings, windowMs: 1 } }, /^windowMs: 2000 there, 1 here$/],
    [{ ...start, settings: { ...start.settings, harness: 'x' } }, /^harness: /],
    [{ ...start, machine: { ...start.machine, fileSystem: 'xfs' } }, /^fileSystem: ext4 on \/dev\/x there, xfs here$/],
    [{ ...start, machine: { ...start.machine, cpus: 4 } }, /^cpus: /],
    [{ ...start, versions: { ...start.versions, flume: '1.12' } }, /^flume: 1.11.0 there, 1.12 here$/],
    [{ ...start, node: 'v24.1.0' }, /^Node: /],
  ];
  for (const [other, expected] of changed) {
    const found = differences([start], other);
    assert.equal(found.length, 1, found.join());
    assert.match(found[0] ?? '', expected);
  }
  const later = { ...start, at: 'later', pid: 2, scratch: 'other', loadBefore: 2, commit: 'other' };
  assert.deepEqual(differences([start], later), []);
  assert.deepEqual(differences([start], { ...start, versions: { nats: '2' } }), [], 'a peer that was missing before');
  const newer = { ...start, node: 'v24.1.0', versions: { ...start.versions, sqlite: 'node:sqlite' } };
  assert.deepEqual(differences([start], newer, { anyNode: true }), []);
});

test('a file that is none of ours is refused and left as it is', async (context) => {
  const file = join(await tempDir(context), 'notes.txt');
  for (const text of ['hello\nworld\n', `${JSON.stringify(resultOf('put 1x1 100B', 'lmdb', { rate: 1 }))}\n`, '{}\n']) {
    writeFileSync(file, text);
    assert.throws(() => readResults(file, { repair: true }), ForeignResults, text);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

const rates = (cell: string, contender: ContenderName, values: readonly number[], node = 'v20.20.2'): ResultLine[] =>
  values.map((rate, index) => resultOf(cell, contender, { rate, repetition: index + 1, node }));

const sample: readonly ResultLine[] = [
  ...rates('put 16x100 500B', 'forebay', [900, 1100, 1000, 1300]),
  ...rates('put 16x100 500B', 'forebay', [3000], 'v24.1.0'),
  ...rates('put 16x100 500B', 'flume', [100]),
  ...rates('put 16x100 500B', 'flume', [300], 'v24.1.0'),
  ...rates('put 16x100 500B', 'sqlite', [500, 600, 400]),
  ...rates('put 16x100 500B', 'chronicle', [9000]),
  ...rates('both 8+8x1 500B', 'forebay', [50]),
  ...rates('both 8+8x1 500B', 'lmdb', [100]),
];

test('figures are medians with their spread, compared with the best peer that syncs, under the same Node', () => {
  const figures = new Figures(sample);
  const [put, both] = figures.cells;
  const [forebay, flume] = contenders;
  assert.ok(put !== undefined && both !== undefined && forebay !== undefined && flume !== undefined);
  const ours = figures.of(put, { contender: forebay, node: '20' });
  assert.deepEqual([ours?.eventsPerSecond, ours?.low, ours?.high, ours?.repetitions], [1050, 900, 1300, 4]);
  assert.equal(figures.of(put, { contender: flume, node: undefined })?.eventsPerSecond, 200, 'of both runs');
  const compared = figures.nodes.map((node) => figures.compare(put, node));
  assert.deepEqual(
    compared.map((one) => [one?.best.name, one?.ratio]),
    [
      ['sqlite', 2.1],
      ['flume', 10],
    ],
    'Chronicle Queue does not sync; what was measured in the other run does not count',
  );
  assert.equal(figures.compare(both, '20')?.ratio, 0.5);
  assert.equal(figures.compare(both, '24'), undefined);
});

test('the document says who is ahead, who does not sync and who is missing, with a picture for each chapter', () => {
  const missing: Line = { kind: 'failed', contender: 'nats', node: 'v20.20.2', at: '', error: 'spawn go ENOENT\nmore' };
  const retried: Line = { ...missing, contender: 'lmdb', cell: 'both 8+8x1 500B', repetition: 1 };
  const text = documentOf([start, ...sample, missing, retried]);
  assert.match(
    text,
    /Node 20: ahead of every peer that syncs first in 1 of 2 cells\. Not in: both 8\+8x1 500B \(0\.500/,
  );
  assert.match(text, /Node 24: ahead of every peer that syncs first in 1 of 1 cells\.\n/);
  assert.match(text, /\| 16 × 100 \| Node 20 \| 1,050 \| SQLite queue 500 \| \*\*2\.10\*\* \|/);
  assert.match(text, /\| 16 × 100 \| forebay, Node 24 \| 3,000 \|/);
  assert.match(text, /\| 16 × 100 \| Chronicle Queue \(\*not synced\*\) \| 9,000 \| 9,000–9,000 \|/);
  assert.match(text, /\| Apache Flume file channel \| 1\.11\.0 \| On the disk before it is acknowledged/);
  assert.match(text, /## Missing\n\n- NATS JetStream, Node 20: spawn go ENOENT\n\n## Put/);
  const pictures = picturesOf(new Figures(sample));
  assert.deepEqual(
    pictures.map(({ fileName }) => fileName),
    ['put-500b.svg', 'both-500b.svg'],
  );
  for (const { fileName, svg } of pictures) {
    assert.ok(isPictureName(fileName), fileName);
    assert.ok(text.includes(`(performance/${fileName})`), fileName);
    assert.match(svg, /^<svg[\s\S]*forebay, Node 20[\s\S]*<\/svg>\s*$/);
  }
  assert.throws(() => documentOf([start]), /no results/);
});

test('a command line that makes no sense is refused with what is wrong', () => {
  assert.deepEqual(
    readOptions(['--dir', 'x', '--only', 'put 16×,take 1x100 ']).cells.length,
    12,
    'a space behind the batch is part of the text',
  );
  const wrong: [string[], RegExp][] = [
    [[], /--dir DIR is needed/],
    [['--dir', 'x', '--only', 'nothing'], /--only 'nothing' is in no cell's name/],
    [['--dir', 'x', '--peers', 'kafka'], /--peers 'kafka' is not known/],
    [['--dir', 'x', '--reps', '0'], /--reps '0' is not allowed/],
    [['--dir', 'x y'], /no spaces/],
    [['--dir', 'x', '--report', 'y'], /takes no --dir/],
    [['--no-such'], /--no-such/],
  ];
  for (const [args, expected] of wrong) assert.throws(() => readOptions(args), expected);
});

test('a driver that dies is an error that says how, not a wait', async () => {
  const driver = new LineProcess({
    name: 'Peer',
    command: process.execPath,
    args: ['-e', "process.stdin.once('data', () => { console.error('out of luck'); process.exit(3); })"],
  });
  await assert.rejects(driver.ask('put', 'x'), /^Error: Peer ended at 'put': out of luck\nended with 3$/);
  const absent = new LineProcess({ name: 'Peer', command: 'no-such-program', args: [] });
  await assert.rejects(absent.ask('put'), /ENOENT/);
});
