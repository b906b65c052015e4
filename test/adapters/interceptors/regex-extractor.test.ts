/** regex_extractor: groups into headers, by their serializers. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { regexExtractorInterceptor } from '../../../src/adapters/interceptors/regex-extractor.ts';
import { eventOf, makeInterceptor, problemsOf, testContext } from './make-interceptor.ts';

const flume = 'org.apache.flume.interceptor.RegexExtractorInterceptor';

const threeNames = {
  serializers: 's1 s2 s3',
  'serializers.s1.name': 'one',
  'serializers.s2.name': 'two',
  'serializers.s2.type': 'default',
  'serializers.s3.name': 'three',
  'serializers.s3.type': `${flume}PassThroughSerializer`,
};

test('the example of the user guide', () => {
  const interceptor = makeInterceptor(regexExtractorInterceptor, { ...threeNames, regex: '(\\d):(\\d):(\\d)' });
  const event = eventOf('1:2:3.4foobar5', { one: 'old', host: 'h' });
  const result = interceptor.intercept(event);
  assert.deepEqual(result?.headers, { one: '1', two: '2', three: '3', host: 'h' });
  assert.equal(result?.body, event.body);
  assert.deepEqual(event.headers, { one: 'old', host: 'h' });
  const other = eventOf('nothing');
  assert.equal(interceptor.intercept(other), other);
});

test('surplus groups and serializers are left out, and groups that took no part', () => {
  const two = { regex: '(a)|(b)', serializers: 's1', 'serializers.s1.name': 'one' };
  const first = makeInterceptor(regexExtractorInterceptor, two);
  assert.deepEqual(first.intercept(eventOf('a'))?.headers, { one: 'a' });
  const event = eventOf('b');
  assert.equal(first.intercept(event), event);
  const all = makeInterceptor(regexExtractorInterceptor, { ...threeNames, regex: '(a)|(b)' });
  assert.deepEqual(all.intercept(event)?.headers, { two: 'b' });
});

test('a date becomes ms since 1970; one that is none is logged once a minute and sets no header', () => {
  const context = testContext();
  const keys = {
    regex: '^(?:\\n)?(\\S+ \\S+)',
    serializers: 's1',
    'serializers.s1.type': `${flume}MillisSerializer`,
    'serializers.s1.name': 'timestamp',
    'serializers.s1.pattern': 'yyyy-MM-dd HH:mm Z',
  };
  const withZone = { ...keys, regex: '^(\\S+ \\S+ \\S+)' };
  const interceptor = makeInterceptor(regexExtractorInterceptor, withZone, context);
  const event = eventOf('2012-10-13 14:34 +0200 error');
  assert.deepEqual(interceptor.intercept(event)?.headers, { timestamp: '1350131640000' });
  const bad = eventOf('2012-13-13 14:34 +0200 error', { timestamp: '1' });
  for (let turn = 0; turn < 3; turn += 1) assert.equal(interceptor.intercept(bad), bad);
  assert.equal(context.warnings.length, 1);
  context.clock.advance(60_000);
  interceptor.intercept(bad);
  assert.deepEqual(
    context.warnings.map(({ fields }) => fields?.['events']),
    [1, 3],
  );
  assert.match(String(context.warnings[0]?.fields?.['error']), /2012-13-13 14:34 \+0200/);
});

test('what is wrong with a serializer is named', () => {
  const base = { regex: '(a)', serializers: 's1', 'serializers.s1.name': 'x' };
  const millis = { ...base, 'serializers.s1.type': `${flume}MillisSerializer` };
  const cases: [Record<string, string>, string, RegExp][] = [
    [{ regex: '(a)', serializers: 's1' }, 'serializers.s1.name', /is missing/],
    [{ regex: '(a)' }, 'serializers', /is missing/],
    [{ ...base, 'serializers.s1.type': 'org.example.Mine' }, 'serializers.s1.type', /one of default, /],
    [millis, 'serializers.s1.pattern', /is missing/],
    [{ ...millis, 'serializers.s1.pattern': 'yyyy ww' }, 'serializers.s1.pattern', /'ww' is not supported/],
    [{ ...base, regex: '(a' }, 'regex', /column/],
  ];
  for (const [keys, key, message] of cases) {
    const [problem] = problemsOf(regexExtractorInterceptor, keys);
    assert.equal(problem?.key, key);
    assert.match(problem?.message ?? '', message);
  }
});
