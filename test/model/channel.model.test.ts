/**
 * Channels against their model, in long random runs. A failure prints its seed and path; to see it again:
 *
 *   FOREBAY_SEED=… FOREBAY_REPLAY="kind path replayPath" npx tsx --test test/model/channel.model.test.ts
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Action, actions, executed } from './commands.ts';
import { durableActions } from './crash-commands.ts';
import { Model } from './model.ts';
import { makeWorld, type Setup } from './world.ts';

/** Of both kinds together, in `npm test`. */
const actionsMin = 200_000;
const fileShare = 0.6;
const commandsMax = 1500;
const runsAtOnce = 5;

const setup: fc.Arbitrary<Setup> = fc.record({
  seed: fc.nat(),
  capacityEvents: fc.integer({ min: 60, max: 200 }),
  twoDirectories: fc.boolean(),
  compression: fc.constantFrom('none', 'deflate'),
  encrypted: fc.boolean(),
  slowDisk: fc.boolean(),
  retentionHours: fc.constantFrom(0, 1),
});

type Kind = 'file' | 'memory';

/** Ordinary actions, and for a durable channel now and then one that a process does not outlive. */
function arbitraryOf(kind: Kind): fc.Arbitrary<Action>[] {
  if (kind === 'memory') return actions;
  return [
    fc.oneof({ weight: 9, arbitrary: fc.oneof(...actions) }, { weight: 1, arbitrary: fc.oneof(...durableActions) }),
  ];
}

async function runModel(kind: Kind, seed: number, replay: { path?: string; replayPath?: string }): Promise<void> {
  const { path, replayPath } = replay;
  const commands = fc.commands(arbitraryOf(kind), {
    maxCommands: commandsMax,
    size: 'max',
    ...(replayPath === undefined ? {} : { replayPath }),
  });
  const property = fc.asyncProperty(setup, commands, async (given, sequence) => {
    const world = await makeWorld(kind, given);
    const model = new Model(given.capacityEvents);
    await fc.asyncModelRun(() => ({ model, real: world }), sequence);
    await world.channel.close();
  });
  await fc.assert(property, {
    seed,
    numRuns: runsAtOnce,
    includeErrorInReport: true,
    ...(path === undefined ? {} : { path }),
  });
}

function total(): number {
  return [...executed.values()].reduce((sum, count) => sum + count, 0);
}

async function runUntil(kind: Kind, count: number, baseSeed: number): Promise<void> {
  const target = total() + count;
  for (let seed = baseSeed; total() < target; seed += 1) await runModel(kind, seed, {});
}

const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 31);
const [replayKind, path, replayPath] = (process.env['FOREBAY_REPLAY'] ?? '').split(' ');

test('a durable channel does as its model does', { skip: replayKind === 'memory' }, async () => {
  console.log(`model: seed ${seed}`);
  if (path !== undefined) await runModel('file', seed, { path, ...(replayPath === undefined ? {} : { replayPath }) });
  else await runUntil('file', Math.ceil(actionsMin * fileShare), seed);
});

test('a channel in memory does as its model does', { skip: replayKind === 'file' }, async () => {
  if (path !== undefined) await runModel('memory', seed, { path, ...(replayPath === undefined ? {} : { replayPath }) });
  else await runUntil('memory', Math.ceil(actionsMin * (1 - fileShare)), seed);
});

test('every kind of action was executed, often', { skip: path !== undefined }, () => {
  const counts = [...executed].map(([name, count]) => `${name} ${count}`);
  console.log(`model: ${counts.join(', ')}`);
  for (const [name, count] of executed) assert.ok(count >= 100, `${name} only ${count} times`);
  assert.equal(executed.size, 21);
  assert.ok(total() >= actionsMin);
  console.log(`shows: model: ${total()} actions, seed ${seed}, 0 differences`);
});
