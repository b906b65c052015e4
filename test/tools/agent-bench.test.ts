/** The parts of tools/agent-bench that need no agent: what is wrong with an output is found, and told. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { EndToEndFigures } from '../../tools/agent-bench/end-to-end.ts';
import { LineLedger } from '../../tools/agent-bench/line-ledger.ts';
import { readOptions } from '../../tools/agent-bench/options.ts';
import { OutputWatch } from '../../tools/agent-bench/output-watch.ts';
import { agentPictures, endToEndTable, latencyTable } from '../../tools/agent-bench/report.ts';
import { Arrivals, lineOf } from '../../tools/agent-bench/stamped-line.ts';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { tempDir } from '../support/temp-dir.ts';

const none = { missing: 0, repeated: 0, changed: 0 };

test('a log is the same for the same seed, and each line of it is found once, in any order and files', async (t) => {
  const directory = await tempDir(t);
  const [input, again, other, output] = ['input', 'again', 'other', 'output'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [input, again, other, output]) mkdirSync(path);
  for (const [path, seed] of [
    [input, 1],
    [again, 1],
    [other, 2],
  ] as const) {
    writeAccessLogs(path, { files: 2, linesPerFile: 5000, seed });
  }
  const textOf = (path: string): string =>
    readdirSync(path)
      .map((name) => readFileSync(join(path, name), 'utf8'))
      .join('');
  const text = textOf(input);
  assert.equal(text.length, 10_000 * 500);
  assert.equal(textOf(again), text);
  const ledger = new LineLedger(input, 10_000);
  assert.deepEqual(ledger.faultsOf(input), none);
  assert.deepEqual(ledger.faultsOf(other), { ...none, missing: 10_000, changed: 10_000 }, 'other lines');
  assert.throws(() => new LineLedger(input, 10_001), /lacks line 10000/);
  const lines = text.split('\n').slice(0, -1).reverse();
  const faultsOf = (all: readonly string[]): object => {
    writeFileSync(join(output, 'one'), all.map((line) => `${line}\n`).join(''));
    return ledger.faultsOf(output);
  };
  assert.deepEqual(faultsOf(lines), none, 'the other way round');
  assert.deepEqual(faultsOf(lines.slice(1)), { ...none, missing: 1 });
  assert.deepEqual(faultsOf([...lines, lines[7] ?? '', lines[7] ?? '']), { ...none, repeated: 2 });
  assert.deepEqual(faultsOf([...lines.slice(1), `X${lines[0]?.slice(1)}`]), { ...none, missing: 1, changed: 1 });
  assert.deepEqual(faultsOf([...lines, 'no line of it']), { ...none, changed: 1 });
  faultsOf(lines);
  appendFileSync(join(output, 'one'), lines[0]?.slice(0, 490) ?? '');
  assert.deepEqual(ledger.faultsOf(output), { ...none, changed: 1 }, 'a torn line at the end');
});

test('lines are as old as they say when they are seen, whole and once', () => {
  const arrivals = new Arrivals(3);
  const [first, second] = [lineOf(0, 1_000_000n), lineOf(1, 2_000_000n)];
  assert.deepEqual([first.length, second.length], [500, 500]);
  arrivals.add(first + second.slice(0, 100), 4_000_000n);
  assert.equal(arrivals.count, 1);
  arrivals.add(second.slice(100), 9_000_000n);
  assert.deepEqual(arrivals.latencies.percentilesUs([0.5, 1]), [3000, 7000]);
  assert.equal(arrivals.faults, 0);
  arrivals.add(first, 9_000_000n);
  arrivals.add(lineOf(3, 1n), 9_000_000n);
  assert.deepEqual([arrivals.count, arrivals.faults], [2, 2], 'one came again, one was never written');
});

test('a watch sees what files hold and what comes to them, new ones too', async (t) => {
  const directory = await tempDir(t);
  const write = (name: string, number: number): void =>
    appendFileSync(join(directory, name), lineOf(number, process.hrtime.bigint()));
  write('a', 0);
  const arrivals = new Arrivals(3);
  const watch = new OutputWatch(directory, arrivals);
  const until = async (count: number): Promise<void> => {
    while (arrivals.count < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  try {
    await until(1);
    write('a', 1);
    write('b', 2);
    await until(3);
  } finally {
    // Before the directory is removed.
    watch.close();
  }
  assert.equal(arrivals.faults, 0);
});

test('tables have medians, ratios and whether targets are reached', () => {
  const figures = (side: 'forebay' | 'flume', times: number, repetition: number): EndToEndFigures => ({
    side,
    batch: 100,
    repetition,
    wallSeconds: 10 / times,
    flowSeconds: 5 / times,
    eventsPerSecond: 1000 * times,
    flowEventsPerSecond: 2000 * times,
    cpuSeconds: 40 / times,
    peakMemoryMiB: 400,
  });
  const measured = [
    figures('flume', 1, 1),
    figures('forebay', 9, 1),
    figures('forebay', 11, 2),
    figures('forebay', 12, 3),
  ];
  const table = endToEndTable(measured) ?? '';
  assert.match(table, /^events\/s, batches of 100 +11,000 \(9,000–12,000\) +1,000 +11\.0 +≥ 10 +yes$/m);
  assert.match(table, /^CPU seconds, batches of 100 .* 0\.091 +≤ 0\.125 +yes$/m);
  assert.match(table, /^peak memory, MiB, batches of 100 +400 .* 1\.00 +≤ 0\.5 +NO$/m);
  assert.equal(endToEndTable([]), undefined);
  const latencies = [
    { side: 'forebay', repetition: 1, p50Ms: 12, p99Ms: 30, maxMs: 40 },
    { side: 'watch', repetition: 1, p50Ms: 0.05, p99Ms: 0.2, maxMs: 2 },
  ] as const;
  assert.match(latencyTable(latencies) ?? '', /^forebay +12\.0 +30\.0 +40\.0$/m);
  assert.match(latencyTable(latencies) ?? '', /^of it the watching +0\.050/m);
  const names = agentPictures(measured, latencies, 'here').map(({ name }) => name);
  assert.deepEqual(names, ['events', 'cpu', 'memory', 'latency']);
});

test('a command line is read, and what is wrong with it is said', () => {
  const { lines, batches, parts, latencySeconds } = readOptions(['--dir', 'x', '--quick', '--only', 'latency']);
  assert.deepEqual(
    { lines, batches, parts, latencySeconds },
    {
      lines: 20_000,
      batches: [100, 1000],
      parts: ['latency'],
      latencySeconds: 2,
    },
  );
  assert.throws(() => readOptions([]), /--dir DIR is needed/);
  assert.throws(() => readOptions(['--dir', 'x', '--lines', '15']), /--lines 15 is not allowed: a multiple of 10/);
  assert.throws(() => readOptions(['--dir', 'x', '--batch', '100,x']), /--batch 'x' is not allowed/);
  assert.throws(() => readOptions(['--dir', 'x', '--only', 'all']), /--only 'all' is not allowed: one of end-to-end/);
});
