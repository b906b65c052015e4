/**
 * One agent in front of a real HDFS, a process that may be killed and started again: it is fed with spooled files, and
 * judged by what HDFS holds in the end: each line once, and nothing of its own beside them.
 */
import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { lineSetOf } from '../e2e/line-set.ts';
import { tempDir } from '../support/temp-dir.ts';
import { hdfsFiles, hdfsLineSet, hdfsLitter } from './hdfs-lines.ts';

/** Of each line, with its end. */
export const lineBytes = 500;
const deliveredLimitMs = 240_000;
const cleanLimitMs = 60_000;

/** What such an agent is made of. */
export interface CaseOptions {
  /** `webhdfs://127.0.0.1:9870`, without a path. */
  readonly target: string;
  /** In HDFS, its own: `/stops/body`. */
  readonly directory: string;
  /** Lines go to `host-0`, `host-1`, … below it, so many; without, all to itself. */
  readonly hosts?: number;
  /** Keys of the sink, without `hdfs.`; they replace those that all have. */
  readonly sink?: Readonly<Record<string, string | number>>;
  readonly channel?: Readonly<Record<string, string | number>>;
}

/** What is looked at of a line of the log. */
export interface LogLine {
  readonly text: string;
  readonly events?: number;
  readonly eventsNotAcknowledged?: number;
}

/** Files of a thousand lines, and none that stays open. */
const sinkPresets: Readonly<Record<string, string | number>> = {
  fileType: 'DataStream',
  rollInterval: 0,
  rollSize: 0,
  rollCount: 1000,
  idleTimeout: 2,
  inUsePrefix: '.',
  callTimeout: 8000,
};

/** See the file's comment. */
export class AgentCase {
  /** In HDFS. */
  readonly directory: string;
  readonly channelDirectory: string;
  readonly checkpointDirectory: string;
  readonly #main: string;
  readonly #home: string;
  readonly #hosts: number | undefined;
  #agent: AgentProcess | undefined;
  #fed = 0;
  #fedLines = 0;

  private constructor(main: string, home: string, { directory, hosts }: CaseOptions) {
    this.directory = directory;
    this.channelDirectory = join(home, 'data');
    this.checkpointDirectory = join(home, 'checkpoint');
    this.#main = main;
    this.#home = home;
    this.#hosts = hosts;
  }

  /** `main`: of `buildAgent`. Not started yet. */
  static async make(test: TestContext, main: string, options: CaseOptions): Promise<AgentCase> {
    const home = await tempDir(test);
    const made = new AgentCase(main, home, options);
    test.after(() => made.kill());
    for (const name of ['spool', 'staging']) await mkdir(join(home, name));
    await writeFile(join(home, 'agent.properties'), propertiesFor(home, options));
    return made;
  }

  get agent(): AgentProcess {
    assert.ok(this.#agent !== undefined, 'not started');
    return this.#agent;
  }

  get fedLines(): number {
    return this.#fedLines;
  }

  start(): void {
    this.#agent = AgentProcess.start(this.#main, join(this.#home, 'agent.properties'), join(this.#home, 'log'));
  }

  /** One more file to be spooled, of lines that no other has. */
  feed(lines: number): void {
    this.#fed += 1;
    this.#fedLines += lines;
    const [staging, spool] = ['staging', 'spool'].map((name) => join(this.#home, name)) as [string, string];
    const hosts = this.#hosts === undefined ? {} : { hosts: this.#hosts };
    writeAccessLogs(staging, { files: 1, linesPerFile: lines, seed: this.#fed, ...hosts });
    renameSync(join(staging, 'access-0.log'), join(spool, `${this.#fed}.log`));
  }

  async kill(): Promise<void> {
    await this.#agent?.end('SIGKILL');
  }

  /** Lines of the log of all its lives that have this in them. */
  said(words: string | RegExp): readonly LogLine[] {
    const lines = this.agent.said().split('\n');
    const found = lines.filter((line) => (typeof words === 'string' ? line.includes(words) : words.test(line)));
    return found.map((line) => JSON.parse(line) as LogLine);
  }

  isSpooled(): boolean {
    return readdirSync(join(this.#home, 'spool')).every((name) => name.endsWith('.COMPLETED') || name[0] === '.');
  }

  /** Bytes in finished files of these directories; its own where none is said. */
  async deliveredBytes(address: string, directories: readonly string[] = [this.directory]): Promise<number> {
    let bytes = 0;
    for (const directory of directories) {
      for (const [name, length] of await hdfsFiles(address, directory)) if (isFinal(name)) bytes += length;
    }
    return bytes;
  }

  /** Whether a file, finished or not, has exactly so many lines by what HDFS knows. */
  async holds(address: string, lines: number): Promise<boolean> {
    return [...(await hdfsFiles(address, this.directory)).values()].includes(lines * lineBytes);
  }

  /** Resolves when as many bytes are there as were fed, but for those of `lost` lines. */
  async delivered(address: string, directories?: readonly string[], lost = (): number => 0): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const bytes = await this.deliveredBytes(address, directories);
      return this.isSpooled() && bytes >= (this.#fedLines - lost()) * lineBytes;
    };
    await this.agent.until(isThere, deliveredLimitMs, `${this.#fedLines} lines are in ${this.directory}`);
  }

  /**
   * Waits for all lines, stops the agent, and sees that each is there once, and nothing else. A file whose CREATE was
   * held up somewhere may be left to the next start, which takes it away. @returns how many files.
   */
  async finish(address: string, directories: readonly string[] = [this.directory]): Promise<number> {
    await this.delivered(address, directories);
    assert.equal(await this.agent.end('SIGTERM'), 0, this.agent.said().slice(-3000));
    if ((await this.#litter(address, directories)).length > 0) {
      this.start();
      const isClean = async (): Promise<boolean> => (await this.#litter(address, directories)).length === 0;
      await this.agent.until(isClean, cleanLimitMs, 'what was left is gone');
      assert.equal(await this.agent.end('SIGTERM'), 0, this.agent.said().slice(-3000));
    }
    return await this.check(address, directories);
  }

  /** The same of an agent that has ended. */
  async check(address: string, directories: readonly string[] = [this.directory]): Promise<number> {
    assert.deepEqual(
      await this.#litter(address, directories),
      [],
      `${this.directory}: left behind\n${this.agent.said().slice(-5000)}`,
    );
    const { lines, digest, names } = await hdfsLineSet(address, directories);
    assert.deepEqual({ lines, digest }, await this.fedSet(), `${this.directory}\n${this.agent.said()}`);
    return names.length;
  }

  async #litter(address: string, directories: readonly string[]): Promise<readonly string[]> {
    return (await Promise.all(directories.map((directory) => hdfsLitter(address, directory)))).flat();
  }

  /** What it was fed with. */
  fedSet(): ReturnType<typeof lineSetOf> {
    return lineSetOf([join(this.#home, 'spool')], (name) => name.includes('.log'));
  }
}

/** Of a path below a directory: whether the file has its final name. */
export function isFinal(path: string): boolean {
  return !/^[._]/.test(basename(path));
}

/** A time as figures are printed with: `1.5 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function propertiesFor(home: string, { target, directory, hosts, sink = {}, channel = {} }: CaseOptions): string {
  const path = `${target}${directory}${hosts === undefined ? '' : '/%{host}'}`;
  const sinkKeys = Object.entries({ path, ...sinkPresets, ...sink });
  const lines = [
    ...['sources = r1', 'channels = c1', 'sinks = k1'],
    ...['sources.r1.type = spooldir', `sources.r1.spoolDir = ${join(home, 'spool')}`, 'sources.r1.channels = c1'],
    ...(hosts === undefined ? [] : hostKeys),
    'sources.r1.pollDelay = 100',
    ...['channels.c1.type = file', `channels.c1.checkpointDir = ${join(home, 'checkpoint')}`],
    `channels.c1.dataDirs = ${join(home, 'data')}`,
    ...Object.entries(channel).map(([key, value]) => `channels.c1.${key} = ${value}`),
    ...['sinks.k1.type = hdfs', 'sinks.k1.channel = c1'],
    ...sinkKeys.map(([key, value]) => `sinks.k1.hdfs.${key} = ${value}`),
  ];
  return lines.map((line) => `a1.${line}\n`).join('');
}

const hostKeys: readonly string[] = [
  'sources.r1.interceptors = i1',
  'sources.r1.interceptors.i1.type = regex_extractor',
  'sources.r1.interceptors.i1.regex = ^(\\\\S+)',
  'sources.r1.interceptors.i1.serializers = s1',
  'sources.r1.interceptors.i1.serializers.s1.name = host',
];
