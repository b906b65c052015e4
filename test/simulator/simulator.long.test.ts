/** The crash simulator with more of everything: eight times as many seeds as simulator.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { sweep, Tally } from './sweep.ts';
import { workloads } from './workloads.ts';

const variants: readonly number[] = Array.from({ length: 16 }, (_, index) => 2 + index);
const tally = new Tally();

for (const { name } of workloads) {
  test(`${name}: sixteen more variants`, async () => {
    for await (const result of sweep(name, variants)) assert.equal(tally.add(result), undefined);
  });
}

test('more was seen', () => {
  assert.ok(tally.states.size >= 150_000, `${tally.states.size} distinct states`);
  console.log(`shows: simulator, long: ${tally.states.size} distinct states, 0 violations, ${tally.runs} runs`);
});
