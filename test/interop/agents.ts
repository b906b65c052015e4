/** The two agents that are compared, as processes: Apache Flume's own, and ours. Both run one configuration file. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root } from '../support/source.ts';
import { agentsZone } from './flume-case.ts';

/** The folder that `buildJava` makes Flume's class path of. */
export const flumeFolder: URL = new URL('flume-agent/', import.meta.url);

const surroundings = { ...process.env, TZ: agentsZone, LC_ALL: 'C.UTF-8', HADOOP_USER_NAME: 'forebay' };
const stopLimitMs = 45_000;
const pollMs = 25;
/** Flume goes on without a component that it could not make. */
const dropped = /Could not configure|has been removed due to an error/;

/** A running agent. */
export interface Agent {
  readonly name: 'flume' | 'forebay';
  /** What it has said so far: messages by themselves, each of one line or several. */
  messages(): string[];
  /** All that it has said, for whoever looks for why. */
  log(): string;
  readonly hasEnded: boolean;
  /** With SIGTERM, and its exit status. */
  stop(): Promise<number | null>;
  /** With SIGKILL. */
  kill(): Promise<void>;
}

/** Of `java`, before the class that is run: what Flume logs goes to stderr. */
export function flumeFlags(classPath: string): string[] {
  const log4j = join(fileURLToPath(flumeFolder), 'log4j2.xml');
  const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m', '-Duser.language=en', '-Duser.country=US'];
  return [...java, '-Dfile.encoding=UTF-8', `-Dlog4j2.configurationFile=${log4j}`, '-cp', classPath];
}

/** Starts agent `a1` of `file`. Ended with `test` at the latest. */
export function startFlume(test: TestContext, classPath: string, file: string): Agent {
  const application = ['org.apache.flume.node.Application', '-n', 'a1', '-f', file, '--no-reload-conf'];
  return run(test, 'flume', 'java', [...flumeFlags(classPath), ...application]);
}

/** As `startFlume`. */
export function startForebay(test: TestContext, file: string): Agent {
  const args = ['--import=tsx', join(root, 'src/cli/main.ts'), 'agent', '-n', 'a1', '-f', file, '--no-reload-conf'];
  return run(test, 'forebay', process.execPath, args);
}

function run(test: TestContext, name: Agent['name'], command: string, args: readonly string[]): Agent {
  const child = spawn(command, args, { cwd: root, env: surroundings, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit').then(([code]: unknown[]) => code as number | null);
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
  const log = (): string => Buffer.concat(said).toString();
  test.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    name,
    log,
    messages: () => messagesIn(log()),
    get hasEnded() {
      return hasEnded(child);
    },
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      const status = await ended;
      clearTimeout(late);
      assert.notEqual(child.signalCode, 'SIGKILL', `${name} did not stop:\n${log().slice(-3000)}`);
      return status;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function messagesIn(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [String((JSON.parse(line) as { text?: unknown }).text)];
    } catch {
      return [];
    }
  });
}

/** Waits until something holds while `agent` runs. Fails with what `what` says, and the end of the agent's log. */
export async function until(agent: Agent, limitMs: number, holds: () => boolean, what: () => string): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!holds()) {
    if (agent.hasEnded || dropped.test(agent.log()) || performance.now() > endMs) {
      const end = agent.hasEnded ? 'ended' : `was given ${limitMs} ms at most`;
      assert.fail(`${agent.name} ${end}: ${what()}\n${complaints(agent)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** What of the log is not only information, nor about the configuration. */
function complaints(agent: Agent): string {
  const lines = agent.log().split('\n');
  const telling = lines.filter((line) => !/"level":"info"|"component":"agent"|: warning: /i.test(line.slice(0, 200)));
  return telling.join('\n').slice(-6000);
}
