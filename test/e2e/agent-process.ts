/** `forebay agent` as users run it: built, a process of its own, and what it took. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../support/source.ts';

/** Builds the package beside its own node_modules, so that it finds them. Removed when the test has ended. */
export async function buildAgent(test: { after(call: () => Promise<void>): void }): Promise<string> {
  const parent = join(root, '.bench-data');
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, 'agent-'));
  test.after(() => rm(directory, { recursive: true, force: true }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(root, 'tools/tsconfig.build.json'), '--outDir', join(directory, 'dist')];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed: ${stdout}`);
  // Where the package is looked for from the command.
  await copyFile(join(root, 'package.json'), join(directory, 'package.json'));
  return join(directory, 'dist/cli/main.js');
}

/** What a process has used so far. */
export interface ProcessUsage {
  /** With those of its children that have ended. */
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
}

/** Beside its configuration. */
export interface AgentOptions {
  readonly args?: readonly string[];
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One life of an agent. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #logPath: string;

  private constructor(child: ChildProcess, logPath: string) {
    this.#child = child;
    this.#logPath = logPath;
  }

  /** Starts agent `a1` of the configuration; what it says goes to the end of `logPath`. */
  static start(main: string, configuration: string, logPath: string, options: AgentOptions = {}): AgentProcess {
    const { args = [], environment = {} } = options;
    const all = [main, 'agent', '-n', 'a1', '-f', configuration, ...args];
    return AgentProcess.startProgram(process.execPath, all, logPath, environment);
  }

  /** The same of another program: what is compared with an agent. `environment` beside this process's own. */
  static startProgram(
    command: string,
    args: readonly string[],
    logPath: string,
    environment: Readonly<Record<string, string>> = {},
  ): AgentProcess {
    const log = openSync(logPath, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...environment } });
    closeSync(log);
    return new AgentProcess(child, logPath);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** All that agents with this log have said. */
  said(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  usage(): ProcessUsage {
    const { pid } = this.#child;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // Behind the name: utime, stime and those of children are the 12th to the 15th, in hundredths of a second.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { cpuSeconds: ticks / 100, peakRssMiB: Number(peak) / 1024 };
  }

  /** Resolves once `isTrue`; rejects where the agent ends before, or after `limitMs`. */
  async until(isTrue: () => boolean | Promise<boolean>, limitMs: number, what: string): Promise<void> {
    const limit = Date.now() + limitMs;
    while (!(await isTrue())) {
      if (!this.isRunning) throw new Error(`the agent ended before ${what}:\n${this.said().slice(-3000)}`);
      if (Date.now() > limit) throw new Error(`not in ${limitMs} ms: ${what}\n${this.said().slice(-3000)}`);
      await sleep(50);
    }
  }

  /** Sends a signal and resolves to how it ended: an exit code, or the signal's name. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
    if (this.isRunning) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    return this.#child.exitCode ?? String(this.#child.signalCode);
  }
}
