/** No interceptor throws, whatever the event; none changes the event it was given. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hostInterceptor } from '../../../src/adapters/interceptors/host.ts';
import { regexExtractorInterceptor } from '../../../src/adapters/interceptors/regex-extractor.ts';
import { regexFilterInterceptor } from '../../../src/adapters/interceptors/regex-filter.ts';
import { removeHeaderInterceptor } from '../../../src/adapters/interceptors/remove-header.ts';
import { searchReplaceInterceptor } from '../../../src/adapters/interceptors/search-replace.ts';
import { staticInterceptor } from '../../../src/adapters/interceptors/static.ts';
import { timestampInterceptor } from '../../../src/adapters/interceptors/timestamp.ts';
import { uuidInterceptor } from '../../../src/adapters/interceptors/uuid.ts';
import type { Interceptor } from '../../../src/agent/contracts/components.ts';
import type { Event } from '../../../src/engine.ts';
import { makeInterceptor } from './make-interceptor.ts';

const millis = 'org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer';
const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

const interceptors: readonly (readonly [name: string, Interceptor])[] = [
  ['timestamp', makeInterceptor(timestampInterceptor, { preserveExisting: 'true', headerName: '__proto__' })],
  ['host', makeInterceptor(hostInterceptor, { hostHeader: 'constructor' })],
  ['static', makeInterceptor(staticInterceptor, { key: '__proto__', value: 'v', preserveExisting: 'false' })],
  ['remove_header', makeInterceptor(removeHeaderInterceptor, { fromList: 'toString', matching: '.*o.*' })],
  ['uuid', makeInterceptor(uuidInterceptor)],
  ['regex_filter', makeInterceptor(regexFilterInterceptor, { regex: '(.)\\1|\\d+$' })],
  ['search_replace', makeInterceptor(searchReplaceInterceptor, { searchPattern: '(.)(\\s*)', replaceString: '$2$1' })],
  ['search_replace', makeInterceptor(searchReplaceInterceptor, { searchPattern: '.', charset: 'UTF-16' })],
  ['search_replace', makeInterceptor(searchReplaceInterceptor, { searchPattern: '.', charset: 'GBK' })],
  [
    'regex_extractor',
    makeInterceptor(regexExtractorInterceptor, {
      regex: '(\\d*)(.?)',
      serializers: 'm p',
      'serializers.m.name': '__proto__',
      'serializers.m.type': millis,
      'serializers.m.pattern': 'yy',
      'serializers.p.name': 'p',
    }),
  ],
];

const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...inherited, 'id', 'p'));
const body = fc.oneof(
  fc.uint8Array(),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
);
const events: fc.Arbitrary<Event> = fc.record({ headers: fc.dictionary(name, fc.string()), body });

test('any headers, any bytes', () => {
  fc.assert(
    fc.property(fc.array(events, { minLength: 1, maxLength: 3 }), (given) => {
      for (const [kind, interceptor] of interceptors) {
        for (const event of [...given, ...given]) {
          const headers = JSON.stringify(event.headers);
          const bytes = Buffer.from(event.body);
          Object.freeze(event.headers);
          const result = interceptor.intercept(Object.freeze(event));
          assert.equal(JSON.stringify(event.headers), headers, kind);
          assert.ok(bytes.equals(event.body), kind);
          if (result === undefined) continue;
          assert.ok(result.body instanceof Uint8Array, kind);
          assert.ok(
            Object.values(result.headers).every((value) => typeof value === 'string'),
            kind,
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a header of an inherited name is one like others', () => {
  const [, , [, toStatic] = [], [, remove] = []] = interceptors;
  const given = toStatic?.intercept({ headers: {}, body: Buffer.alloc(0) });
  assert.deepEqual(Object.entries(given?.headers ?? {}), [['__proto__', 'v']]);
  assert.deepEqual(Object.entries((given && remove?.intercept(given)?.headers) ?? {}), []);
});
