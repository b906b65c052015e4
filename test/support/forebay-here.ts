/**
 * A command line of `forebay` run in this process: a process of its own takes half a second. What it prints is kept
 * from the test's own output by the asynchronous context it runs in.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '../../src/base/clock.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';

/** How it ended, and what it printed. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Printed {
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
}

const running = new AsyncLocalStorage<Printed>();

/** What a run writes goes to it, what anybody else writes where it always went. */
function divert(name: 'stdout' | 'stderr'): void {
  const stream = process[name];
  const write = stream.write.bind(stream);
  const diverted = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const printed = running.getStore();
    if (printed === undefined) return Reflect.apply(write, stream, [chunk, ...rest]);
    printed[name].push(Buffer.from(chunk as Uint8Array));
    return true;
  };
  stream.write = diverted;
}

divert('stdout');
divert('stderr');

/** Runs `forebay ARGS`. */
export async function forebay(...args: string[]): Promise<Ran> {
  return await runInto({ stdout: [], stderr: [] }, args);
}

async function runInto(printed: Printed, args: readonly string[]): Promise<Ran> {
  const status = await running.run(printed, () => runCommandLine(args));
  const text = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString();
  return { status, stdout: text(printed.stdout), stderr: text(printed.stderr) };
}

const pollMs = 20;

/** Runs `forebay ARGS`, which does not end by itself: Ctrl-C comes once it has printed so many lines to stdout. */
export async function forebayInterrupted(lines: number, ...args: string[]): Promise<Ran> {
  const printed: Printed = { stdout: [], stderr: [] };
  const others = process.listeners('SIGINT');
  const isEnough = (): boolean => Buffer.concat(printed.stdout).toString().split('\n').length > lines;
  const timer = setInterval(() => {
    if (!isEnough()) return;
    clearInterval(timer);
    // The command's own listeners only: the test runner has some too.
    for (const listener of process.listeners('SIGINT')) if (!others.includes(listener)) listener('SIGINT');
  }, pollMs);
  try {
    return await runInto(printed, args);
  } finally {
    clearInterval(timer);
  }
}

/** `forebay` where the wall clock stands at `wallMs`. Not beside anything that needs the time. */
export async function forebayAt(wallMs: number, ...args: string[]): Promise<Ran> {
  const { wallMs: real } = systemClock;
  systemClock.wallMs = () => wallMs;
  try {
    return await forebay(...args);
  } finally {
    systemClock.wallMs = real;
  }
}
