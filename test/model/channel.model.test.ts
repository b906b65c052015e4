/**
 * Channels against their model. A failure prints its seed, path and replayPath; to see it again:
 *
 *   FOREBAY_SEED=<seed> FOREBAY_REPLAY="file <path> <replayPath>" npx tsx --test test/model/channel.model.test.ts
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { executed } from './commands.ts';
import { executedCount, type Kind, runModel, runUntil } from './run.ts';

/** Of both kinds together. */
const actionsMin = 200_000;
const fileShare = 0.25;
const actionKinds = 23;
const ofEachMin = 100;

const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 31);
const [replayKind, path, replayPath] = (process.env['FOREBAY_REPLAY'] ?? '').split(' ');

async function run(kind: Kind, share: number): Promise<void> {
  console.log(`model: ${kind}, seed ${seed}`);
  if (path === undefined) await runUntil(kind, Math.ceil(actionsMin * share), seed);
  else if (kind === replayKind) await runModel(kind, seed, { path, replayPath });
}

test('a durable channel does as its model does', () => run('file', fileShare));

test('a channel in memory does as its model does', () => run('memory', 1 - fileShare));

test('every kind of action was executed, often', { skip: path !== undefined }, () => {
  console.log(`model: ${[...executed].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  for (const [name, count] of executed) assert.ok(count >= ofEachMin, `${name} only ${count} times`);
  assert.equal(executed.size, actionKinds);
  assert.ok(executedCount() >= actionsMin);
  console.log(`shows: model: ${executedCount()} actions, seed ${seed}, 0 differences`);
});
