/** A node of Hadoop as a process of its own: started, asked, paused, killed, and started again on what it kept. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What HadoopNode.java can be. */
export type NodeRole = 'namenode' | 'datanode' | 'journalnode' | 'httpfs' | 'format';

const startLimitMs = 60_000;
const logBytesMax = 200_000;
const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m', '-Djava.net.preferIPv4Stack=true'];
/** HttpFS needs the first. */
const opens = ['--add-opens', 'java.base/java.lang=ALL-UNNAMED'];

/** Where a node is and what it is made of. */
export interface NodeOptions {
  readonly role: NodeRole;
  readonly classPath: string;
  /** Holds its core-site.xml and hdfs-site.xml. */
  readonly configuration: string;
  /** Java's `-D`. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** One node. */
export class HadoopNode {
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #log = '';
  readonly #answers: ((line: string) => void)[] = [];

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** Resolves when it says that it is ready, `format` when it has ended. Its ports and directories are kept. */
  async start(): Promise<void> {
    assert.equal(this.#child, undefined, 'runs already');
    const { role, classPath, configuration, properties = {} } = this.#options;
    const defined = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
    const args = [...java, ...opens, ...defined, '-cp', `${configuration}:${classPath}`, 'HadoopNode', role];
    const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#ended = once(child, 'exit');
    // A killed one is written to: that is no news.
    child.stdin?.on('error', () => undefined);
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-logBytesMax);
    });
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => this.#answers.shift()?.(line));
    const ready = role === 'format' ? this.#ended : this.#nextLine();
    const late = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
    await Promise.race([ready, this.#ended]);
    clearTimeout(late);
    const isFine = role === 'format' ? child.exitCode === 0 : child.exitCode === null && child.signalCode === null;
    assert.ok(isFine, `${role} did not start:\n${this.#log.slice(-5000)}`);
    if (role === 'format') this.#child = undefined;
  }

  /** One command of HadoopNode.java. @returns what it answers. Rejects where it fails, or is killed meanwhile. */
  async tell(...words: readonly string[]): Promise<string> {
    const answer = this.#nextLine();
    this.#child?.stdin?.write(`${words.join('\t')}\n`);
    const line = await Promise.race([answer, this.#ended.then(() => 'failed: the node has ended')]);
    if (!line.startsWith('ok ')) throw new Error(`${this.#options.role}, ${words.join(' ')}: ${line}`);
    return line.slice('ok '.length);
  }

  /** With SIGKILL. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    this.#child = undefined;
    this.#answers.length = 0;
  }

  /** With SIGSTOP: its sockets stay open, and nobody answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it said on its standard error. */
  log(): string {
    return this.#log;
  }

  #nextLine(): Promise<string> {
    return new Promise((resolve) => this.#answers.push(resolve));
  }
}
