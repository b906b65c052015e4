/** The two agents that are compared, and the directory in which they take turns. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AgentProcess, buildAgent } from '../../test/e2e/agent-process.ts';
import { root } from '../../test/support/source.ts';
import { mavenClassPath } from '../jvm/build.ts';
import type { RunPlaces } from './configurations.ts';

/** Who ran. */
export type Side = 'forebay' | 'flume';

/** Both, ready to be started. */
export interface Agents {
  /** The compiled command. */
  readonly main: string;
  /** Of the JVM. */
  readonly classPath: string;
  /** All that were started, for whoever is interrupted. */
  readonly started: AgentProcess[];
}

/** As an operator would give an agent that carries a million events. */
const flumeHeap = '-Xmx1g';
const flumeApplication = 'org.apache.flume.node.Application';

/** Compiles the one into `.bench-data`, and has Maven fetch the other. `after` is told what removes what was made. */
export async function prepareAgents(after: (call: () => void) => void): Promise<Agents> {
  const pom = join(root, 'tools/agent-bench/pom.xml');
  const classPath = mavenClassPath(pom, join(root, '.bench-data/flume-agent'));
  const removals: (() => Promise<void>)[] = [];
  const main = await buildAgent({ after: (call) => removals.push(call) }).catch(async (error: unknown) => {
    for (const remove of removals) await remove();
    throw error;
  });
  after(() => rmSync(resolve(main, '../../..'), { recursive: true, force: true }));
  return { main, classPath, started: [] };
}

/** Starts agent `a1` of `configuration`; what it says goes to `log`. */
export function startAgent(agents: Agents, side: Side, configuration: string, log: string): AgentProcess {
  const { main, classPath, started } = agents;
  const flume = [flumeHeap, '-cp', classPath, flumeApplication];
  const [command, ...program] = side === 'forebay' ? [process.execPath, main, 'agent'] : ['java', ...flume];
  const args = [...program, '-n', 'a1', '-f', configuration, '--no-reload-conf'];
  const agent = AgentProcess.startProgram(command as string, args, log);
  started.push(agent);
  return agent;
}

/** Empties the turns' directory, and lets the disk finish with what was there. */
export function freshPlaces(scratch: string): RunPlaces & { readonly configuration: string; readonly log: string } {
  const turn = join(scratch, 'turn');
  rmSync(turn, { recursive: true, force: true });
  const [input, output, checkpoint, data, positions] = ['input', 'output', 'checkpoint', 'data', 'positions'].map(
    (name) => join(turn, name),
  ) as [string, string, string, string, string];
  for (const path of [input, output, positions]) mkdirSync(path, { recursive: true });
  execFileSync('sync', ['-f', scratch]);
  const [configuration, log] = ['agent.properties', 'agent.log'].map((name) => join(turn, name)) as [string, string];
  return { input, output, checkpoint, data, positions, configuration, log };
}

/** Odd repetitions begin with forebay, even ones with Flume. */
export function orderOf(repetition: number, sides: readonly Side[]): readonly Side[] {
  return repetition % 2 === 1 ? sides : sides.toReversed();
}
