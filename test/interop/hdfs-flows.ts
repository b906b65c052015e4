/**
 * Many flows in one agent in front of a real HDFS, each a spool directory, a file channel and an hdfs sink of its own:
 * so that many things that go wrong are tried at once. `config check --connect` on the same configuration.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AgentProcess } from '../e2e/agent-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { hdfsBytes, hdfsFiles } from './hdfs-lines.ts';

/** One flow. */
export interface Flow {
  /** Also of its source, channel and sink. */
  readonly name: string;
  /** Keys of the sink without `hdfs.`; that of `path` is due. */
  sink: Readonly<Record<string, string>>;
  /** More lines of the configuration, without the agent's name. */
  readonly more?: readonly string[];
  readonly lines: readonly string[];
}

/** What `config check --connect --json` prints of problems. */
interface CheckedProblem {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  readonly key: string;
  readonly message: string;
}

/** And in all. */
export interface Checked {
  readonly status: number;
  readonly problems: readonly CheckedProblem[];
  /** By sink. */
  readonly findings: ReadonlyMap<string, readonly string[]>;
}

const limitMs = 120_000;
const checkLimitMs = 90_000;

/** One agent. */
export class FlowAgent {
  readonly #main: string;
  readonly #directory: string;
  readonly #flows: readonly Flow[];
  readonly #environment: Readonly<Record<string, string>>;
  #agent: AgentProcess | undefined;

  private constructor(main: string, directory: string, flows: readonly Flow[], environment: Record<string, string>) {
    this.#main = main;
    this.#directory = directory;
    this.#flows = flows;
    this.#environment = environment;
  }

  /** `main`: of `buildAgent`. Its lines are spooled, and it is not started yet. */
  static async make(
    test: TestContext,
    main: string,
    flows: readonly Flow[],
    environment: Record<string, string> = {},
  ): Promise<FlowAgent> {
    const directory = await tempDir(test);
    const made = new FlowAgent(main, directory, flows, environment);
    test.after(async () => {
      await made.#agent?.end('SIGKILL');
    });
    for (const flow of flows) {
      await mkdir(join(directory, flow.name, 'spool'), { recursive: true });
      // Of an empty file one empty line would be made.
      if (flow.lines.length > 0) await made.feed(flow, 'log', flow.lines);
    }
    await made.configure();
    return made;
  }

  /** One more file in a flow's spool directory. */
  async feed({ name }: Flow, file: string, lines: readonly string[]): Promise<void> {
    const staged = join(this.#directory, name, file);
    await writeFile(staged, lines.map((line) => `${line}\n`).join(''));
    await rename(staged, join(this.#directory, name, 'spool', file));
  }

  /** Writes the configuration anew: a running agent takes it over by itself. */
  async configure(): Promise<void> {
    await writeFile(this.#configuration, propertiesOf(this.#directory, this.#flows));
  }

  start(): void {
    const options = { args: ['-i', '1'], environment: this.#environment };
    this.#agent = AgentProcess.start(this.#main, this.#configuration, join(this.#directory, 'agent.log'), options);
  }

  /** Resolves once a line of the log that is about this flow's sink fits. */
  async untilSaid({ name }: Flow, words: RegExp): Promise<void> {
    const { agent } = this;
    const fits = (): boolean =>
      agent
        .said()
        .split('\n')
        .some((line) => line.includes(`"component":"${name}"`) && words.test(line));
    await agent.until(fits, limitMs, `${name} says ${words}`);
  }

  /** Resolves once all lines of the flow are in finished files below `directory`. Fails where one is there twice. */
  async untilArrived({ name, lines }: Flow, address: string, directory: string): Promise<void> {
    const arrived = async (): Promise<boolean> => (await linesBelow(address, directory)).length >= lines.length;
    await this.agent.until(arrived, limitMs, `the lines of ${name} are below ${directory}`);
    assert.deepEqual(await linesBelow(address, directory), [...lines].sort(), name);
  }

  async stop(): Promise<void> {
    assert.equal(await this.agent.end('SIGTERM'), 0, this.agent.said().slice(-3000));
  }

  get agent(): AgentProcess {
    assert.ok(this.#agent !== undefined, 'not started');
    return this.#agent;
  }

  /** `config check --connect` on it. */
  async check(): Promise<Checked> {
    const args = [this.#main, 'config', 'check', '--connect', '--json', '-n', 'a1', '-f', this.#configuration];
    const { status, stdout } = await new Promise<{ status: number; stdout: string }>((resolve) => {
      const env = { ...process.env, ...this.#environment };
      execFile(process.execPath, args, { env, timeout: checkLimitMs }, (error, out) => {
        resolve({ status: error === null ? 0 : Number(error.code), stdout: out });
      });
    });
    const { problems, connections } = JSON.parse(stdout);
    const found = connections.map(({ sink, findings }: { sink: string; findings: string[] }) => [sink, findings]);
    return { status, problems, findings: new Map<string, readonly string[]>(found) };
  }

  get #configuration(): string {
    return join(this.#directory, 'agent.properties');
  }
}

/** All lines of finished files, sorted. */
export async function linesBelow(address: string, directory: string): Promise<readonly string[]> {
  const names = [...(await hdfsFiles(address, directory)).keys()].filter((name) => !/(?:^|\/)[._][^/]*$/.test(name));
  const texts = await Promise.all(names.map((name) => hdfsBytes(address, `${directory}/${name}`)));
  return texts.flatMap((bytes) => bytes.toString().split('\n').slice(0, -1)).sort();
}

function propertiesOf(directory: string, flows: readonly Flow[]): string {
  const names = flows.map(({ name }) => name).join(' ');
  const rolls = { inUsePrefix: '.', fileType: 'DataStream', rollInterval: '1', rollSize: '0', rollCount: '0' };
  const lines = flows.flatMap(({ name, sink, more = [] }) => {
    const own = join(directory, name);
    return [
      ...[`sources.${name}.type = spooldir`, `sources.${name}.spoolDir = ${own}/spool`],
      ...[`sources.${name}.channels = ${name}`, `sources.${name}.pollDelay = 100`],
      ...[`channels.${name}.type = file`, `channels.${name}.checkpointDir = ${own}/checkpoint`],
      `channels.${name}.dataDirs = ${own}/data`,
      ...[`sinks.${name}.type = hdfs`, `sinks.${name}.channel = ${name}`],
      ...Object.entries({ ...rolls, ...sink }).map(([key, value]) => `sinks.${name}.hdfs.${key} = ${value}`),
      ...more,
    ];
  });
  const lists = [`sources = ${names}`, `channels = ${names}`, `sinks = ${names}`];
  return [...lists, ...lines].map((line) => `a1.${line}\n`).join('');
}
