/** How long a line takes from a tailed file to the sink's file, at an even rate: one agent, once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../test/support/source.ts';
import { type Agents, freshPlaces, type Side, startAgent } from './agents.ts';
import { latencyConfiguration, tailedName } from './configurations.ts';
import { OutputWatch } from './output-watch.ts';
import { Arrivals } from './stamped-line.ts';

/** What is written. */
interface LatencyWork {
  readonly lines: number;
  readonly linesPerSecond: number;
}

/** What one agent did; `watch` is nobody: the written file itself was watched, so that its figures are the watching. */
export interface LatencyFigures {
  readonly side: Side | 'watch';
  readonly repetition: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Beside the time that the lines take: Flume looks at a quiet file every five seconds. */
const graceMs = 30_000;

/** Rejects where not each line came once. */
export async function runLatency(
  agents: Agents,
  scratch: string,
  work: LatencyWork,
  turn: { readonly side: LatencyFigures['side']; readonly repetition: number },
): Promise<LatencyFigures> {
  const places = freshPlaces(scratch);
  mkdirSync(places.input, { recursive: true });
  const tailed = join(places.input, tailedName);
  writeFileSync(tailed, '');
  writeFileSync(places.configuration, latencyConfiguration(places));
  const { side, repetition } = turn;
  const agent = side === 'watch' ? undefined : startAgent(agents, side, places.configuration, places.log);
  // Started, and warm as far as an idle agent gets.
  if (agent !== undefined) await sleep(startMs);
  const arrivals = new Arrivals(work.lines);
  const watch = new OutputWatch(agent === undefined ? dirname(tailed) : places.output, arrivals);
  try {
    const limitMs = performance.now() + (work.lines / work.linesPerSecond) * 1000 + graceMs;
    const writing = writeLines(tailed, work);
    while (arrivals.count < work.lines) {
      if (agent?.isRunning === false || performance.now() > limitMs) {
        const said = agent?.said().slice(-3000) ?? '';
        throw new Error(`${side}: only ${arrivals.count} of ${work.lines} lines came out\n${said}`);
      }
      await sleep(100);
    }
    await writing;
  } finally {
    watch.close();
    await agent?.end('SIGTERM');
  }
  if (arrivals.faults > 0) throw new Error(`${side}: ${arrivals.faults} lines came twice, or changed`);
  const [p50Ms = 0, p99Ms = 0, maxMs = 0] = arrivals.latencies.percentilesUs([0.5, 0.99, 1]).map((us) => us / 1000);
  return { side, repetition, p50Ms, p99Ms, maxMs };
}

const startMs = 5000;

async function writeLines(path: string, { lines, linesPerSecond }: LatencyWork): Promise<void> {
  const program = join(root, 'tools/agent-bench/line-writer.ts');
  const args = ['--import=tsx', program, path, String(lines), String(linesPerSecond)];
  const writer = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  const [status] = await once(writer, 'exit');
  if (status !== 0) throw new Error(`the writer ended with ${status}`);
}
