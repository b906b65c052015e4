/** A file system whose calls go wrong: one is the process's last, or its answer is lost, or it is refused. */
import { setTimeout } from 'node:timers/promises';
import type { FileStream, FileSystem } from '../../../../src/adapters/sinks/hdfs/file-system.ts';

/**
 * `before`, `after`: the process dies right before or after the call, so that no later one is ever made. `lost`: the
 * call is done and rejects. `refused`: it rejects and is not done.
 */
export type Fault = 'before' | 'after' | 'lost' | 'refused';

/** What goes wrong with the call of this number, from 0. */
type FaultAt = (call: number) => Fault | undefined;

/** Wraps another one. */
export class FaultyFileSystem implements FileSystem {
  readonly prefix: string;
  /** The names of the calls so far. */
  readonly calls: string[] = [];
  readonly died: Promise<void>;
  isDead = false;
  inFlight = 0;
  readonly #inner: FileSystem;
  readonly #faultAt: FaultAt;
  readonly #streams = new Set<FileStream>();
  #die: () => void = () => undefined;

  constructor(inner: FileSystem, faultAt: FaultAt = () => undefined) {
    this.prefix = inner.prefix;
    this.#inner = inner;
    this.#faultAt = faultAt;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  async create(path: string): Promise<FileStream | undefined> {
    const stream = await this.#call('create', async () => this.#opened(await this.#inner.create(path)));
    return stream === undefined ? undefined : this.#wrap(stream);
  }

  async append(path: string): Promise<FileStream> {
    return this.#wrap(await this.#call('append', async () => this.#opened(await this.#inner.append(path))));
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

  #wrap(stream: FileStream): FileStream {
    return {
      write: (bytes) => this.#call('write', () => stream.write(bytes)),
      end: () => this.#call('end', () => stream.end()),
      abort: () => stream.abort(),
    };
  }

  async #call<Answer>(name: string, call: () => Promise<Answer>): Promise<Answer> {
    if (this.isDead) return await new Promise<never>(() => undefined);
    const fault = this.#faultAt(this.calls.push(name) - 1);
    if (fault === 'refused') throw new Error(`${name} was refused by the test`);
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
