/** The crash simulator with more of everything: five times as many seeds as simulator.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { sweepAll } from './pool.ts';
import { workloads } from './workloads.ts';

const variants: readonly number[] = Array.from({ length: 10 }, (_, index) => 2 + index);
const { swept, done } = sweepAll(
  workloads.map(({ name }) => name),
  variants,
);
const states = new Set<string>();
let runs = 0;

for (const [name, result] of swept) {
  test(`${name}: ten more variants`, async () => {
    const { failures, ...rest } = await result;
    assert.equal(failures[0], undefined);
    for (const state of rest.states) states.add(state);
    runs += rest.runs;
  });
}

test('more was seen', async () => {
  await done;
  assert.ok(states.size >= 100_000, `${states.size} distinct states`);
  console.log(`shows: simulator, long: ${states.size} distinct states, 0 violations, ${runs} runs`);
});
