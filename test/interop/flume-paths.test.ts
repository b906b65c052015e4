/** Path escapes and rounding against Flume's own BucketPath: each letter, each unit, both changes of the clock. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { compilePath } from '../../src/adapters/sinks/hdfs/path-escapes.ts';
import type { Rounding } from '../../src/adapters/sinks/hdfs/path-time.ts';
import { findTimeZone } from '../../src/agent/contracts/java/time-zone.ts';
import type { Headers } from '../../src/engine.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildJava, javaMissing, runJava } from './java-program.ts';

interface Question {
  readonly text: string;
  readonly zone: string;
  readonly round: Rounding | undefined;
  readonly headers: Headers;
}

const missing = javaMissing();
const skip = missing === undefined ? false : `Flume cannot be asked: ${missing}`;
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'GMT+8', 'GMT-03:30'];
const everyLetter = '%a %A %b %B %c %d %e %D %H %k %I %l %j %m %n %M %p %s %S %t %y %Y %z %%';
const roundings: (Rounding | undefined)[] = [
  undefined,
  ...[1, 7, 10, 60].map((value) => ({ unit: 'second' as const, value })),
  ...[1, 5, 45, 60].map((value) => ({ unit: 'minute' as const, value })),
  ...[1, 2, 6, 24].map((value) => ({ unit: 'hour' as const, value })),
];
const hourMs = 3_600_000;

/** Around both changes of 2024 in each zone that has them, and at random in forty years. */
function times(): number[] {
  const random = new SeededRandom(1970);
  const changes = ['2024-03-31T01:00Z', '2024-10-27T01:00Z', '2024-03-10T07:00Z', '2024-11-03T06:00Z'];
  const islands = ['2024-04-06T15:00Z', '2024-10-05T15:30Z'];
  const near = [...changes, ...islands].flatMap((text) =>
    [-5, -2, -1.5, -1, -0.75, -0.001, 0, 0.25, 0.5, 0.999, 1, 1.5, 4, 13].map(
      (hours) => Date.parse(text) + hours * hourMs,
    ),
  );
  const anywhere = Array.from({ length: 40 }, () => random.below(40 * 365 * 24) * hourMs + random.below(hourMs));
  return [...near, ...anywhere].map((ms) => Math.max(1, Math.round(ms)));
}

function lineOf({ text, zone, round, headers }: Question): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
  return [text, zone, round?.unit ?? 'none', `${round?.value ?? 1}`, ...pairs].join('\t');
}

function here({ text, zone, round, headers }: Question): string {
  const found = findTimeZone(zone);
  assert.ok(found !== undefined, zone);
  const host = { localhost: 'web-1', ip: '192.0.2.1', fqdn: 'web-1.example.org' };
  const compiled = compilePath(text, { zone: found, round, usesLocalTime: false, host });
  assert.ok('value' in compiled, text);
  const path = compiled.value.expand(headers, 0);
  return typeof path === 'string' ? `ok\t${path}` : `failed\t${path.message}`;
}

async function compare(t: TestContext, questions: readonly Question[]): Promise<void> {
  const classPath = await buildJava(new URL('hadoop-reader/', import.meta.url), t);
  if (classPath === undefined) return;
  const answers = await runJava(classPath, 'FlumePaths', questions.map(lineOf));
  assert.equal(answers.length, questions.length);
  const differs = questions.flatMap((question, index) => {
    const ours = here(question);
    return ours === answers[index] ? [] : [`${lineOf(question)}\n  Flume: ${answers[index]}\n  here:  ${ours}`];
  });
  t.diagnostic(`shows: path escapes: ${questions.length} paths asked of Flume's BucketPath, ${differs.length} differ`);
  assert.equal(differs.length, 0, `${differs.length} of ${questions.length}:\n${differs.slice(0, 10).join('\n')}`);
}

test('every letter, zone, rounding and change of the clock gives the path that Flume gives', { skip }, async (t) => {
  const questions = times().flatMap((ms) =>
    zones.flatMap((zone) =>
      roundings.map((round) => ({ text: everyLetter, zone, round, headers: { timestamp: `${ms}` } })),
    ),
  );
  await compare(t, questions);
});

test('headers, text between and what is no escape give what Flume gives', { skip }, async (t) => {
  const headers = { timestamp: '1712000000999', host: 'web-1', 'a.b-c_d': 'x', $: '$1', money: '$0\\1' };
  const texts = [
    '/logs/%{host}/%Y/%m/%d/%{a.b-c_d}.log',
    '%{host}%{money}',
    'x%{none}y',
    '100%%-%{host}',
    '%q%Ex%_y',
    'a%-b%{bad name}%[%{}',
    'plain',
    '%Y%Y%{host}%Y',
    'ü/%{host}/日',
  ];
  await compare(
    t,
    texts.map((text) => ({ text, zone: 'UTC', round: undefined, headers })),
  );
});
