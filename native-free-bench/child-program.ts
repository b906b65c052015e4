/** Runs this same program again in a process of its own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ChildProgram } from './context.ts';

/** Its first argument in the child. */
export const childArgument = 'child';

/** Starts the program of this process with `child` and `args`; its stderr goes where this process' goes. */
export function startChild(args: readonly string[]): ChildProgram {
  const [, program = ''] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, program, childArgument, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the child said nothing: ${(await exited) ?? 'it ended'}`);
      return next.value;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    ended: async () => {
      const why = await exited;
      if (why !== undefined) throw new Error(`a child ${why}`);
    },
  };
}
