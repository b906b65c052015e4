/** An agent that is killed now and then, and started again whenever it was. */
import { existsSync, readFileSync } from 'node:fs';
import { AgentProcess } from '../e2e/agent-process.ts';

const pollMs = 150;
const tailBytes = 6000;
const startLimitMs = 60_000;
const runs = 'the source runs';

/** What it runs. */
interface LifeOptions {
  /** Of `buildAgent`. */
  readonly main: string;
  readonly configuration: string;
  readonly logPath: string;
}

/** See the file's comment. */
export class AgentLives {
  readonly #options: LifeOptions;
  #agent: AgentProcess;
  #isKilled = false;
  #kills = 0;
  /** In what all lives said. */
  #beganAt = 0;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#agent = this.#start();
  }

  /** How often it was killed. */
  get kills(): number {
    return this.#kills;
  }

  /** Resolves when it is dead. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#kills += 1;
    await this.#agent.end('SIGKILL');
  }

  /** Resolves once `isTrue`, with an agent that runs. Rejects where it ended by itself, or after `limitMs`. */
  async until(isTrue: () => Promise<boolean>, limitMs: number, what: string): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!(await isTrue())) {
      if (performance.now() > endMs) throw new Error(`not in ${limitMs} ms: ${what}`);
      this.revive();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    this.revive();
  }

  /** The next life after a stop, for so long or until `isTrue`. */
  async goOnFor(ms: number, isTrue: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + ms;
    this.#agent = this.#start();
    await this.#running();
    while (!(await isTrue()) && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }

  /** Starts the next life where the last one was killed. @throws where it ended by itself. */
  revive(): void {
    if (this.#agent.isRunning) return;
    if (!this.#isKilled) throw new Error('the agent ended by itself');
    this.#agent = this.#start();
  }

  /** Ends it as a user does, however often it is killed over that. Rejects where it ended by itself or badly. */
  async stop(): Promise<void> {
    for (;;) {
      this.revive();
      await this.#running();
      const how = await this.#agent.end('SIGTERM');
      if (how === 0) return;
      if (how !== 'SIGKILL' || !this.#isKilled) throw new Error(`the agent ended with ${how}`);
    }
  }

  /** Before that a signal ends it as it ends any program. */
  async #running(): Promise<void> {
    const endMs = performance.now() + startLimitMs;
    const isTold = () => !this.#agent.isRunning || this.#agent.said().slice(this.#beganAt).includes(runs);
    while (!isTold()) {
      if (performance.now() > endMs) throw new Error('the agent does not get started');
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** Whatever becomes of it. */
  async end(): Promise<void> {
    await this.#agent.end('SIGKILL');
  }

  /** The end of what all lives said. */
  log(): string {
    return this.#agent.said().slice(-tailBytes);
  }

  #start(): AgentProcess {
    const { main, configuration, logPath } = this.#options;
    this.#isKilled = false;
    this.#beganAt = existsSync(logPath) ? readFileSync(logPath, 'utf8').length : 0;
    return AgentProcess.start(main, configuration, logPath);
  }
}
