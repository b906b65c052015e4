/**
 * `npm run bench`: the engine without any native add-on. On a real disk (--disk DIR) the lock is the flock program's
 * and the checkpoint lives in memory; tools/bench-with-lmdb.ts measures with the real ones.
 */
import { nativeAddons } from './guard.ts';

const { nodeDisk } = await import('../src/base/disk-node.ts');
const { flockProgramLock } = await import('./flock-lock.ts');
const { runProgram } = await import('./program.ts');

const disk = nodeDisk({ tryLock: flockProgramLock });
const environment = { name: 'real disk, no native add-on', disk, options: { checkpoint: 'memory' } } as const;
process.exitCode = await runProgram(environment, process.argv.slice(2));

const addons = nativeAddons();
console.error(`native add-ons: ${addons.length}`);
if (addons.length > 0) {
  console.error(addons.join('\n'));
  process.exitCode = 1;
}
