/** Every bit and every length of a log of about 4 KiB of events, every used bit of a log of three segments. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DamageKind, logPlans } from './units.ts';

const run = promisify(execFile);
const worker: string = fileURLToPath(new URL('./damage-worker.ts', import.meta.url));
const processes = 2;

const jobs: readonly (readonly [keyof typeof logPlans, DamageKind])[] = [
  ['single', 'flips'],
  ['single', 'cuts'],
  ['single', 'pages'],
  ['chain', 'usedFlips'],
  ['chain', 'several'],
  ['chain', 'cuts'],
  ['chain', 'pages'],
  ['deflate', 'cuts'],
  ['encrypted', 'cuts'],
];

const tried: Record<DamageKind, number> = { flips: 0, usedFlips: 0, several: 0, cuts: 0, pages: 0 };

for (const [plan, kind] of jobs) {
  test(`all ${kind} of the ${plan} log`, { timeout: 1_800_000 }, async () => {
    const parts = Array.from({ length: processes }, (_, part) => part);
    const answers = await Promise.all(
      parts.map(async (part) => {
        const args = ['--import', 'tsx', worker, plan, kind, String(part), String(processes)];
        const { stdout } = await run(process.execPath, args);
        return JSON.parse(stdout) as { readonly tried: number; readonly failures: readonly string[] };
      }),
    );
    for (const answer of answers) tried[kind] += answer.tried;
    assert.deepEqual(
      answers.flatMap(({ failures }) => failures),
      [],
    );
  });
}

test('the count of damages tried', () => {
  const flips = tried.flips + tried.usedFlips;
  const { several, cuts, pages } = tried;
  console.log(`shows: damage: ${flips} flips, ${several} times several at once, ${cuts} cuts, ${pages} pages (all)`);
  assert.ok(flips > 300_000 && cuts > 40_000);
});
