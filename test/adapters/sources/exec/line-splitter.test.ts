/** Lines do not depend on where the chunks were cut. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LineSplitter } from '../../../../src/adapters/sources/exec/line-splitter.ts';

const input = Buffer.from('one\ntwo\r\nthree\rfour\n\r\n\r\rfive\n\nsix\r');
const lines = ['one', 'two', 'three', 'four', '', '', '', 'five', '', 'six'];

function split(chunks: readonly Buffer[], lineMax?: number): string[] {
  const splitter = new LineSplitter(lineMax);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()].map(String);
}

test('every cut in two and every chunk size give the same lines', () => {
  for (let at = 0; at <= input.length; at += 1) {
    assert.deepEqual(split([input.subarray(0, at), input.subarray(at)]), lines, `cut at ${at}`);
  }
  for (let size = 1; size < input.length; size += 1) {
    const count = Math.ceil(input.length / size);
    const chunks = Array.from({ length: count }, (_, index) => input.subarray(index * size, (index + 1) * size));
    assert.deepEqual(split(chunks), lines, `chunks of ${size}`);
  }
});

test('a line over the limit becomes several, and the rest is a line', () => {
  assert.deepEqual(split([Buffer.from('abcdefgh\nxy\n')], 3), ['abc', 'def', 'gh', 'xy']);
  assert.deepEqual(split([Buffer.from('ab'), Buffer.from('cdefg'), Buffer.from('h')], 3), ['abc', 'def', 'gh']);
});
