/** Agents that are brought to a chosen point of a file's life, and stay there until something is done to HDFS. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HadoopCluster } from './hadoop-cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { AgentCase, type CaseOptions, isFinal, lineBytes } from './hdfs-case.ts';
import { hdfsFiles } from './hdfs-lines.ts';

/** Of the HDFS that this is for: `dfs.blocksize`. Of an open file all blocks before the last show in its length. */
export const blockBytes: number = 1024 * 1024;
/** More than two blocks. */
const manyLines = 6000;
/** Of one file that is full. */
const fewLines = 1000;
/** Files that stay open as long as something comes now and then, and then longer than HttpFS bears it (6 s here). */
const openLong = { rollCount: 0, idleTimeout: 15 };
const feedEveryMs = 1000;
const pointLimitMs = 90_000;

/** An agent at its point. */
export interface Held {
  readonly agent: AgentCase;
  /** Of the file that is begun and not finished, whether it still is so. */
  isHeld(): Promise<boolean>;
  /** Lets go of the request that is held, or of a file that is held open by what comes. */
  readonly letGo: () => void;
}

/** Makes them. */
export class Holder {
  readonly #test: TestContext;
  readonly #main: string;
  /** `127.0.0.1:9870`. */
  readonly address: string;

  constructor(test: TestContext, main: string, { webAddresses }: HadoopCluster) {
    this.#test = test;
    this.#main = main;
    this.address = webAddresses[0] ?? '';
  }

  async start(options: Omit<CaseOptions, 'target'> & { readonly target?: string }): Promise<AgentCase> {
    const agent = await AgentCase.make(this.#test, this.#main, { target: `webhdfs://${this.address}`, ...options });
    agent.start();
    return agent;
  }

  /** In the middle of the first file's body: a block of it is there. `target`: another way than the NameNode. */
  async inBody(directory: string, sink: CaseOptions['sink'] = {}, target?: string): Promise<Held> {
    const way = target === undefined ? {} : { target };
    const agent = await this.start({ directory, sink: { ...openLong, ...sink }, ...way });
    agent.feed(manyLines);
    await this.#reaches(agent, blockBytes);
    return this.#held(agent);
  }

  /** In the middle of what a file is gone on with, behind what is acknowledged of it. */
  async inAppend(directory: string): Promise<Held> {
    const agent = await this.start({ directory, sink: { ...openLong, maxPinnedAge: 1 } });
    agent.feed(fewLines);
    const safeBytes = fewLines * lineBytes;
    await this.#reaches(agent, safeBytes);
    agent.feed(manyLines);
    await this.#reaches(agent, safeBytes + blockBytes);
    return this.#held(agent);
  }

  /** At the first request of a kind: before it gets there, when it was answered, or the same and the answer is lost. */
  async at(directory: string, kind: string, where: 'before' | 'answered' | 'unanswered'): Promise<Held> {
    const proxy = await startFaultProxy(this.#test, this.address);
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isThere = false;
    const pass = async (): Promise<void> => {
      isThere = true;
      await gate;
    };
    if (where === 'before') proxy.spoil(kind, 1, { before: pass });
    else proxy.spoil(kind, 1, where === 'answered' ? { after: pass } : { after: pass, cut: 'answer' });
    const agent = await this.start({ directory, target: targetOf(proxy) });
    agent.feed(fewLines);
    await agent.agent.until(() => isThere, pointLimitMs, `${directory}: ${kind}`);
    return { agent, isHeld: async () => true, letGo };
  }

  async #reaches(agent: AgentCase, bytes: number): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      return [...(await hdfsFiles(this.address, agent.directory)).values()].some((length) => length >= bytes);
    };
    await agent.agent.until(isThere, pointLimitMs, `${bytes} bytes in ${agent.directory}`);
  }

  #held(agent: AgentCase): Held {
    const feeding = setInterval(() => agent.feed(1), feedEveryMs);
    const letGo = (): void => clearInterval(feeding);
    this.#test.after(letGo);
    const isHeld = async (): Promise<boolean> => {
      const files = [...(await hdfsFiles(this.address, agent.directory))];
      return !files.some(([name]) => isFinal(name)) && files.some(([, length]) => length >= blockBytes);
    };
    return { agent, isHeld, letGo };
  }
}

/** For `hdfs.path`: an HDFS through a proxy. */
export function targetOf({ address }: FaultProxy): string {
  return address.replace('http:', 'webhdfs:');
}

/** Resolves when all are at their points at once. */
export async function areHeld(held: Readonly<Record<string, Held>>): Promise<void> {
  const all = Object.values(held);
  const areAll = async (): Promise<boolean> => (await Promise.all(all.map(({ isHeld }) => isHeld()))).every(Boolean);
  const endMs = performance.now() + pointLimitMs;
  while (!(await areAll())) assert.ok(performance.now() < endMs, 'one is past its point');
}
