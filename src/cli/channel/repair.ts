/** `forebay channel repair`: says what it would do about damage, and does it when told to. */
import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { countSequences } from '../../base/units.ts';
import { applyRepair, type RepairResult } from '../../channel/repair/apply.ts';
import { planRepair, type RepairAction, type RepairEnvironment, type RepairPlan } from '../../channel/repair/plan.ts';
import { readCheckpointCopy } from '../../checkpoint/lmdb-copy.ts';
import { countOfNoun, damageText, lossText, rangesText } from './damage-text.ts';
import { Interrupt } from './interrupt.ts';
import { type PlaceOptions, placeOf, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { exitDamage, inert, printJson, runVerb } from './verb.ts';

interface RepairOptions extends PlaceOptions {
  readonly apply?: boolean;
}

const example = `
Examples:
  $ forebay channel repair /var/lib/forebay/c1
  $ forebay channel repair /var/lib/forebay/c1 --apply

Without --apply it only says what it would do, and is safe beside a running agent. With it, the agent must be stopped:
damaged bytes are copied to quarantine/ in their directory, with a report; what they cost is given up for good; events
that were given up before, and read well now, are pending again. All else stays as it is, and verify finds nothing any
more. A repair that was cut off is gone on with by the same command.

Exit status: 0 nothing is to be done, or it is done; 1 failed; 2 there is something to do, or damage is left; 64 usage;
75 an agent has the channel; 78 bad configuration; 130 interrupted.`;

const actions: Readonly<Record<RepairAction, string>> = {
  rename: 'the file gets its own name back',
  rewrite: 'written again from the other copy; the damaged bytes are copied to quarantine/',
  renew: 'set aside and made anew',
  recover: 'the log goes on in a new segment; what there is of it is copied to quarantine/',
  mount: 'nothing can be done before the directory is there again: mount it, or restore it',
  settle: 'the bytes stay, a copy goes to quarantine/; what they cost is given up for good',
};

/** Makes the command. `finish` is told the exit status. */
export function repairCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('repair'))
    .summary('plan what to do about damage, and do it with --apply')
    .description('Says what can be done about the damage of a channel, and does it with --apply.')
    .option('--apply', 'do it')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: RepairOptions) => runVerb(finish, () => run(directory, options)));
}

async function run(directory: string | undefined, options: RepairOptions): Promise<number> {
  const place = await placeOf(directory, options);
  using interrupt = new Interrupt();
  const progress = progressLine('repair');
  const disk = nodeDisk();
  const environment: RepairEnvironment = {
    disk,
    clock: systemClock,
    readCheckpoint: (path) => readCheckpointCopy(disk, path),
    onProgress: ({ bytesRead, bytesTotal }) => {
      interrupt.signal.throwIfAborted();
      progress.at(bytesRead, bytesTotal);
    },
  };
  try {
    const plan = await planRepair(place.path, place.options, environment);
    const result = options.apply === true ? await applyRepair(plan, place.options, environment) : undefined;
    progress.end();
    if (options.json === true) printJson(toJson(plan, result));
    else for (const line of linesOf(plan, result)) console.log(line);
    return isOk(plan, result) ? 0 : exitDamage;
  } catch (error) {
    progress.end();
    if (interrupt.status === undefined) throw error;
    console.error('interrupted: nothing is lost by it; the same command goes on with it');
    return interrupt.status;
  }
}

function isOk(plan: RepairPlan, result: RepairResult | undefined): boolean {
  return result === undefined ? plan.isEmpty : result.left.length === 0;
}

function toJson(plan: RepairPlan, result: RepairResult | undefined) {
  return {
    applied: result !== undefined,
    damages: (result ?? plan).damages,
    eventsKept: plan.eventsKept,
    eventsLost: (result ?? plan).eventsLost,
    eventsReadmitted: result?.eventsReadmitted ?? countSequences(plan.readmitted),
    segmentsReleased: plan.held.length,
    quarantineDirs: result?.quarantineDirs ?? plan.quarantineDirs,
    left: result?.left ?? [],
    ok: isOk(plan, result),
  };
}

function linesOf(plan: RepairPlan, result: RepairResult | undefined): string[] {
  const { damages } = result ?? plan;
  const isDone = result !== undefined;
  const lines = damages.flatMap((damage) => [damageText(damage), `  ${damage.action}: ${actions[damage.action]}`]);
  const readmitted = result?.eventsReadmitted ?? countSequences(plan.readmitted);
  if (readmitted > 0) {
    const what = `${countOfNoun(readmitted, 'event')} that had been given up for lost and read well`;
    lines.push(`${what} ${isDone ? 'wait' : 'would wait'} again: ${rangesText(plan.readmitted)}`);
  }
  if (plan.held.length > 0) {
    const what = countOfNoun(plan.held.length, 'segment');
    lines.push(`${what} that damage keeps on the disk ${isDone ? 'may' : 'could'} go once it is drained`);
  }
  if (plan.isEmpty) return [...lines, 'all of it holds: nothing is to be done'];
  const kept = `${countOfNoun(plan.eventsKept, 'event')} that wait are kept`;
  const cost = damages.length === 0 ? '' : `${countOfNoun(damages.length, 'damage')}, ${lossText(damages)}; `;
  const next = damages.some(({ action }) => action === 'mount')
    ? 'mount first, then --apply does the rest'
    : '--apply does it';
  if (!isDone) return [...lines, `${cost}${kept}; nothing was changed: ${next}`];
  for (const directory of result.quarantineDirs) lines.push(`damaged bytes and reports are in ${inert(directory)}`);
  for (const damage of result.left) lines.push(`left: ${damageText(damage)}`);
  const verdict = result.left.length === 0 ? 'repaired' : `${countOfNoun(result.left.length, 'damage')} left`;
  return [...lines, `${cost}${kept}; ${verdict}`];
}
