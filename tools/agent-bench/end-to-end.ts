/** A whole log from a spool directory through a file channel into a file: one agent, once. */
import { linkSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentProcess } from '../../test/e2e/agent-process.ts';
import { type Agents, freshPlaces, type Side, startAgent } from './agents.ts';
import { endToEndConfiguration } from './configurations.ts';
import type { LineLedger } from './line-ledger.ts';

/** What is carried. */
export interface Log {
  readonly directory: string;
  readonly lines: number;
  readonly bytes: number;
  readonly ledger: LineLedger;
}

/** What one agent did. */
export interface EndToEndFigures {
  readonly side: Side;
  readonly batch: number;
  readonly repetition: number;
  /** From the start of the process to the last byte in the output. */
  readonly wallSeconds: number;
  /** From the first byte in the output to the last. */
  readonly flowSeconds: number;
  readonly eventsPerSecond: number;
  readonly flowEventsPerSecond: number;
  /** Of the process until the last byte was there: user and system. */
  readonly cpuSeconds: number;
  readonly peakMemoryMiB: number;
}

/** A hundredth of the shortest run that is expected. */
const pollMs = 20;

/** Rejects where the output is not the input's lines, each once. */
export async function runEndToEnd(
  agents: Agents,
  scratch: string,
  log: Log,
  turn: { readonly side: Side; readonly batch: number; readonly repetition: number; readonly limitMs: number },
): Promise<EndToEndFigures> {
  const places = freshPlaces(scratch);
  for (const name of readdirSync(log.directory)) linkSync(join(log.directory, name), join(places.input, name));
  writeFileSync(places.configuration, endToEndConfiguration(places, turn.batch));
  const startMs = performance.now();
  const agent = startAgent(agents, turn.side, places.configuration, places.log);
  const firstMs = await bytesReached(agent, places.output, 1, startMs + turn.limitMs);
  const lastMs = await bytesReached(agent, places.output, log.bytes, startMs + turn.limitMs);
  const { cpuSeconds, peakRssMiB } = agent.usage();
  await agent.end('SIGTERM');
  const faults = log.ledger.faultsOf(places.output);
  if (faults.missing + faults.repeated + faults.changed > 0) {
    throw new Error(
      `${turn.side} did not leave each line once: ${JSON.stringify(faults)}\n${agent.said().slice(-3000)}`,
    );
  }
  const [wallSeconds, flowSeconds] = [(lastMs - startMs) / 1000, (lastMs - firstMs) / 1000];
  return {
    side: turn.side,
    batch: turn.batch,
    repetition: turn.repetition,
    wallSeconds,
    flowSeconds,
    eventsPerSecond: log.lines / wallSeconds,
    flowEventsPerSecond: log.lines / flowSeconds,
    cpuSeconds,
    peakMemoryMiB: peakRssMiB,
  };
}

/** Resolves to when so many bytes were in the files of `directory`. */
async function bytesReached(agent: AgentProcess, directory: string, bytes: number, limitMs: number): Promise<number> {
  for (;;) {
    const names = readdirSync(directory);
    const there = names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    const nowMs = performance.now();
    if (there >= bytes) return nowMs;
    const end = agent.isRunning ? 'took too long' : 'ended';
    if (!agent.isRunning || nowMs > limitMs) {
      throw new Error(
        `the agent ${end} with ${there} of ${bytes} bytes in ${directory}:\n${agent.said().slice(-3000)}`,
      );
    }
    await sleep(pollMs);
  }
}
