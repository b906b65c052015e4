/** A program in a process of its own that says what it found, one line at a time: for memory, and to be killed. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that was started. */
export interface ChildProgram {
  /** The next line of its stdout; rejects where it ends without one. */
  line(): Promise<string>;
  /** Ends it as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself; rejects where that was no success. */
  ended(): Promise<void>;
}

/** Starts Node with `args`, with the options this process was started with; its stderr goes where ours goes. */
export function startNode(args: readonly string[]): ChildProgram {
  const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  // It is not to outlive this process, however this one ends by itself.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
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
      kill();
      await exited;
    },
    ended: async () => {
      const why = await exited;
      if (why !== undefined) throw new Error(`a child ${why}`);
    },
  };
}
