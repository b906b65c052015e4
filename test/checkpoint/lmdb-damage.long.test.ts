/**
 * A thousand cuts and a thousand flips of data.mdb end no process twice. The seed changes from run to run; the
 * line that is printed repeats one: FOREBAY_SEED=… and the same counts.
 */
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { runDamages } from './damage.ts';

test('1,000 cuts and 1,000 flips of data.mdb end no process twice', async (context) => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 32);
  await runDamages(await tempDir(context), { cuts: 1000, flips: 1000 }, seed);
});
