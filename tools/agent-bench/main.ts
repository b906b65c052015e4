/**
 * A whole agent beside a real Apache Flume agent: the same configuration file, the same input, on one disk, in turns.
 *
 *     tsx tools/agent-bench/main.ts --dir DIR [--reps N] [--lines N] [--batch N[,N…]] [--only end-to-end,latency] …
 *
 * Needs Linux, a JDK and `mvn`. End to end: a log of a million lines in ten files through spooldir → file channel →
 * file_roll; the output has to be each line once. Latency: a line written to a tailed file → the line in the sink's
 * file, at 1,000 lines a second. Which agent goes first changes from repetition to repetition. What is printed is the
 * median of the repetitions. Exit: 0, 1 where an agent failed, 64 on a command line that is not understood, 130.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { provenance } from '../../native-free-bench/report.ts';
import { writeAccessLogs } from '../../test/e2e/access-log.ts';
import { type Agents, orderOf, prepareAgents } from './agents.ts';
import { type EndToEndFigures, type Log, runEndToEnd } from './end-to-end.ts';
import { type LatencyFigures, runLatency } from './latency.ts';
import { LineLedger } from './line-ledger.ts';
import { type BenchOptions, readOptions, usage } from './options.ts';
import { agentPictures, endToEndTable, latencyTable } from './report.ts';

const files = 10;
const linesPerSecond = 1000;
/** Of a million lines and a slow disk. */
const runLimitMs = 600_000;

interface Run {
  readonly options: BenchOptions;
  readonly agents: Agents;
  readonly scratch: string;
  readonly endToEnd: EndToEndFigures[];
  readonly latency: LatencyFigures[];
}

function makeLog(scratch: string, { lines, seed }: BenchOptions): Log {
  const directory = join(scratch, 'log');
  mkdirSync(directory);
  writeAccessLogs(directory, { files, linesPerFile: lines / files, seed });
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { directory, lines, bytes, ledger: new LineLedger(directory, lines) };
}

async function measureEndToEnd({ options, agents, scratch, endToEnd }: Run): Promise<void> {
  const log = makeLog(scratch, options);
  for (let repetition = 1; repetition <= options.repetitions; repetition += 1) {
    for (const batch of options.batches) {
      for (const side of orderOf(repetition, options.sides)) {
        console.error(`end to end, batches of ${batch}, ${side}, ${repetition} of ${options.repetitions}`);
        const turn = { side, batch, repetition, limitMs: runLimitMs };
        endToEnd.push(await runEndToEnd(agents, scratch, log, turn));
      }
    }
  }
}

async function measureLatency({ options, agents, scratch, latency }: Run): Promise<void> {
  const work = { lines: options.latencySeconds * linesPerSecond, linesPerSecond };
  for (let repetition = 1; repetition <= options.repetitions; repetition += 1) {
    for (const side of [...orderOf(repetition, options.sides), 'watch'] as const) {
      console.error(`latency, ${side}, ${repetition} of ${options.repetitions}`);
      latency.push(await runLatency(agents, scratch, work, { side, repetition }));
    }
  }
}

function report({ options, scratch, endToEnd, latency }: Run): void {
  const { seed, json, svg } = options;
  const made = provenance({ seed, bodyBytes: 500, windowMs: 0, directory: scratch });
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr.trim();
  console.log(
    `forebay ${made.commit}, Node ${made.node}, ${made.cpus} × ${made.cpu}, ${made.system}, ${made.fileSystem}`,
  );
  for (const text of [endToEndTable(endToEnd), latencyTable(latency)]) if (text !== undefined) console.log(`\n${text}`);
  if (svg !== undefined) {
    const machine = `${made.cpus} × ${made.cpu}, ${made.fileSystem?.split(' ')[0]}, Node ${made.node}`;
    const subtitle = `${options.lines.toLocaleString('en-US')} lines of 500 bytes; ${machine}; in turns in one run`;
    mkdirSync(svg, { recursive: true });
    for (const picture of agentPictures(endToEnd, latency, subtitle)) {
      writeFileSync(join(svg, `agent-${picture.name}.svg`), picture.svg);
    }
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ made, java, options, endToEnd, latency }, null, 1)}\n`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 64;
  }
  const removals: (() => void)[] = [];
  process.on('exit', () => {
    for (const remove of removals.reverse()) remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  mkdirSync(options.directory, { recursive: true });
  const scratch = mkdtempSync(join(resolve(options.directory), 'agent-bench-'));
  removals.push(() => rmSync(scratch, { recursive: true, force: true }));
  const agents = await prepareAgents((remove) => removals.push(remove));
  removals.push(() => {
    for (const agent of agents.started) void agent.end('SIGKILL');
  });
  const run: Run = { options, agents, scratch, endToEnd: [], latency: [] };
  if (options.parts.includes('end-to-end')) await measureEndToEnd(run);
  if (options.parts.includes('latency')) await measureLatency(run);
  report(run);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
