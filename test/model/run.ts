/** Long random runs of actions on a channel and its model; what both model tests share. */
import fc from 'fast-check';
import { type Action, actions, executed } from './commands.ts';
import { durableActions } from './crash-commands.ts';
import { Model } from './model.ts';
import { makeWorld, type Setup } from './world.ts';

/** Which channel is run. */
export type Kind = 'file' | 'memory';

/** A run that failed, as fast-check named it. */
export interface Replay {
  readonly path: string;
  readonly replayPath: string | undefined;
}

/** Of one run: with `size: 'max'` its length is anything up to that. */
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

/** Ordinary actions, and for a durable channel now and then one that a process does not outlive. */
function arbitrariesOf(kind: Kind): fc.Arbitrary<Action>[] {
  if (kind === 'memory') return actions;
  const ordinary = { weight: 11, arbitrary: fc.oneof(...actions) };
  return [fc.oneof(ordinary, { weight: 1, arbitrary: fc.oneof(...durableActions) })];
}

/** Some runs from this seed, or the one that `replay` names. Rejects with the shortest failing one, and its path. */
export async function runModel(kind: Kind, seed: number, replay?: Replay): Promise<void> {
  const { path, replayPath } = replay ?? {};
  const commands = fc.commands(arbitrariesOf(kind), {
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
  const reporting = { seed, numRuns: runsAtOnce, includeErrorInReport: true };
  await fc.assert(property, path === undefined ? reporting : { ...reporting, path });
}

/** Actions executed so far in this process, of both kinds. */
export function executedCount(): number {
  return [...executed.values()].reduce((sum, count) => sum + count, 0);
}

/** Runs until so many more actions were executed. */
export async function runUntil(kind: Kind, count: number, firstSeed: number): Promise<void> {
  const target = executedCount() + count;
  for (let seed = firstSeed; executedCount() < target; seed += 1) await runModel(kind, seed);
}
