/**
 * An owner's lock without a native add-on, for the benchmarks: the `flock` program locks our descriptor. The
 * lock belongs to the open file, which the program shares for a moment, so it stays with this process after
 * the program's end and goes with this process, however it ends. It does not exclude the engine's own lock
 * (flock and fcntl locks do not see each other): for directories of a benchmark's own.
 */
import { spawn } from 'node:child_process';
import type { TryLock } from '../src/base/lock-native.ts';

/** What the program answers, through -E, where another holds the lock. */
const heldExitCode = 75;

/** For `nodeDisk({ tryLock: flockProgramLock })`. Rejects where there is no `flock` program (util-linux). */
export const flockProgramLock: TryLock = (descriptor, path) =>
  new Promise((resolve, reject) => {
    const program = spawn('flock', ['-x', '-n', '-E', String(heldExitCode), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
    });
    program.once('error', reject);
    program.once('exit', (code) => {
      if (code === 0) resolve(true);
      else if (code === heldExitCode) resolve(false);
      else reject(new Error(`flock ended with ${code} on ${path}`));
    });
  });
