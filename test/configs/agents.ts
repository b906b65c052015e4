/** An agent that runs a configuration: as a process of its own, or in this one where that is all the same. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { registry } from '../../src/adapters/registry.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { systemClock } from '../../src/base/clock.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { problemText } from '../../src/config/problems.ts';
import { RecordedLog } from '../agent/recorded-log.ts';
import { root } from '../support/source.ts';

/** A line of an agent's log. */
interface LogLine {
  readonly component: string;
  readonly level: string;
  readonly text: string;
}

/** How to run it. */
export interface AgentOptions {
  readonly name: string;
  /** The configuration, and what is in it: all below `dir`. */
  readonly files: readonly string[];
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** `-Dkey=value`. */
  readonly system: Readonly<Record<string, string>>;
}

/** Where an agent runs, or is going to, and what it said. */
export interface Place {
  readonly dir: string;
  log(): readonly LogLine[];
}

/** One that runs. */
export interface Agent extends Place {
  /** How many events its sinks have taken; undefined where nobody can tell. */
  taken(): number | undefined;
  /** Resolves when it has stopped in order. Idempotent. */
  stop(): Promise<void>;
}

/** What `config check` says of it: `KEY: message`, each warning. Fails on an error. */
export async function warningsOf(options: AgentOptions): Promise<readonly string[]> {
  const { problems, hasErrors } = await load(options);
  assert.ok(!hasErrors, problems.map(problemText).join('\n'));
  return problems.map(({ key, message }) => `${key}: ${message}`);
}

function load({ name, files, environment, system }: AgentOptions) {
  const surroundings = {
    environment: { ...process.env, ...environment },
    system: new Map(Object.entries(system)),
    now: new Date(),
  };
  return loadConfiguration({ files, agent: name, registry, surroundings });
}

/** Runs it here. */
export async function startHere(options: AgentOptions): Promise<Agent> {
  const [plan] = (await load(options)).plans;
  assert.ok(plan !== undefined);
  const log = new RecordedLog();
  const runner = new AgentRunner({ log: (component) => log.of(component), clock: systemClock });
  await runner.start(plan);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => assert.deepEqual(await runner.stop(), [], 'all of it stops');
  return {
    dir: options.dir,
    log: () => log.lines,
    taken: () => runner.stats().counters.reduce((sum, { counts }) => sum + (counts['EventDrainAttemptCount'] ?? 0), 0),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Runs `forebay agent`, as a user does; resolves once it has started. */
export async function startProcess(options: AgentOptions): Promise<Agent> {
  const { name, files, dir, environment, system } = options;
  const logFile = join(dir, 'agent.log');
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), 'agent', '-n', name, '--log-file', logFile];
  for (const file of files) command.push('-f', file);
  for (const [key, value] of Object.entries(system)) command.push(`-D${key}=${value}`);
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'exit');
  const log = (): readonly LogLine[] => readLog(logFile);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null], `${said}\n${JSON.stringify(log())}`);
  };
  const hasStarted = (): boolean => log().some(({ text }) => text === `agent ${name} has started`);
  await until(
    () => hasStarted() || child.exitCode !== null,
    () => said,
  );
  assert.equal(child.exitCode, null, said);
  return {
    dir,
    log,
    taken: () => undefined,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** The last line may still be in the making. */
function readLog(file: string): readonly LogLine[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

const patienceMs = 30_000;
const lookEveryMs = 25;

/** Resolves once `holds`; fails with what `state` says where that takes too long. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  state: () => string | Promise<string>,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endMs) assert.fail(`waited in vain: ${await state()}`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
