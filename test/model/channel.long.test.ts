/** The same as channel.model.test.ts, for longer. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { executedCount, runUntil } from './run.ts';

const actionsMin = 200_000;
const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 31);

test('a durable channel does as its model does, for longer', async () => {
  console.log(`model: file, seed ${seed}`);
  await runUntil('file', actionsMin, seed);
  assert.ok(executedCount() >= actionsMin);
  console.log(`shows: model, long: ${executedCount()} actions, seed ${seed}, 0 differences`);
});
