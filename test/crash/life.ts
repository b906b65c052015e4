/** A life in a child process, seen from its parent: started ahead of its time, ordered, read, killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LifeOrder, Line } from './report.ts';

const program: string = fileURLToPath(new URL('./workload.ts', import.meta.url));

/** A child. Its lines go to `onLine` as they come, all of them before `dead` resolves. */
export class ChildLife {
  onLine: (line: Line) => void = () => undefined;
  /** Resolves when the child is gone and its last line was read. */
  readonly dead: Promise<void>;
  readonly #child: ChildProcess;
  #rest = '';

  constructor() {
    this.#child = spawn(process.execPath, ['--import', 'tsx', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A group of its own: the process that probes the checkpoint is stopped and killed with it.
      detached: true,
    });
    this.dead = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stdin?.on('error', () => undefined);
  }

  start(order: LifeOrder): void {
    this.#child.stdin?.end(`${JSON.stringify(order)}\n`);
  }

  signal(name: 'SIGKILL' | 'SIGSTOP'): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // It is gone already.
    }
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.onLine(JSON.parse(line) as Line);
  }
}
