/** The crash simulator: each workload stopped at each of its operations, and what follows; see simulate.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { sweepAll } from './pool.ts';
import { simulate } from './simulate.ts';
import { workloads } from './workloads.ts';

/** An even and an odd one: the first life ends by a kill, or by a power cut. */
const variants = [0, 1];
const statesMin = 20_000;

const names = workloads.map(({ name }) => name);
const { swept, done } = sweepAll(names, variants);
const states = new Set<string>();
let runs = 0;

for (const [name, result] of swept) {
  test(`${name}: stopped at each operation, nothing breaks`, async () => {
    const { failures, lives, ...rest } = await result;
    assert.equal(failures[0], undefined, `${failures[0]} (and ${failures.length - 1} more of this workload)`);
    assert.ok(lives >= 3, `a run of ${lives} lives`);
    for (const state of rest.states) states.add(state);
    runs += rest.runs;
  });
}

test('enough was seen', async () => {
  await done;
  assert.ok(states.size >= statesMin, `${states.size} distinct states`);
  console.log(
    `shows: simulator: ${states.size} distinct states, 0 violations, ${names.length} workloads, ${runs} runs`,
  );
});

test('seeds that once found something find nothing', async () => {
  const lines = readFileSync(join(import.meta.dirname, 'regressions.txt'), 'utf8').split('\n');
  const seeds = lines.flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(' ')[0] as string]));
  assert.ok(seeds.length >= 10);
  for (const seed of seeds) {
    const [violation] = (await simulate(seed)).violations;
    assert.equal(violation, undefined, `FAIL simulate ${seed}: ${violation?.checker}: ${violation?.text}`);
  }
});

test('a seed repeats its run', async () => {
  for (const seed of ['producers-20-during-5', 'interval-17-after-4', 'full-40-before-3']) {
    const first = await simulate(seed);
    assert.ok(first.states.length >= 4);
    assert.deepEqual(await simulate(seed), first);
  }
});
