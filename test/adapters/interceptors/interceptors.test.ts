/** The interceptors, each by its keys; what they give was compared with Flume's own on the same events. */
import assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import test from 'node:test';
import { hostInterceptor } from '../../../src/adapters/interceptors/host.ts';
import { regexExtractorInterceptor } from '../../../src/adapters/interceptors/regex-extractor.ts';
import { regexFilterInterceptor } from '../../../src/adapters/interceptors/regex-filter.ts';
import { removeHeaderInterceptor } from '../../../src/adapters/interceptors/remove-header.ts';
import { searchReplaceInterceptor } from '../../../src/adapters/interceptors/search-replace.ts';
import { staticInterceptor } from '../../../src/adapters/interceptors/static.ts';
import { timestampInterceptor } from '../../../src/adapters/interceptors/timestamp.ts';
import { uuidInterceptor } from '../../../src/adapters/interceptors/uuid.ts';
import { hostIn, localHost } from '../../../src/agent/contracts/java/local-host.ts';
import { eventOf, makeInterceptor, problemsOf, testContext } from './make-interceptor.ts';

test('timestamp: now in ms, over what is there; the header object is shared within a millisecond', () => {
  const context = testContext();
  const now = String(context.clock.wallMs());
  const event = eventOf('a', { timestamp: '5', b: 'c' });
  const plain = makeInterceptor(timestampInterceptor, {}, context);
  const first = plain.intercept(event);
  assert.deepEqual(first, { headers: { timestamp: now, b: 'c' }, body: event.body });
  assert.equal(plain.intercept({ ...event })?.headers, first?.headers);
  context.clock.advance(1);
  assert.equal(plain.intercept(event)?.headers['timestamp'], String(Number(now) + 1));
  const named = makeInterceptor(timestampInterceptor, { headerName: 'at', preserveExisting: 'true' }, context);
  assert.deepEqual(named.intercept(eventOf('a'))?.headers, { at: String(Number(now) + 1) });
  const kept = eventOf('a', { at: 'x' });
  assert.equal(named.intercept(kept), kept);
});

test('host: the address, or the name, over what is there', () => {
  const { address, name } = localHost();
  assert.deepEqual(makeInterceptor(hostInterceptor).intercept(eventOf('a', { host: 'x' }))?.headers, { host: address });
  const named = makeInterceptor(hostInterceptor, { useIP: 'false', hostHeader: 'h', preserveExisting: 'true' });
  assert.deepEqual(named.intercept(eventOf('a'))?.headers, { h: name });
  const kept = eventOf('a', { h: 'x' });
  assert.equal(named.intercept(kept), kept);
});

test('host: a hosts file is read as the system does', () => {
  const hosts = '127.0.0.1 localhost\n::1 web1\n10.0.0.7 web1.example.org web1 # old\n10.0.0.7 other\nbad web1\n';
  assert.deepEqual(hostIn(hosts, 'web1'), { address: '10.0.0.7', name: 'web1.example.org' });
  assert.deepEqual(hostIn('127.0.0.1 localhost\n127.0.0.1 vm', 'vm'), { address: '127.0.0.1', name: 'localhost' });
  assert.equal(hostIn(hosts, 'web2'), undefined);
  assert.equal(hostIn('', 'web1'), undefined);
});

test('static: keeps what is there, unless told', () => {
  assert.deepEqual(makeInterceptor(staticInterceptor).intercept(eventOf('a'))?.headers, { key: 'value' });
  const event = eventOf('a', { env: 'dev' });
  assert.equal(makeInterceptor(staticInterceptor, { key: 'env', value: 'live' }).intercept(event), event);
  const over = makeInterceptor(staticInterceptor, { key: 'env', value: 'live', preserveExisting: 'false' });
  assert.deepEqual(over.intercept(event)?.headers, { env: 'live' });
  assert.deepEqual(event.headers, { env: 'dev' });
});

test('remove_header: by name, by list, by pattern of the whole name', () => {
  const cases: [Record<string, string>, string[]][] = [
    [{}, ['a', 'ab', 'b', 'x1', '']],
    [{ withName: 'a' }, ['ab', 'b', 'x1', '']],
    [{ fromList: 'a , b' }, ['ab', 'x1', '']],
    [{ fromList: 'a;b;;', fromListSeparator: ';' }, ['ab', 'x1', '']],
    [{ fromList: ',a' }, ['ab', 'b', 'x1']],
    [{ fromList: 'a b' }, ['a', 'ab', 'b', 'x1', '']],
    [{ matching: 'a' }, ['ab', 'b', 'x1', '']],
    [{ matching: '[ab]+|x\\d' }, ['']],
    [{ withName: 'b', matching: 'a.*' }, ['x1', '']],
  ];
  for (const [keys, left] of cases) {
    const event = eventOf('body', { a: '1', ab: '2', b: '3', x1: '4', '': '5' });
    const result = makeInterceptor(removeHeaderInterceptor, keys).intercept(event);
    assert.deepEqual(Object.keys(result?.headers ?? {}), left, JSON.stringify(keys));
    assert.equal(result === event, left.length === 5, 'the event itself where nothing changes');
  }
});

test('uuid: a random one each time, behind the prefix', () => {
  const interceptor = makeInterceptor(uuidInterceptor, { prefix: 'p-' });
  const ids = [1, 2].map(() => interceptor.intercept(eventOf('a'))?.headers['id'] ?? '');
  for (const id of ids) assert.match(id, /^p-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(ids[0], ids[1]);
  const event = eventOf('a', { id: '1' });
  assert.equal(interceptor.intercept(event), event);
  const over = makeInterceptor(uuidInterceptor, { preserveExisting: 'false' });
  assert.notEqual(over.intercept(event)?.headers['id'], '1');
  const named = makeInterceptor(uuidInterceptor, { headerName: 'uid' });
  assert.deepEqual(Object.keys(named.intercept(event)?.headers ?? {}), ['id', 'uid']);
});

test('regex_filter: keeps what it finds, or drops it; a body without text counts too', () => {
  const cases: [Record<string, string>, string, boolean][] = [
    [{}, '', true],
    [{ excludeEvents: 'true' }, 'x', false],
    [{ regex: 'err' }, 'an error', true],
    [{ regex: 'err' }, 'fine', false],
    [{ regex: 'err', excludeEvents: 'true' }, 'an error', false],
    [{ regex: 'err', excludeEvents: 'true' }, 'fine', true],
    [{ regex: '^$' }, '', true],
    [{ regex: 'ü' }, 'für', true],
  ];
  for (const [keys, body, isKept] of cases) {
    const event = eventOf(body);
    assert.equal(makeInterceptor(regexFilterInterceptor, keys).intercept(event), isKept ? event : undefined, body);
  }
});

test('search_replace: all matches, with groups, in the charset', () => {
  const replaced = (keys: Record<string, string>, body: Buffer): Buffer =>
    Buffer.from(makeInterceptor(searchReplaceInterceptor, keys).intercept({ headers: {}, body })?.body ?? []);
  const text = (keys: Record<string, string>, body: string): string => replaced(keys, Buffer.from(body)).toString();
  assert.equal(text({ searchPattern: '\\d' }, 'a1b22'), 'ab');
  const named = ['$2-$', '{n}'].join('');
  assert.equal(text({ searchPattern: '(?<n>\\w)=(\\w)', replaceString: named }, 'a=b c=d'), 'b-a d-c');
  assert.equal(text({ searchPattern: 'x', replaceString: '\\$' }, 'axx'), 'a$$');
  const latin = { searchPattern: 'ü', replaceString: 'ä', charset: 'ISO-8859-1' };
  assert.deepEqual(replaced(latin, Buffer.from([0xfc, 0xff])), Buffer.from([0xe4, 0xff]));
});

test('search_replace: what does not match stays as it is, to the byte', () => {
  const interceptor = makeInterceptor(searchReplaceInterceptor, { searchPattern: 'x', replaceString: 'y' });
  const event = { headers: { a: 'b' }, body: Buffer.from([0xff, 0x61, 0xc3]) };
  assert.equal(interceptor.intercept(event), event);
});

test('search_replace: a group that is not there is found before any event', () => {
  const [problem] = problemsOf(searchReplaceInterceptor, { searchPattern: '(a)', replaceString: 'x$2' });
  assert.equal(problem?.key, 'replaceString');
  assert.match(problem?.message ?? '', /'x\$2' is not allowed: column 2: there is no group 2/);
  assert.match(problemsOf(searchReplaceInterceptor, {})[0]?.key ?? '', /searchPattern/);
  assert.match(problemsOf(searchReplaceInterceptor, { searchPattern: '(' })[0]?.message ?? '', /pattern/);
});

test('a body longer than any text passes, and is logged', () => {
  const event = { headers: {}, body: new Uint8Array(constants.MAX_STRING_LENGTH + 1) };
  const context = testContext();
  const passing = [
    makeInterceptor(regexFilterInterceptor, { regex: 'x' }, context),
    makeInterceptor(searchReplaceInterceptor, { searchPattern: 'x' }, context),
    makeInterceptor(regexExtractorInterceptor, { regex: '(x)', serializers: 's', 'serializers.s.name': 'h' }, context),
  ];
  for (const interceptor of passing) assert.equal(interceptor.intercept(event), event);
  assert.deepEqual(
    context.warnings.map(({ text }) => /regex_filter|search_replace|regex_extractor/.exec(text)?.[0]),
    ['regex_filter', 'search_replace', 'regex_extractor'],
  );
});
