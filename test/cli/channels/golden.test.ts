/**
 * What the commands print of the samples: as text that is kept, and against the test's own books. None of them changes
 * anything.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readAvroFile } from '../../support/avro-files.ts';
import { unpackSample } from '../../support/flume-samples.ts';
import { forebay, forebayAt, forebayInterrupted } from '../../support/forebay-here.ts';
import { numbers, type Sample, type SampleEvent } from '../../support/sample-channels.ts';
import { samples } from '../../support/sample-damage.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { snapshotOf } from '../../support/tree-snapshot.ts';
import { followed, goldenPath, goldenText, importedText, lookedMs } from './golden-text.ts';

interface Range {
  readonly first: number;
  readonly last: number;
}

async function jsonOf(verb: string, { args }: Sample, ...options: string[]) {
  const { status, stdout, stderr } = await forebayAt(lookedMs, 'channel', verb, ...args, '--json', ...options);
  return { status, stderr, json: stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])) };
}

/** Not acknowledged, and not gone. */
function waiting({ oracle }: Sample): number[] {
  const { events, acked, lost, cutOff } = oracle;
  const gone = new Set([...acked, ...lost, ...cutOff]);
  return events.map(({ sequence }) => sequence).filter((sequence) => !gone.has(sequence));
}

async function checkVerify(sample: Sample): Promise<void> {
  const { lost, cutOff } = sample.oracle;
  const { status, json } = await jsonOf('verify', sample);
  const damages: { eventsLost: number; sequences: Range[] }[] = json[0].damages;
  const named = damages.filter(({ eventsLost }) => eventsLost > 0).flatMap(({ sequences }) => sequences);
  assert.deepEqual(
    named.flatMap(({ first, last }) => numbers(first, last)),
    lost,
    'the events that verify names as lost',
  );
  assert.equal(
    damages.reduce((sum, { eventsLost }) => sum + eventsLost, 0),
    lost.length,
  );
  assert.deepEqual([json[0].ok, status], damages.length === 0 ? [true, 0] : [false, 2]);
  if (lost.length + cutOff.length > 0) assert.equal(json[0].ok, false);
  const unread = new Set([...lost, ...cutOff]);
  assert.equal(json[0].events, sample.oracle.events.filter(({ sequence }) => !unread.has(sequence)).length);
}

async function checkStats(sample: Sample): Promise<void> {
  const { lost, prepared, events, acked, isHidden } = sample.oracle;
  const { json } = await jsonOf('stats', sample);
  const [{ depthEvents, preparedEvents, oldestEventAgeMs, counters, health }] = json;
  const known = isHidden ? 0 : lost.length;
  const left = waiting(sample);
  assert.equal(depthEvents, left.length + lost.length - known);
  assert.equal(preparedEvents, prepared.length);
  const { put, requeued, taken, dropped, quarantined } = counters;
  assert.equal(put + requeued - taken - dropped - quarantined, depthEvents);
  assert.deepEqual([taken, quarantined], [acked.length, known]);
  const oldest = events.find(({ sequence }) => sequence === left[0]);
  assert.equal(oldestEventAgeMs, oldest === undefined ? null : lookedMs - oldest.timeMs);
  if (known > 0) assert.equal(health.state, 'degraded');
}

/** Each event that can be had, with its state; and the segments' figures add up to it. */
async function checkDump(sample: Sample): Promise<void> {
  const { events, acked, prepared, lost, cutOff, isHidden } = sample.oracle;
  const { json, status } = await jsonOf('dump', sample, '--state', 'all');
  const gone = new Set([...lost, ...cutOff]);
  const expected = events.filter(({ sequence }) => !gone.has(sequence));
  assert.deepEqual(
    json.map(({ sequence, headers, body, encoding }) => [sequence, headers, Buffer.from(body, encoding)]),
    expected.map(({ sequence, headers, body }) => [sequence, headers, body]),
  );
  const states = { acked, prepared, pending: waiting(sample).filter((sequence) => !prepared.includes(sequence)) };
  for (const [state, sequences] of Object.entries(states)) {
    const shown = json.filter((one) => one.state === state).map(({ sequence }) => sequence);
    assert.deepEqual(shown, sequences, state);
  }
  assert.equal(status, gone.size > 0 ? 2 : 0, 'dump met damage');
  const { segments } = (await jsonOf('segments', sample)).json[0];
  const live = segments.reduce((sum: number, { liveEvents }: { liveEvents: number }) => sum + liveEvents, 0);
  assert.equal(live, waiting(sample).length + (isHidden ? lost.length : 0), 'live events of all segments');
}

/** Each event that can be had is in the file, as it is. */
async function checkExport(sample: Sample, out: string): Promise<void> {
  const { events, lost, cutOff, acked, prepared } = sample.oracle;
  const { status, json } = await jsonOf(
    'export',
    { ...sample, args: [sample.args[0] ?? '', out, ...sample.args.slice(1)] },
    '--state',
    'all',
  );
  const gone = new Set([...lost, ...cutOff]);
  const expected = events.filter(({ sequence }) => !gone.has(sequence));
  const stateOf = (sequence: number): string =>
    acked.includes(sequence) ? 'acked' : prepared.includes(sequence) ? 'prepared' : 'pending';
  const { records } = await readAvroFile<SampleEvent & { time: number; state: string }>(readFileSync(out));
  assert.deepEqual(
    records.map(({ sequence, state, headers, body }) => [sequence, state, { ...headers }, body]),
    expected.map(({ sequence, headers, body }) => [sequence, stateOf(sequence), headers, body]),
    'exported',
  );
  // What no group proves, after a kill, has the time of the put before it.
  const last = expected.at(-1)?.timeMs;
  for (const [at, { timeMs }] of expected.entries()) {
    const time = records[at]?.time ?? 0;
    assert.ok(time === timeMs || (timeMs === last && time > timeMs - 5000 && time < timeMs), `${at}: ${time}`);
  }
  assert.equal(json[0].events, expected.length);
  assert.equal(status, gone.size > 0 ? 2 : 0, 'export met damage');
}

/** The last three, and then Ctrl-C. */
async function checkTail({ args, oracle }: Sample): Promise<void> {
  const { status, stdout } = await forebayInterrupted(3, 'channel', 'tail', ...args, '--json', '--last', '3');
  const shown = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  assert.deepEqual(
    shown.map(({ sequence, headers, body, encoding }) => [sequence, headers, Buffer.from(body, encoding)]),
    oracle.events.slice(-3).map(({ sequence, headers, body }) => [sequence, headers, body]),
  );
  assert.equal(status, 130);
}

test("what Flume's directories hold is imported, and said in the words that are kept", async (t) => {
  const home = await tempDir(t);
  const sample = await unpackSample(t, 'clean');
  const before = await snapshotOf(sample.top);
  assert.equal(
    await importedText(sample, home),
    readFileSync(goldenPath('import-flume'), 'utf8'),
    'npm run golden:update',
  );
  assert.deepEqual(await snapshotOf(sample.top), before);
  const { stdout } = await forebay('channel', 'stats', join(home, 'new'), '--json');
  assert.equal(JSON.parse(stdout).depthEvents, sample.expected.length);
});

for (const [name, make] of Object.entries(samples)) {
  test(`the commands say of a channel that is ${name} what is true, in the words that are kept`, async (t) => {
    const home = await tempDir(t);
    const sample = await make(home);
    const before = await snapshotOf(home);
    await checkVerify(sample);
    await checkStats(sample);
    await checkDump(sample);
    await checkExport(sample, join(await tempDir(t), 'out.avro'));
    if (followed.includes(name)) await checkTail(sample);
    const text = await goldenText(name, sample, home, async () => {
      assert.deepEqual(await snapshotOf(home), before, 'who looks changes nothing');
    });
    assert.deepEqual(unlike(text, readFileSync(goldenPath(name), 'utf8')), [], 'npm run golden:update');
  });
}

/** The lines of one that the other does not have, as they are too many to be looked through: `- kept`, `+ said`. */
function unlike(said: string, kept: string): string[] {
  const [its, golden] = [said.split('\n'), kept.split('\n')];
  const lines = [
    ...golden.filter((line) => !its.includes(line)).map((line) => `- ${line}`),
    ...its.filter((line) => !golden.includes(line)).map((line) => `+ ${line}`),
  ];
  return lines.length > 0 || said === kept ? lines : ['the same lines, in another order or number'];
}
