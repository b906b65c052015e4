/** Values come back as they went in; bytes that are none are refused before anything is built from them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import { packValue, unpackValue } from '../../src/codec/values.ts';

function roundTrip(value: unknown): unknown {
  const unpacked = unpackValue(packValue(value));
  if (unpacked.kind === 'malformed') assert.fail('not read back');
  return unpacked.value;
}

function isMalformed(...bytes: number[]): boolean {
  return unpackValue(Buffer.from(bytes)).kind === 'malformed';
}

test('any JSON comes back', () => {
  const json = fc.jsonValue({ noUnicodeString: false }).map((value): unknown => JSON.parse(JSON.stringify(value)));
  fc.assert(
    fc.property(json, (value) => assert.deepEqual(roundTrip(value), value)),
    { numRuns: 1500 },
  );
});

test('bytes, undefined, big integers and numbers of every size', () => {
  const numbers = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 0.5, 1e300];
  const value = {
    bytes: Buffer.alloc(70_000, 7),
    none: undefined,
    big: 2n ** 63n - 1n,
    numbers,
    minus: numbers.map((n) => 0 - n),
  };
  assert.deepEqual(roundTrip(value), { ...value, minus: value.minus.map((n) => n + 0) });
  const texts = [0, 15, 31, 32, 63, 64, 255, 256, 65_535, 65_536].map((length) => 'ü'.repeat(length));
  assert.deepEqual(roundTrip(texts), texts);
  const keys = Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, index]));
  assert.deepEqual(roundTrip(keys), keys);
});

test('keys with a meaning in JavaScript are only keys', () => {
  const value: unknown = JSON.parse(
    '{"__proto__":{"polluted":[{"__proto__":1}]},"constructor":"x","toJSON":1,"hasOwnProperty":0,"length":9}',
  );
  assert.deepEqual(roundTrip(value), value);
  assert.deepEqual(roundTrip({ text: '__proto__', list: [new Uint8Array(0)] }), {
    text: '__proto__',
    list: [Buffer.alloc(0)],
  });
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('what could not be read back is not packed', () => {
  assert.throws(() => packValue(new Date()), { name: 'InvariantError' });
  assert.throws(() => packValue(new Map([[1, 2]])), { name: 'InvariantError' });
});

test('nesting: as deep as allowed, one deeper, and far too deep', () => {
  const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);
  assert.equal(unpackValue(nested(100)).kind, 'value');
  assert.equal(unpackValue(nested(101)).kind, 'malformed');
  assert.equal(unpackValue(nested(5_000_000)).kind, 'malformed');
  let value: unknown = 1;
  for (let depth = 0; depth < 101; depth++) value = [value];
  assert.throws(() => packValue(value), { name: 'InvariantError' });
});

test('counts and lengths that claim gigabytes cost nothing', () => {
  const before = process.memoryUsage();
  const start = performance.now();
  for (const token of [0xc6, 0xc9, 0xdb, 0xdd, 0xdf]) {
    assert.ok(isMalformed(token, 255, 255, 255, 255, 0, 0, 0, 0, 0), token.toString(16));
    assert.ok(isMalformed(0x91, token, 255, 255, 255, 255, 0xc0));
  }
  // arrays within arrays that each claim all the bytes left
  const claims = Buffer.alloc(5000, 0xdc);
  assert.equal(unpackValue(claims).kind, 'malformed');
  assert.ok(process.memoryUsage().arrayBuffers - before.arrayBuffers < 2 ** 20);
  assert.ok(performance.now() - start < 5000);
});

test('nothing but the kinds listed is read', () => {
  assert.ok(isMalformed());
  assert.ok(isMalformed(0xc1), 'never used');
  assert.ok(isMalformed(0xc0, 0xc0), 'two values');
  assert.ok(isMalformed(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1), 'a record of msgpackr');
  assert.ok(isMalformed(0xd5, 0x72, 0x40, 0x00, 0x91, 0xa1, 0x61, 1), 'a record of two bytes');
  assert.ok(isMalformed(0xd4, 0x78, 0, 0x92, 0xa1, 0x61, 0xa0), 'a regular expression');
  assert.ok(isMalformed(0xd6, 0xff, 0, 0, 0, 1), 'a date');
  assert.ok(isMalformed(0xd6, 0x62, 0xff, 0xff, 0xff, 0xff), 'bundled strings');
  assert.ok(isMalformed(0xc7, 1, 0x74, 0), 'a typed array');
  assert.ok(isMalformed(0x81, 1, 1), 'a name that is no string');
  assert.ok(isMalformed(0x81, 0xa1, 0x61), 'a name without a value');
  assert.deepEqual(unpackValue(Buffer.of(0x81, 0xa1, 0x61, 0xd4, 0, 0)), { kind: 'value', value: { a: undefined } });
});

test('any bytes, and any change to good ones, end in a value or in malformed', () => {
  const seen = { value: 0, malformed: 0 };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      seen[unpackValue(Buffer.from(bytes)).kind] += 1;
    }),
    { numRuns: 3000 },
  );
  const good = packValue({ a: [1, 'text', null, { b: Buffer.alloc(3), c: undefined }], d: 2 ** 40, e: 'ü'.repeat(40) });
  for (let at = 0; at < good.length; at++) {
    assert.equal(unpackValue(good.subarray(0, at)).kind, 'malformed', `cut at ${at}`);
    for (let value = 0; value < 256; value++) {
      const changed = Buffer.from(good);
      changed[at] = value;
      seen[unpackValue(changed).kind] += 1;
    }
  }
  assert.ok(seen.value > 0 && seen.malformed > 0);
});

test('the codec loads no native add-on', () => {
  const script = `
    let loaded = 0;
    const original = process.dlopen;
    process.dlopen = (...args) => { loaded += 1; return original.apply(process, args); };
    for (const file of ['values', 'event-batch', 'checksum', 'stored-payload', 'frame-cipher', 'validate-event']) {
      await import(new URL('../../src/codec/' + file + '.ts', ${JSON.stringify(import.meta.url)}).href);
    }
    if (process.argv.includes('native')) await import('fs-native-extensions');
    console.log('loaded ' + loaded);
  `;
  const run = (...args: string[]): string => {
    const options = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script, ...args];
    return execFileSync(process.execPath, options, { encoding: 'utf8', cwd: new URL('../..', import.meta.url) });
  };
  assert.match(run(), /^loaded 0$/m);
  assert.match(run('native'), /^loaded 1$/m, 'would notice one');
});
