/** Notes: their limits, their bytes, and that nobody outside can change what is stored. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ForebayError } from '../../src/base/errors.ts';
import {
  checkNote,
  checkNotes,
  decodeNotes,
  encodeNotes,
  type NoteChanges,
  NoteStore,
  noteValueBytesMax,
} from '../../src/queue/notes.ts';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;
let shared: unknown = [];
for (let level = 0; level < 60; level++) shared = [shared, shared];

const refused: Record<string, readonly [unknown, unknown]> = {
  'a key that is no string': [7, 1],
  'a key over 256 bytes of UTF-8': ['ü'.repeat(129), 1],
  'a key with half a surrogate pair': ['\ud800', 1],
  NaN: ['k', Number.NaN],
  Infinity: ['k', Number.POSITIVE_INFINITY],
  'a function': ['k', () => 1],
  'a bigint': ['k', 1n],
  'a Date': ['k', new Date(0)],
  'undefined inside an object': ['k', { a: undefined }],
  'a hole in an array': ['k', new Array(2)],
  'a cycle': ['k', cycle],
  'a structure that shares itself 2^60 times': ['k', shared],
  'nesting no stack should meet': ['k', nested(100_000)],
  'a value over 64 KiB': ['k', 'x'.repeat(noteValueBytesMax - 1)],
};

describe('checkNote', () => {
  for (const [name, [key, value]] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      const answer = checkNote(key, value);
      assert.ok(answer instanceof ForebayError, JSON.stringify(answer)?.slice(0, 80));
      assert.equal(answer.code, 'NOTE_INVALID');
    });
  }

  it('accepts what JSON keeps, up to exactly the limits', () => {
    for (const value of [
      null,
      true,
      0,
      -1.5,
      '',
      '\ud800',
      [],
      {},
      [{ a: [1, 'x', null] }],
      nested(150),
      'x'.repeat(noteValueBytesMax - 2),
    ]) {
      assert.deepEqual(checkNote('k', value), { text: JSON.stringify(value) });
    }
    assert.deepEqual(checkNote('ü'.repeat(128), undefined), { text: undefined });
  });
});

describe('notes', () => {
  const changes: fc.Arbitrary<NoteChanges> = fc
    .array(fc.tuple(fc.string({ maxLength: 20 }), fc.option(fc.jsonValue(), { nil: undefined })), { maxLength: 6 })
    .map((pairs) => checkNotes(Object.fromEntries(pairs)))
    .filter((checked): checked is NoteChanges => !(checked instanceof ForebayError));

  it('come back from their bytes, `__proto__` included', () => {
    fc.assert(fc.property(changes, (given) => assert.deepEqual(decodeNotes(encodeNotes(given)), given)));
    const odd = checkNotes(JSON.parse('{"__proto__":{"a":1}}'));
    assert.ok(!(odd instanceof ForebayError));
    const decoded = decodeNotes(encodeNotes(odd));
    assert.deepEqual(Object.entries(decoded ?? {}), [['__proto__', { a: 1 }]]);
  });

  it('answer for any bytes without throwing', () => {
    const valid = encodeNotes({ a: { file: 'x', offset: 12 }, b: undefined, c: [1, 2] });
    for (let at = 0; at < valid.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(valid);
        damaged[at]! ^= 1 << bit;
        decodeNotes(damaged);
        NoteStore.decode(damaged);
      }
      const cut = decodeNotes(valid.subarray(0, at));
      assert.ok(cut === undefined || Object.keys(cut).length < 3);
    }
  });

  it('know their weight after any changes, and after a restart', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 8 }), (all) => {
        const store = new NoteStore();
        const model = new Map<string, unknown>();
        for (const given of all) {
          store.apply(given);
          for (const [key, value] of Object.entries(given)) {
            if (value === undefined) model.delete(key);
            else model.set(key, value);
          }
        }
        let bytes = 0;
        for (const [key, value] of model) bytes += Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value));
        for (const each of [store, NoteStore.decode(store.encode())]) {
          assert.equal(each?.bytes, bytes);
          assert.deepEqual(new Set(each?.keys()), new Set(model.keys()));
          for (const [key, value] of model) assert.deepEqual(each?.get(key), value);
        }
      }),
    );
  });

  it('are refused as a store where one is deleted or all are too many', () => {
    assert.equal(NoteStore.decode(encodeNotes({ a: 1, b: undefined })), undefined);
    const value = 'x'.repeat(65_000);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, value]));
    assert.equal(NoteStore.decode(encodeNotes(many)), undefined);
  });

  it('do not change with the objects that were given or got', () => {
    const given = { position: { offset: 1 } };
    const checked = checkNotes(given);
    assert.ok(!(checked instanceof ForebayError));
    given.position.offset = 2;
    const store = new NoteStore();
    store.apply(checked);
    (store.get('position') as { offset: number }).offset = 3;
    assert.deepEqual(store.get('position'), { offset: 1 });
  });
});
