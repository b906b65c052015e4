/** QueueState against a model that keeps one word an event; its counters must add up after any records and restarts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SequenceRange } from '../../src/base/units.ts';
import { QueueState } from '../../src/queue/queue-state.ts';
import { SequenceSet } from '../../src/queue/sequence-set.ts';

type Where = 'pending' | 'acked' | 'lost';

/** What a channel of at most a few hundred events holds, event by event. */
class Model {
  readonly where: Map<number, Where> = new Map();
  readonly prepared: Map<string, number[]> = new Map();
  next = 1;
  counters = { put: 0, requeued: 0, taken: 0, dropped: 0, quarantined: 0 };

  isPrepared(sequence: number): boolean {
    return [...this.prepared.values()].some((held) => held.includes(sequence));
  }

  settle(sequences: readonly number[], as: 'taken' | 'dropped'): void {
    for (const sequence of sequences) {
      if (this.where.get(sequence) === 'acked') continue;
      if (this.where.get(sequence) === 'lost') this.counters.quarantined--;
      this.counters[as]++;
      this.where.set(sequence, 'acked');
    }
  }
}

type Step =
  | { kind: 'put'; count: number }
  | { kind: 'ack' | 'drop' | 'quarantine' | 'requeue' | 'prepare'; picks: number[] }
  | { kind: 'resolve'; pick: number; commits: boolean }
  | { kind: 'restart' };

/** Few sequences, so that steps meet; `size`, or lists stay at ten. */
const picks = fc.array(fc.nat({ max: 80 }), { minLength: 1, maxLength: 30, size: 'max' });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    kind: fc.constantFrom(
      'ack' as const,
      'drop' as const,
      'quarantine' as const,
      'requeue' as const,
      'prepare' as const,
    ),
    picks,
  }),
  fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat({ max: 5 }), commits: fc.boolean() }),
  fc.record({ kind: fc.constant('restart' as const) }),
);

function rangesOf(sequences: readonly number[]): SequenceRange[] {
  const set = new SequenceSet();
  for (const sequence of sequences) set.addRange(sequence, sequence);
  return set.toRanges();
}

function applyBoth(state: QueueState, model: Model, given: Step, index: number): void {
  if (given.kind === 'put') {
    state.applyPut(given.count, undefined);
    model.counters.put += given.count;
    for (let count = 0; count < given.count; count++) model.where.set(model.next++, 'pending');
    return;
  }
  if (given.kind === 'resolve') {
    const id = [...model.prepared.keys()][given.pick];
    const take = state.applyResolve(id ?? 'unknown', given.commits ? 'commit' : 'rollback', undefined);
    assert.equal(take?.id, id);
    if (id === undefined) return;
    if (given.commits) model.settle(model.prepared.get(id) ?? [], 'taken');
    model.prepared.delete(id);
    return;
  }
  if (given.kind === 'restart') return;
  const picked = [...new Set(given.picks)].filter(
    (sequence) => sequence > 0 && sequence < model.next && !model.isPrepared(sequence),
  );
  if (given.kind === 'ack') {
    state.applyAck(rangesOf(picked), undefined);
    model.settle(picked, 'taken');
  } else if (given.kind === 'drop') {
    state.applyDrop(rangesOf(picked), undefined);
    model.settle(picked, 'dropped');
  } else if (given.kind === 'quarantine') {
    const lost = picked.filter((sequence) => model.where.get(sequence) === 'pending');
    assert.equal(state.applyQuarantine(rangesOf(picked)), lost.length);
    for (const sequence of lost) model.where.set(sequence, 'lost');
    model.counters.quarantined += lost.length;
  } else if (given.kind === 'requeue') {
    const back = picked.filter((sequence) => model.where.get(sequence) !== 'pending');
    assert.equal(state.applyRequeue(rangesOf(picked)), back.length);
    for (const sequence of back) model.where.set(sequence, 'pending');
    model.counters.requeued += back.length;
  } else {
    const held = picked.filter((sequence) => model.where.get(sequence) === 'pending');
    if (held.length === 0) return;
    const id = `p-${index}`;
    state.applyPrepare({ id, consumer: 'k', ranges: rangesOf(held), note: { index }, preparedAt: index }, undefined);
    model.prepared.set(id, held);
  }
}

function check(state: QueueState, model: Model): void {
  assert.deepEqual(state.counters, model.counters);
  const depth = [...model.where.values()].filter((where) => where === 'pending').length;
  assert.equal(state.depth, depth);
  assert.equal(state.acked.count, [...model.where.values()].filter((where) => where === 'acked').length);
  assert.deepEqual([...state.prepared.keys()], [...model.prepared.keys()]);
  let next = 1;
  for (let sequence = 1; sequence < model.next; sequence++) {
    const settled = model.where.get(sequence) !== 'pending' || model.isPrepared(sequence);
    assert.equal(state.nextSettled(sequence) === sequence, settled, `sequence ${sequence}`);
    if (!settled) {
      assert.equal(state.nextUnsettled(next), sequence);
      next = sequence + 1;
    }
  }
  assert.equal(state.nextUnsettled(next), model.next);
}

describe('QueueState', () => {
  it('adds up after any records, and is the same after a restart', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        let state = new QueueState();
        const model = new Model();
        for (const [index, given] of steps.entries()) {
          applyBoth(state, model, given, index);
          if (given.kind !== 'restart') continue;
          const decoded = QueueState.decode(state.encode());
          assert.ok(decoded !== undefined);
          assert.deepEqual(decoded.encode(), state.encode());
          assert.deepEqual([...decoded.prepared], [...state.prepared]);
          state = decoded;
        }
        check(state, model);
      }),
      { numRuns: 400 },
    );
  });

  it('takes a record twice as it takes it once', () => {
    const state = new QueueState();
    state.applyPut(10, undefined);
    const ranges = [{ first: 2, last: 4 }];
    const take = { id: 'x', consumer: 'k', ranges: [{ first: 6, last: 7 }], note: null, preparedAt: 1 };
    for (let time = 0; time < 2; time++) {
      state.applyAck(ranges, { n: 1 });
      state.applyDrop(
        [
          { first: 4, last: 4 },
          { first: 8, last: 9 },
        ],
        undefined,
      );
      state.applyPrepare(take, undefined);
      state.applyQuarantine([{ first: 4, last: 5 }]);
    }
    assert.deepEqual(state.counters, { put: 10, requeued: 0, taken: 3, dropped: 2, quarantined: 1 });
    assert.equal(state.preparedSet.count, 2);
    assert.deepEqual(state.notes.get('n'), 1);
  });

  it('forgets a segment’s sequences, never its counts', () => {
    const state = new QueueState();
    state.applyPut(20, undefined);
    state.applyAck([{ first: 1, last: 8 }], undefined);
    state.applyQuarantine([{ first: 9, last: 10 }]);
    state.applyPrepare(
      { id: 'x', consumer: 'k', ranges: [{ first: 11, last: 14 }], note: null, preparedAt: 1 },
      undefined,
    );
    state.forget(1, 12);
    assert.equal(state.depth, 10);
    assert.ok(state.acked.isEmpty && state.quarantined.isEmpty);
    assert.deepEqual(state.prepared.get('x')?.ranges, [{ first: 13, last: 14 }]);
    assert.deepEqual(QueueState.decode(state.encode())?.encode(), state.encode());
  });

  it('refuses states that cannot be', () => {
    const sound = new QueueState();
    sound.applyPut(10, undefined);
    const take = { id: 'x', consumer: 'k', ranges: [{ first: 1, last: 2 }], note: null, preparedAt: 1 };
    const spoiled: Record<string, (state: QueueState) => void> = {
      'acknowledged and lost at once': (state) => {
        state.acked.addRange(3, 5);
        state.quarantined.addRange(5, 6);
      },
      'two takes of one id': (state) => {
        (state.prepared as Map<string, unknown>).set('again', { ...take, ranges: [{ first: 3, last: 3 }] });
      },
      'overlapping takes': (state) => {
        (state.prepared as Map<string, unknown>).set('other', { ...take, id: 'other' });
      },
      'notes over their limit': (state) => {
        const value = 'x'.repeat(65_000);
        for (let index = 0; index < 17; index++) state.applyNotes({ [`k${index}`]: value });
      },
    };
    sound.applyPrepare(take, undefined);
    const bytes = sound.encode();
    for (const [name, spoil] of Object.entries(spoiled)) {
      const state = QueueState.decode(bytes);
      assert.ok(state !== undefined);
      spoil(state);
      assert.equal(QueueState.decode(state.encode()), undefined, name);
    }
  });

  it('decodes nothing but what it wrote, and throws for nothing', () => {
    const state = new QueueState();
    state.applyPut(2 ** 40, { a: { b: [1] } });
    state.applyAck(
      [
        { first: 1, last: 2 ** 33 },
        { first: 2 ** 34, last: 2 ** 34 },
      ],
      undefined,
    );
    state.applyQuarantine([{ first: 2 ** 35, last: 2 ** 35 + 5 }]);
    state.applyPrepare(
      { id: 'x', consumer: 'k', ranges: [{ first: 2 ** 36, last: 2 ** 37 }], note: ['n'], preparedAt: 5 },
      undefined,
    );
    const bytes = state.encode();
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(QueueState.decode(bytes.subarray(0, at)), undefined);
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << bit;
        const decoded = QueueState.decode(damaged);
        if (decoded !== undefined) assert.notDeepEqual(decoded.encode(), bytes);
      }
    }
    assert.equal(QueueState.decode(Buffer.concat([bytes, Buffer.from([0])])), undefined);
  });
});
