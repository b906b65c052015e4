/** Notes of moves: they come back, fit, and nothing that is none is taken for one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { moveOf, noteOf, partsOf } from '../../src/agent/dead-letter-notes.ts';
import type { NoteValue } from '../../src/engine.ts';

const noteBytesMax = 65_536;
const channel = '0'.repeat(32);

/** `count` sequences from `from` on, `apart` from each other. */
function spread(count: number, from: number, apart: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index * apart);
}

function roundTrip(sequences: readonly number[]): readonly number[] | undefined {
  const text = JSON.stringify(noteOf({ channel, move: 7, sequences }));
  assert.ok(Buffer.byteLength(text) <= noteBytesMax, `${text.length} bytes`);
  return moveOf(JSON.parse(text) as NoteValue)?.sequences;
}

test('a note comes back, and has room for any part of what is to be moved', () => {
  for (const sequences of [[], [1], [3, 4, 5, 9], spread(100_000, 10, 1), spread(4000, 10 ** 12, 10 ** 8)]) {
    assert.deepEqual(roundTrip(sequences), sequences);
  }
  const some = [...spread(50_000, 1, 1), ...spread(9000, 100_000, 2), ...spread(10, 10 ** 6, 1)];
  const parts = partsOf(some, (sequence) => sequence);
  assert.equal(parts.length, 3);
  assert.deepEqual(parts.flat(), some);
  for (const part of parts) assert.deepEqual(roundTrip(part), part);
  assert.deepEqual(
    partsOf([], (sequence: number) => sequence),
    [],
  );
});

test('of too many the last are kept', () => {
  const sequences = spread(6000, 5, 3);
  assert.deepEqual(roundTrip(sequences), sequences.slice(-5000));
});

test('what is no note of a move is none, whatever it claims', () => {
  const strange: readonly (NoteValue | undefined)[] = [
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { channel, move: 1 },
    { channel: 3, move: 1, runs: [1, 1] },
    { channel, move: '1', runs: [1, 1] },
    { channel, move: 1, runs: [1, 2 ** 40] },
    { channel, move: 1, runs: [1, 2 ** 21, 5, 2 ** 21, 5, 2 ** 21] },
    { channel, move: 1, runs: [0, 1] },
    { channel, move: 1, runs: [1, 0] },
    { channel, move: 1, runs: [1] },
    { channel, move: 1, runs: ['a', {}] },
  ];
  for (const note of strange) assert.equal(moveOf(note), undefined, JSON.stringify(note));
});
