/** Random damages, each found, planned, repaired and measured: a sample of what random-damage.long.test.ts does. */
import test from 'node:test';
import { runTrials } from './trials.ts';

test('random damages: found, repaired, and the loss reported is the loss measured', { timeout: 60_000 }, async () => {
  await runTrials(Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000), 60, 4);
});
