/** A file system whose calls go wrong: one is the process's last, its answer is lost, it is refused, or done late. */
import { setTimeout } from 'node:timers/promises';
import type { FileStream, FileSystem } from '../../../../src/adapters/sinks/hdfs/file-system.ts';

/**
 * `before`, `after`: the process dies right before or after the call, so that no later one is ever made. `lost`: the
 * call is done and rejects. `refused`: it rejects and is not done. `late`: it rejects, and is done so many calls later,
 * maybe in another life; what was to be written then comes to whatever file has that name.
 */
export type Fault = 'before' | 'after' | 'lost' | 'refused' | { readonly lateByCalls: number };

/** What goes wrong with the call of this number, from 0. */
type FaultAt = (call: number) => Fault | undefined;

interface Held {
  /** Of the call. */
  readonly name: string;
  readonly atCall: number;
  readonly job: () => Promise<unknown>;
}

/** What a file system that is far away has under way, for all lives of one test. */
export class FarSide {
  /** For how long it may be late; nothing here looks at a clock. */
  readonly lateMs: number;
  #calls = 0;
  #held: Held[] = [];

  constructor(lateMs: number) {
    this.lateMs = lateMs;
  }

  hold(name: string, byCalls: number, job: () => Promise<unknown>): void {
    this.#held.push({ name, atCall: this.#calls + byCalls, job });
  }

  /** Another call has come: what is due is done before it. */
  async pass(): Promise<void> {
    this.#calls += 1;
    if (this.#held.length > 0) await this.#doWhere(({ atCall }) => atCall <= this.#calls);
  }

  /** Does all calls of this name that were held up, or all calls. */
  async release(name?: string): Promise<void> {
    await this.#doWhere((held) => name === undefined || held.name === name);
  }

  async #doWhere(isDue: (held: Held) => boolean): Promise<void> {
    const due = this.#held.filter(isDue);
    this.#held = this.#held.filter((one) => !due.includes(one));
    for (const { job } of due) await job().catch(() => undefined);
  }
}

/** Wraps another one. */
export class FaultyFileSystem implements FileSystem {
  readonly prefix: string;
  readonly lateMs: number;
  /** The names of the calls so far. */
  readonly calls: string[] = [];
  readonly died: Promise<void>;
  isDead = false;
  inFlight = 0;
  readonly #inner: FileSystem;
  readonly #faultAt: FaultAt;
  readonly #far: FarSide;
  readonly #streams = new Set<FileStream>();
  #die: () => void = () => undefined;

  constructor(inner: FileSystem, faultAt: FaultAt = () => undefined, far: FarSide = new FarSide(inner.lateMs)) {
    this.prefix = inner.prefix;
    this.lateMs = far.lateMs;
    this.#inner = inner;
    this.#faultAt = faultAt;
    this.#far = far;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  async create(path: string): Promise<FileStream | undefined> {
    const late = async (): Promise<void> => {
      const stream = await this.#inner.create(path);
      await stream?.write(Buffer.from('late'));
      await stream?.end();
    };
    const stream = await this.#call('create', async () => this.#opened(await this.#inner.create(path)), late);
    return stream === undefined ? undefined : this.#wrap(stream, path);
  }

  async append(path: string): Promise<FileStream> {
    const open = async (): Promise<FileStream> => this.#opened(await this.#inner.append(path));
    return this.#wrap(await this.#call('append', open, () => this.#writeLate(path)), path);
  }

  truncate(path: string, lengthBytes: number): Promise<boolean> {
    return this.#call('truncate', () => this.#inner.truncate(path, lengthBytes));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => this.#inner.rename(from, to));
  }

  status(path: string): ReturnType<FileSystem['status']> {
    return this.#call('status', () => this.#inner.status(path));
  }

  delete(path: string): Promise<boolean> {
    return this.#call('delete', () => this.#inner.delete(path));
  }

  makeDirectories(path: string): Promise<void> {
    return this.#call('makeDirectories', () => this.#inner.makeDirectories(path));
  }

  async proveActive(directory: string): Promise<void> {
    // On local files there is nothing to ask.
    if (this.lateMs > 0) await this.#call('proveActive', () => this.#inner.proveActive(directory));
  }

  leastReplicas(path: string): Promise<number> {
    return this.#inner.leastReplicas(path);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** What the system does for a process that died. */
  async release(): Promise<void> {
    while (this.inFlight > 0) await setTimeout(1);
    await Promise.all([...this.#streams].map((stream) => stream.abort()));
  }

  #opened<Stream extends FileStream | undefined>(stream: Stream): Stream {
    if (stream !== undefined) this.#streams.add(stream);
    return stream;
  }

  #wrap(stream: FileStream, path: string): FileStream {
    const late = (): Promise<void> => this.#writeLate(path);
    return {
      write: (bytes) => this.#call('write', () => stream.write(bytes), late),
      end: () => this.#call('end', () => stream.end(), late),
      abort: () => stream.abort(),
    };
  }

  async #writeLate(path: string): Promise<void> {
    const stream = await this.#inner.append(path);
    await stream.write(Buffer.from('late\n'));
    await stream.end();
  }

  async #call<Answer>(name: string, call: () => Promise<Answer>, late: () => Promise<unknown> = call): Promise<Answer> {
    if (this.isDead) return await new Promise<never>(() => undefined);
    const fault = this.#faultAt(this.calls.push(name) - 1);
    this.inFlight += 1;
    try {
      await this.#far.pass();
    } finally {
      this.inFlight -= 1;
    }
    if (fault === 'refused') throw new Error(`${name} was refused by the test`);
    if (typeof fault === 'object') {
      this.#far.hold(name, fault.lateByCalls, late);
      throw new Error(`${name} was held up by the test`);
    }
    if (fault === 'before') return await this.#end();
    this.inFlight += 1;
    const answer = await call().finally(() => {
      this.inFlight -= 1;
    });
    if (fault === 'after') return await this.#end();
    if (fault === 'lost') throw new Error(`the answer to ${name} was lost by the test`);
    return this.isDead ? await new Promise<never>(() => undefined) : answer;
  }

  #end(): Promise<never> {
    this.isDead = true;
    this.#die();
    return new Promise<never>(() => undefined);
  }
}
