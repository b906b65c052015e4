/** The crash simulator: each workload stopped at each of its operations, and what follows; see simulate.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { simulate } from './simulate.ts';
import { sweep, Tally } from './sweep.ts';
import { workloads } from './workloads.ts';

/** An even and an odd one: the first life ends by a kill, or by a power cut. */
const variants = [0, 1];
const statesMin = 20_000;

const tally = new Tally();

for (const { name } of workloads) {
  test(`${name}: stopped at each operation, nothing breaks`, async () => {
    const failures: string[] = [];
    for await (const result of sweep(name, variants)) {
      const failure = tally.add(result);
      if (failure !== undefined) failures.push(failure);
    }
    const [first] = failures;
    assert.equal(first, undefined, `${first} (and ${failures.length - 1} more of this workload)`);
  });
}

test('seeds that once found something find nothing', async () => {
  const lines = readFileSync(join(import.meta.dirname, 'regressions.txt'), 'utf8').split('\n');
  const seeds = lines.flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(' ')[0] as string]));
  assert.ok(seeds.length >= 10);
  for (const seed of seeds) {
    const failure = tally.add(await simulate(seed));
    assert.equal(failure, undefined);
  }
});

test('a seed repeats its run', async () => {
  for (const seed of ['producers-20-during-5', 'interval-17-after-4', 'full-40-before-3']) {
    const first = await simulate(seed);
    assert.ok(first.states.length >= 4);
    assert.deepEqual(await simulate(seed), first);
  }
});

test('enough was seen', () => {
  assert.ok(tally.livesMin >= 3, `a run of ${tally.livesMin} lives`);
  assert.ok(tally.states.size >= statesMin, `${tally.states.size} distinct states`);
  const { states, runs } = tally;
  console.log(
    `shows: simulator: ${states.size} distinct states, 0 violations, ${workloads.length} workloads, ${runs} runs`,
  );
});
