/**
 * Runs in a copy of the tree whose src/ holds a deliberate bug: simulates until one of the named checkers notices it.
 *
 *     tsx test/simulator/mutant-run.ts CHECKER,… WORKLOAD,…
 */
import { simulate } from './simulate.ts';
import { sweep } from './sweep.ts';

/** Beyond this the bug counts as not noticed. */
const runsMax = 6000;

/** How the one line of output reads. */
export interface MutantFound {
  readonly checker: string;
  readonly seed: string;
  readonly text: string;
  readonly runs: number;
}

async function find(checkers: readonly string[], workloads: readonly string[]): Promise<MutantFound | undefined> {
  let runs = 0;
  for (const variant of [3, 2, 1, 0, 5, 4, 7, 6]) {
    for (const workload of workloads) {
      for await (const { seed, violations } of sweep(workload, [variant])) {
        runs += 1;
        const found = violations.find(({ checker }) => checkers.includes(checker));
        if (found !== undefined) return { checker: found.checker, seed, text: found.text, runs };
        if (runs >= runsMax) return undefined;
      }
    }
  }
  return undefined;
}

// What a bug leaves dangling is not what is looked for.
process.on('unhandledRejection', () => undefined);
const [checkers = '', workloads = ''] = process.argv.slice(2);
// In an engine with a bug even the first run may throw.
await simulate('singles-0-after-0').catch(() => undefined);
const found = await find(checkers.split(','), workloads.split(','));
console.log(JSON.stringify(found ?? null));
process.exit(0);
