/** SequenceSet against a plain Set, its encoding against damage, and its size and speed where events are scattered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { SequenceSet } from '../../src/queue/sequence-set.ts';

const universe = 3 * 65_536;
type Step = readonly ['add' | 'remove', number, number];

/** Short ranges in one small area (so that they meet), ranges over chunk borders, and comb patterns. */
const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.constantFrom('add' as const, 'remove' as const),
    fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 65_400, max: 65_700 }),
      fc.integer({ min: 1, max: universe }),
    ),
    fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 140_000 })),
  )
  .map(([kind, first, length]) => [kind, first, Math.min(first + length - 1, universe)] as const);

function membersOf(set: SequenceSet): number[] {
  const members: number[] = [];
  for (const { first, last } of set.ranges()) for (let at = first; at <= last; at++) members.push(at);
  return members;
}

/** Compares everything a set answers with a bit array that was changed the same way. */
function check(set: SequenceSet, model: Uint8Array, probes: readonly number[]): void {
  const members: number[] = [];
  for (let at = 1; at <= universe; at++) if (model[at] === 1) members.push(at);
  assert.equal(set.count, members.length);
  assert.equal(set.isEmpty, members.length === 0);
  assert.equal(set.first(), members[0]);
  assert.deepEqual(membersOf(set), members);
  for (const probe of probes) {
    assert.equal(set.has(probe), model[probe] === 1, `has ${probe}`);
    const nextIn = model.indexOf(1, probe);
    assert.equal(set.nextIn(probe), nextIn === -1 ? undefined : nextIn, `nextIn ${probe}`);
    const nextOut = model.indexOf(0, probe);
    assert.equal(set.nextOut(probe), nextOut === -1 ? universe + 1 : nextOut, `nextOut ${probe}`);
    const last = Math.min(universe, probe + 70_000);
    const counted = model.subarray(probe, last + 1).reduce((sum, bit) => sum + bit, 0);
    assert.equal(set.countRange(probe, last), counted, `countRange ${probe}–${last}`);
    assert.equal(set.containsRange(probe, last), counted === last - probe + 1, `containsRange ${probe}–${last}`);
  }
}

describe('SequenceSet against a model', () => {
  it('answers as a plain set after any steps', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.array(fc.integer({ min: 1, max: universe }), { maxLength: 8 }),
        (steps, probes) => {
          const set = new SequenceSet();
          const model = new Uint8Array(universe + 1);
          for (const [kind, first, last] of steps) {
            const had = model.subarray(first, last + 1).reduce((sum, bit) => sum + bit, 0);
            model.fill(kind === 'add' ? 1 : 0, first, last + 1);
            const changed = kind === 'add' ? set.addRange(first, last) : set.removeRange(first, last);
            assert.equal(changed, kind === 'add' ? last - first + 1 - had : had);
          }
          check(set, model, probes);
          const decoded = SequenceSet.decode(set.encode());
          assert.ok(decoded !== undefined);
          check(decoded, model, probes);
          assert.deepEqual(SequenceSet.of(set.toRanges()).encode(), set.encode(), 'one encoding, whatever the history');
        },
      ),
      { numRuns: 50 },
    );
  });

  it('answers as a plain set where thousands of runs turn into bitmaps and back', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.boolean(),
            fc.integer({ min: 1, max: 90_000 }),
            fc.integer({ min: 2, max: 7 }),
            fc.integer({ min: 200, max: 4000 }),
          ),
          {
            maxLength: 12,
            size: 'max',
          },
        ),
        (combs) => {
          const set = new SequenceSet();
          const model = new Uint8Array(universe + 1);
          for (const [adds, start, stride, teeth] of combs) {
            for (let tooth = 0; tooth < teeth; tooth++) {
              const at = start + tooth * stride;
              model[at] = adds ? 1 : 0;
              if (adds) set.addRange(at, at);
              else set.removeRange(at, at);
            }
          }
          check(set, model, [1, 65_535, 65_536, 90_000]);
          const copy = set.clone();
          copy.addRange(1, universe);
          check(set, model, [1]);
          assert.deepEqual(copy.toRanges(), [{ first: 1, last: universe }]);
          const decoded = SequenceSet.decode(set.encode());
          assert.ok(decoded !== undefined);
          check(decoded, model, [1, 65_536]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('SequenceSet far out', () => {
  it('holds ranges of any width and jumps of 2^32 in a few bytes', () => {
    const set = new SequenceSet();
    const far = 2 ** 32 + 7;
    assert.equal(set.addRange(1, 2 ** 40), 2 ** 40);
    assert.equal(set.addRange(2 ** 41 + far, 2 ** 41 + far + 9), 10);
    assert.equal(set.addRange(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1);
    assert.equal(set.removeRange(2 ** 39, 2 ** 39 + 2 ** 20), 2 ** 20 + 1);
    assert.equal(set.count, 2 ** 40 - 2 ** 20 - 1 + 10 + 1);
    assert.equal(set.nextOut(1), 2 ** 39);
    assert.equal(set.nextIn(2 ** 39), 2 ** 39 + 2 ** 20 + 1);
    assert.equal(set.nextIn(2 ** 40 + 1), 2 ** 41 + far);
    assert.ok(set.encode().length < 64);
    assert.deepEqual(SequenceSet.decode(set.encode())?.toRanges(), set.toRanges());
    assert.equal(set.removeRange(1, Number.MAX_SAFE_INTEGER), 2 ** 40 - 2 ** 20 + 10);
    assert.ok(set.isEmpty);
    assert.equal(set.encode().length, 0);
  });

  it('takes less than 1 MiB for every second one of 5 million, in memory and encoded', () => {
    const set = new SequenceSet();
    const before = memoryBytes();
    for (let at = 2; at <= 5_000_000; at += 2) set.addRange(at, at);
    const grown = memoryBytes() - before;
    assert.equal(set.count, 2_500_000);
    assert.ok(set.encode().length < 2 ** 20, `encoded ${set.encode().length}`);
    assert.ok(grown < 2 ** 20, `in memory ${grown}`);
    for (let at = 1; at <= 5_000_000; at += 2) set.addRange(at, at);
    assert.deepEqual(set.toRanges(), [{ first: 1, last: 5_000_000 }]);
    assert.ok(set.encode().length < 16);
  });
});

describe('SequenceSet in memory', () => {
  it('is runs again where a bitmap has become nearly empty, or nearly full', () => {
    const set = new SequenceSet();
    const before = bitmapBytes();
    for (let chunk = 0; chunk < 100; chunk++) {
      const base = chunk * 65_536;
      for (let at = 1; at < 65_000; at += 8) set.addRange(base + at, base + at);
      // Even chunks lose all but a few members, odd ones all but a few holes.
      if (chunk % 2 === 0) set.removeRange(base + 100, base + 65_000);
      else set.addRange(base + 100, base + 65_535);
    }
    const grown = bitmapBytes() - before;
    assert.ok(grown < 50_000, `${grown} bytes for 100 sparse chunks; their bitmaps would take 800 KB`);
    assert.equal(set.count, 50 * 13 + 50 * (13 + 65_436));
  });
});

describe('SequenceSet.decode', () => {
  it('refuses every form but its own, and never throws', () => {
    const refused: Record<string, number[]> = {
      'sequence 0': [1, 0, 0, 0],
      'neighbours apart': [0, 0, 0, 0],
      'an empty span': [0],
      'a cut run': [1, 0, 5],
      'a run over the whole chunk': [4, 0, 0, 0xff, 0xff, 0x03],
      'a run past the chunk': [4, 0, 1, 0xff, 0xff, 0x03],
      'a varint longer than needed': [0x84, 0x00, 0, 5, 5],
      'more runs than a chunk can hold': [4, 0xff, 0xff, 0x7f],
      'a chunk past the last safe integer': [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
      'a cut bitmap': [2, 1, 2, 3],
    };
    for (const [name, bytes] of Object.entries(refused))
      assert.equal(SequenceSet.decode(Buffer.from(bytes)), undefined, name);
    const bitmap = (fill: number): Buffer => Buffer.concat([Buffer.from([5]), Buffer.alloc(8192, fill)]);
    assert.equal(SequenceSet.decode(bitmap(0)), undefined, 'an empty bitmap');
    assert.equal(SequenceSet.decode(bitmap(0xff)), undefined, 'a full bitmap');
    assert.equal(SequenceSet.decode(bitmap(0x55))?.count, 32_768, 'a bitmap that is shorter than its runs');
    assert.deepEqual(SequenceSet.decode(Buffer.from([4, 0, 5, 1]))?.toRanges(), [{ first: 65_541, last: 65_542 }]);
  });

  it('accepts a damaged encoding only where it is another set’s', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40, size: 'max' }), (bytes) => {
        const decoded = SequenceSet.decode(Buffer.from(bytes));
        if (decoded !== undefined) assert.deepEqual(decoded.encode(), Buffer.from(bytes));
      }),
      { numRuns: 3000 },
    );
  });
});

function memoryBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The first frees buffers in the background; the second waits for that.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function bitmapBytes(): number {
  memoryBytes();
  return process.memoryUsage().arrayBuffers;
}
