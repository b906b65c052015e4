/** Paths of events: letters, rounding, headers that would leave the directory, what an event of one second costs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compilePath, type PathOptions, type PathTemplate } from '../../../../src/adapters/sinks/hdfs/path-escapes.ts';
import type { Rounding } from '../../../../src/adapters/sinks/hdfs/path-time.ts';
import type { PathProblem } from '../../../../src/adapters/sinks/hdfs/path-values.ts';
import { findTimeZone, type TimeZone } from '../../../../src/agent/contracts/java/time-zone.ts';
import type { Headers } from '../../../../src/engine.ts';

const host = { localhost: 'web-1', ip: '192.0.2.1', fqdn: 'web-1.example.org' };

function zoneOf(name: string): TimeZone {
  const zone = findTimeZone(name);
  assert.ok(zone !== undefined, name);
  return zone;
}

function compile(text: string, options: Partial<PathOptions> = {}): PathTemplate {
  const parsed = compilePath(text, { zone: zoneOf('UTC'), round: undefined, usesLocalTime: false, host, ...options });
  assert.ok('value' in parsed, text);
  return parsed.value;
}

function problemOf(text: string, headers: Headers): PathProblem {
  const path = compile(text).expand(headers, 0);
  assert.ok(typeof path !== 'string', `${text}: ${JSON.stringify(path)}`);
  return path;
}

// 2024-04-01 19:33:20.999 UTC, 21:33 in Berlin.
const timestamp = '1712000000999';

test('each letter shows its part of the time, in the zone', () => {
  const expected: [letters: string, shown: string][] = [
    ['%a %A %b %B', 'Mon Monday Apr April'],
    ['%c', 'Mon Apr 1 21:33:20 2024'],
    ['%d %e %D %j %m %n %y %Y', '01 1 04/01/24 092 04 4 24 2024'],
    ['%H %k %I %l %M %S %p', '21 21 09 9 33 20 PM'],
    ['%s %t %z %%', '1712000000 1712000000999 +0200 %'],
    ['%[localhost] %[IP] %[fqdn]', 'web-1 192.0.2.1 web-1.example.org'],
  ];
  for (const [letters, shown] of expected) {
    assert.equal(compile(letters, { zone: zoneOf('Europe/Berlin') }).expand({ timestamp }, 0), shown);
  }
  assert.equal(compile('%I %l %p').expand({ timestamp: '1' }, 0), '12 12 AM');
  assert.equal(compile('%z', { zone: zoneOf('GMT-03:30') }).expand({ timestamp }, 0), '-0330');
});

test('rounding goes down within the next larger unit, in the zone, and leaves %t', () => {
  const expected: [round: Rounding, shown: string][] = [
    [{ unit: 'second', value: 15 }, '21:33:15 1711999995'],
    [{ unit: 'minute', value: 10 }, '21:30:00 1711999800'],
    [{ unit: 'minute', value: 60 }, '21:00:00 1711998000'],
    [{ unit: 'hour', value: 6 }, '18:00:00 1711987200'],
    [{ unit: 'hour', value: 24 }, '00:00:00 1711922400'],
  ];
  for (const [round, shown] of expected) {
    const template = compile('%H:%M:%S %s %t', { zone: zoneOf('Europe/Berlin'), round });
    assert.equal(template.expand({ timestamp }, 0), `${shown} ${timestamp}`);
  }
});

test('rounding over a change of the clock gives what Java gives', () => {
  // What BucketPath of Flume 1.11 answers on Java 17; test/interop asks it for many more.
  const expected: [ms: number, round: Rounding, shown: string][] = [
    [1_729_989_000_000, { unit: 'hour', value: 1 }, '27 02:00 +0100 1729990800'],
    [1_729_989_000_000, { unit: 'hour', value: 12 }, '27 00:00 +0200 1729980000'],
    [1_711_848_600_000, { unit: 'hour', value: 2 }, '31 03:00 +0200 1711846800'],
    [1_711_868_400_000, { unit: 'hour', value: 12 }, '31 00:00 +0100 1711839600'],
  ];
  for (const [ms, round, shown] of expected) {
    const template = compile('%d %H:%M %z %s', { zone: zoneOf('Europe/Berlin'), round });
    assert.equal(template.expand({ timestamp: `${ms}` }, 0), shown);
  }
});

test('with the local time stamp the header counts for nothing', () => {
  const template = compile('%Y %t', { usesLocalTime: true });
  assert.equal(template.expand({ timestamp: 'x' }, 1_712_000_000_999), '2024 1712000000999');
  assert.equal(compile('%S', { usesLocalTime: true }).expand({}, 1000), '01');
});

test('no time, where one is shown, is a problem that names the cure; elsewhere none', () => {
  const none = problemOf('/logs/%Y', { host: 'a' });
  assert.deepEqual([none.kind, none.header, none.reason], ['timestamp', 'timestamp', 'missing']);
  assert.match(none.message, /'\/logs\/%Y'.*interceptor of type timestamp.*useLocalTimeStamp = true/);
  for (const bad of ['', 'now', '12.5', ' 1', '1e3', '0x10', '9223372036854775807']) {
    const problem = problemOf('%t', { timestamp: bad });
    assert.deepEqual([problem.kind, problem.reason], ['timestamp', 'malformed'], bad);
  }
  assert.ok(problemOf('%Y', { timestamp: 'x'.repeat(1000) }).message.length < 300);
  const plain = compile('/logs/%%/%{host}');
  assert.equal(plain.needsTime, false);
  assert.equal(plain.expand({ host: 'a' }, 0), '/logs/%/a');
  assert.equal(compile('/logs/%Y').needsTime, true);
});

test('a header that would leave the directory is a problem that names header, value and text', () => {
  const expected: [value: string, reason: PathProblem['reason']][] = [
    ['', 'empty'],
    ['.', 'dots'],
    ['..', 'dots'],
    ['../x', 'parent'],
    ['x/..', 'parent'],
    ['/../x', 'parent'],
    ['/etc', 'absolute'],
    ['a/b', 'slash'],
    ['a/', 'slash'],
    ['a:b', 'colon'],
    ['a\0b', 'nul'],
  ];
  for (const [value, reason] of expected) {
    for (const text of ['/logs/%{host}/x', '/logs/%{host}', '%{host}/x', '%{host}', '/%Y/%{host}/%m']) {
      const problem = problemOf(text, { host: value, timestamp });
      assert.deepEqual([problem.kind, problem.header, problem.reason], ['header', 'host', reason], text);
      assert.ok(problem.message.includes(JSON.stringify(value)) && problem.message.includes(`'${text}'`));
    }
  }
  assert.equal(problemOf('/logs/%{host}', {}).reason, 'empty');
  assert.match(problemOf('/logs/%{host}', {}).message, /no header 'host'/);
  assert.equal(problemOf('/logs/%{a}%{b}', { a: '.', b: '.' }).reason, 'dots');
  assert.equal(problemOf('/logs/.%{a}', { a: '' }).reason, 'dots');
});

test('a header is taken as it is where it stays in the directory', () => {
  const template = compile('/logs/%{host}/x-%{tag}.%Y');
  assert.equal(template.expand({ host: 'a..b', tag: '', timestamp }, 0), '/logs/a..b/x-.2024');
  assert.equal(template.expand({ host: '...', tag: '..', timestamp }, 0), '/logs/.../x-...2024');
  assert.equal(template.expand({ host: '日本 $1\\', timestamp }, 0), '/logs/日本 $1\\/x-.2024');
  assert.equal(compile('/%{toString}x%{__proto__}').expand({}, 0), '/x');
  assert.equal(compile('/../%{a}//.').expand({ a: 'b' }, 0), '/../b//.');
  assert.equal(compile('').expand({}, 0), '');
});

test('what is no escape is warned of or refused when it is compiled', () => {
  const options: PathOptions = { zone: zoneOf('UTC'), round: undefined, usesLocalTime: false, host };
  const warned = compilePath('/a%-b/%Q/%{a b}', options);
  assert.ok('value' in warned);
  assert.match(warned.warning ?? '', /'\/a%-b\/' has a %.*%Q is no escape.*'\/%\{a b\}' has a %/);
  assert.equal(warned.value.expand({}, 0), '/a%-b//%{a b}');
  const refused = compilePath('/%[hostname]', options);
  assert.ok('problem' in refused);
  assert.match(refused.problem, /^%\[hostname\] is not known: %\[localhost\]/);
});

test('times that come in any order, from more seconds than are kept, are shown right', () => {
  const template = compile('%H:%M:%S', { round: { unit: 'second', value: 1 } });
  for (let step = 0; step < 3000; step += 1) {
    const second = (step * 7919) % 1000;
    const shown = new Date(second * 1000).toISOString().slice(11, 19);
    assert.equal(template.expand({ timestamp: `${second * 1000 + (step % 1000)}` }, 0), shown);
    assert.equal(template.expand({ timestamp: `${second * 1000}` }, 0), shown);
  }
});

test('a path that was made is given to no event of other headers or another time', () => {
  const template = compile('/logs/%{a}/%{b}/%S');
  for (const second of ['1', '2', '1']) {
    for (const [a = '', b = ''] of ['a-bc', 'ab-c', 'c-ab', 'a-bc'].map((pair) => pair.split('-'))) {
      assert.equal(template.expand({ a, b, timestamp: `${second}000` }, 0), `/logs/${a}/${b}/0${second}`);
    }
  }
  for (let index = 0; index < 5000; index += 1) {
    assert.equal(template.expand({ a: `${index}`, b: 'x', timestamp }, 0), `/logs/${index}/x/20`);
  }
});

test('an event of a second that was seen costs less than a microsecond or two', (t) => {
  const template = compile('/logs/%{host}/%Y/%m/%d/%H', { round: { unit: 'hour', value: 1 } });
  const events = Array.from({ length: 1000 }, (_, index) => ({
    host: `web-${index % 20}`,
    timestamp: `${1_712_000_000_000 + index}`,
  }));
  const rounds = 300;
  let characters = 0;
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    for (const headers of events) characters += String(template.expand(headers, 0)).length;
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - start) / events.length);
  }
  assert.ok(characters > rounds * events.length * 25);
  t.diagnostic(`shows: path escapes: ${bestNs.toFixed(0)} ns an event of a second that was seen`);
  assert.ok(bestNs < 2000, `${bestNs} ns`);
});
