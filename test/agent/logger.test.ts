/** The agent's log: lines of text and of JSON, errors with their causes, repeats once a minute. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Counters } from '../../src/agent/counters.ts';
import { type LoggerOptions, makeLogger } from '../../src/agent/logger.ts';
import { ForebayError } from '../../src/engine.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tempDir } from '../support/temp-dir.ts';

type TestContext = Parameters<typeof tempDir>[0];

async function make(t: TestContext, options: Partial<LoggerOptions> = {}) {
  const file = join(await tempDir(t), 'sub', 'agent.log');
  const clock = new ManualClock();
  const logger = makeLogger({ file, format: 'text', clock, ...options });
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return { file, clock, logger, lines };
}

test('a line of text: time, level, component, sentence, fields', async (t) => {
  const { logger, lines } = await make(t);
  logger.log('r1').info('the source runs', { channels: 'c1 c2', batch: 100, file: '/a/b.log', none: undefined });
  assert.deepEqual(lines(), [
    '2026-09-21T14:13:20.000Z INFO r1: the source runs channels="c1 c2" batch=100 file=/a/b.log',
  ]);
});

test('a line of JSON: the same, as one object', async (t) => {
  const { logger, lines } = await make(t, { format: 'json' });
  logger.log('k1').warn('cut', { file: 'x', time: 1, big: 2n });
  assert.deepEqual(JSON.parse(lines()[0] ?? ''), {
    level: 'warn',
    time: '2026-09-21T14:13:20.000Z',
    component: 'k1',
    text: 'cut',
    file: 'x',
    time_: 1,
    big: '2',
  });
});

test('an error is printed with its cause and code; what may be a bug with its stack', async (t) => {
  const text = await make(t);
  const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  const error = new ForebayError('DISK_FULL', 'no room in /d', { cause });
  text.logger.log('c1').error('cannot start', { error });
  text.logger
    .log('c1')
    .error('all failed', { error: new AggregateError([new Error('one'), new Error('two')], 'both') });
  assert.match(text.lines()[0] ?? '', /error="no room in \/d \(DISK_FULL\); no space left on device \(ENOSPC\)"$/);
  assert.match(text.lines()[1] ?? '', /error="both; one; two"$/);
  const json = await make(t, { format: 'json' });
  json.logger.log('c1').error('cannot start', { error });
  json.logger.log('c1').error('bug', { error: new TypeError('x is undefined') });
  const [first, second] = json.lines().map((line) => JSON.parse(line).error);
  assert.deepEqual(first, {
    message: 'no room in /d',
    code: 'DISK_FULL',
    cause: { message: 'no space left on device', code: 'ENOSPC' },
  });
  assert.match(second.stack, /TypeError: x is undefined\n/);
});

test('whatever is in a value, it stays one line, and tells a terminal nothing', async (t) => {
  const { logger, lines } = await make(t);
  logger.log('r1').info('a\nb', { header: '\u001b[31mred\u0085 "x"' });
  assert.equal(lines().length, 1);
  assert.match(lines()[0] ?? '', /r1: a\\nb header="\\u001b\[31mred\\u0085 \\"x\\""$/);
});

test('the same error again is one line a minute, with its count', async (t) => {
  const { logger, lines, clock } = await make(t);
  const say = (bytes: number): void =>
    logger.log('k1').error('cannot deliver', { error: new Error(`only ${bytes} bytes`), attempt: bytes });
  for (let attempt = 1; attempt <= 10; attempt += 1) say(attempt);
  logger.log('k2').error('cannot deliver', { error: new Error('only 1 bytes') });
  logger.log('k1').error('cannot deliver', { error: new Error('no route') });
  assert.equal(lines().length, 3);
  clock.advance(60_000);
  assert.equal(lines().length, 4);
  assert.match(lines()[3] ?? '', /k1: cannot deliver error="only 10 bytes" attempt=10 repeated=9$/);
  say(11);
  assert.equal(lines().length, 4);
  clock.advance(60_000);
  assert.match(lines()[4] ?? '', /repeated=1$/);
  clock.advance(60_000);
  assert.equal(lines().length, 5);
  say(12);
  assert.equal(lines().length, 6);
  say(13);
  logger.flush();
  assert.match(lines()[6] ?? '', /only 13 bytes.*repeated=1$/);
});

test('warnings of different files are all there; information is never held back', async (t) => {
  const { logger, lines } = await make(t);
  for (const file of ['a', 'b', 'a']) logger.log('r1').warn('a line was cut', { file });
  for (let time = 0; time < 3; time += 1) logger.log('r1').info('rolled');
  assert.equal(lines().length, 5);
});

test('below its level nothing is written', async (t) => {
  const { logger, lines } = await make(t, { level: 'warn' });
  logger.log('r1').info('no');
  logger.log('r1').warn('yes');
  assert.equal(lines().length, 1);
});

test('a file that was moved away is made anew', async (t) => {
  const { logger, lines, file } = await make(t);
  logger.log('r1').info('one');
  renameSync(file, `${file}.1`);
  logger.reopen();
  logger.log('r1').info('two');
  assert.match(lines().join(), /two$/);
  assert.match(readFileSync(`${file}.1`, 'utf8'), /one\n$/);
});

test('a file that cannot be written is refused at once', async (t) => {
  const dir = await tempDir(t);
  assert.throws(() => makeLogger({ file: dir, format: 'json', clock: new ManualClock() }), { code: 'EISDIR' });
});

test("Flume's counters are there from the start, at 0; others join; a start begins anew", () => {
  const counters = new Counters();
  counters.started('SOURCE', 'r1', 5);
  const count = counters.counterOf('SOURCE', 'r1');
  count('EventReceivedCount', 3);
  count('EventReceivedCount');
  count('OptionalChannelWriteFail');
  const [source] = counters.all();
  assert.equal(source?.counts['EventReceivedCount'], 4);
  assert.equal(source?.counts['EventAcceptedCount'], 0);
  assert.equal(source?.counts['OptionalChannelWriteFail'], 1);
  counters.stopped('SOURCE', 'r1', 9);
  assert.deepEqual([counters.all()[0]?.startedAtMs, counters.all()[0]?.stoppedAtMs], [5, 9]);
  counters.started('SOURCE', 'r1', 10);
  assert.equal(counters.all()[0]?.counts['EventReceivedCount'], 0);
  counters.removed('SOURCE', 'r1');
  count('EventReceivedCount');
  assert.deepEqual(counters.all(), []);
});
