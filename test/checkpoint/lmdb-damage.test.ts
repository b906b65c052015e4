/** A sample of what lmdb-damage.long.test.ts does: damage to data.mdb ends no process twice. */
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { runDamages } from './damage.ts';

test('a sample of cuts and flips of data.mdb ends no process twice', async (context) => {
  await runDamages(await tempDir(context), { cuts: 30, flips: 30 }, 20_261_122);
});
