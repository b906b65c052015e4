/** Runs this same program again in a process of its own. */
import { type ChildProgram, startNode } from '../src/bench/child-program.ts';

/** Its first argument in the child. */
export const childArgument = 'child';

/** Starts the program of this process with `child` and `args`; its stderr goes where this process' goes. */
export function startChild(args: readonly string[]): ChildProgram {
  const [, program = ''] = process.argv;
  return startNode([program, childArgument, ...args]);
}
