/**
 * forebay beside other durable queues and logs, in turns, on one disk, in one run; writes the
 * page on performance.
 *
 *     tsx tools/peers/main.ts --dir DIR [--reps N] [--window-ms N] [--only TEXT,…] [--peers NAME,…] [--resume FILE]
 *                             [--quick] [--out DIR]
 *     tsx tools/peers/main.ts --report FILE [--report FILE …] [--out DIR]
 *
 * Needs Linux, `npm`, `go`, a JDK and `mvn`; a peer that cannot be built is named and left out. Works in a new
 * directory below DIR, which it removes. A run that was cut off, by kill -9 too, goes on with the same command and
 * `--resume FILE`.
 * Exit: 0, 1 where a measurement failed, 64 on a command line that is not understood or a results file of another
 * machine, version or setting, 75 where a run writes to that file already, 130.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { provenance } from '../../native-free-bench/report.ts';
import { Interrupt } from '../../src/cli/channel/interrupt.ts';
import type { ContenderName } from './contenders.ts';
import { documentOf, pictureFolder } from './document.ts';
import { Figures } from './figures.ts';
import { type PeersOptions, readOptions, usage } from './options.ts';
import { emptyPageCache } from './page-cache.ts';
import { isPictureName, picturesOf } from './pictures.ts';
import { type Program, Programs } from './programs.ts';
import {
  appendResult,
  differences,
  ForeignResults,
  type Line,
  readResults,
  type Settings,
  type StartLine,
} from './results-file.ts';
import { noteFailure, probe, type Run, runTurns } from './run.ts';
import { turnsLeft } from './turns.ts';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const scratchPrefix = 'forebay-peers-';
const say = (line: string): void => console.error(line);

/** A command line or a file that cannot be worked with: 64, or 75 where it is only too early. */
class Refused extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

function settingsOf({ windowMs, quick }: PeersOptions, harness: string): Settings {
  const warmUpMs = Math.max(1, Math.round(windowMs / 2));
  return {
    windowMs,
    warmUpMs,
    gaugeMs: Math.max(1, Math.round(windowMs / 4)),
    quick,
    coldTakes: emptyPageCache(),
    harness,
  };
}

function startOf(directory: string, scratch: string, settings: Settings, programs: Run['programs']): StartLine {
  const made = provenance({ seed: 1, bodyBytes: 0, windowMs: settings.windowMs, directory });
  const { at, node, cpu, cpus, memoryBytes, system, commit, loadBefore, fileSystem = 'unknown' } = made;
  const versions = Object.fromEntries([...programs].map(([name, { version }]) => [name, version]));
  const machine = { cpu, cpus, memoryBytes, system, fileSystem };
  return { kind: 'start', at, node, settings, machine, versions, commit, loadBefore, pid: process.pid, scratch };
}

/** @throws {Refused} Where a run still writes to it. */
function checkOwner(file: string, lines: readonly Line[]): void {
  for (const line of lines) {
    if (line.kind !== 'start' || !existsSync(`/proc/${line.pid}`) || !existsSync(line.scratch)) continue;
    throw new Refused(`process ${line.pid} writes to ${file}: wait for it, or end it`, 75);
  }
}

/** @throws {Refused} Where its results are of something else. */
function checkResults(file: string, lines: readonly Line[], start: StartLine): void {
  const found = differences(lines, start);
  if (found.length === 0) return;
  const list = found.map((one) => `\n  ${one}`).join('');
  throw new Refused(`${file} is of another run; begin a new file, or measure as it did:${list}`, 64);
}

/** What a run that was killed left behind. */
function removeLeftOver(lines: readonly Line[]): void {
  for (const line of lines) {
    if (line.kind !== 'start' || !basename(line.scratch).startsWith(scratchPrefix)) continue;
    rmSync(line.scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

function build(
  builder: Programs,
  options: PeersOptions,
): Pick<Run, 'programs'> & { missing: Map<ContenderName, unknown> } {
  builder.compile();
  const programs = new Map<ContenderName, Program>();
  const missing = new Map<ContenderName, unknown>();
  for (const contender of options.contenders) {
    say(`building ${contender.title}`);
    try {
      programs.set(contender.name, builder.prepare(contender));
    } catch (error) {
      missing.set(contender.name, error);
    }
  }
  return { programs, missing };
}

/** Builds and measures what is left; resolves to the number of failures. */
async function measure(options: PeersOptions, directory: string, file: string, signal: AbortSignal): Promise<number> {
  // Before anything is built: a file that cannot be gone on with is found out at once.
  checkOwner(file, readResults(file));
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const builder = new Programs(root, say);
  let scratch: string | undefined;
  try {
    const { programs, missing } = build(builder, options);
    // Building holds up the thread: only now a signal is heard.
    await setImmediate();
    if (signal.aborted) return 0;
    const settings = settingsOf(options, builder.harness());
    mkdirSync(directory, { recursive: true });
    scratch = mkdtempSync(join(resolve(directory), scratchPrefix));
    const start = startOf(directory, scratch, settings, programs);
    const before = readResults(file, { repair: true });
    checkResults(file, before, start);
    removeLeftOver(before);
    appendResult(file, start);
    say(`results: ${file}; to go on after a break: --resume ${file}`);
    if (start.loadBefore > 0.5) say(`load ${start.loadBefore.toFixed(1)}: others are at work, the figures are too low`);
    const run: Run = { programs, scratch, file, settings, signal, say };
    for (const [contender, error] of missing) noteFailure(run, { contender, error });
    const turns = turnsLeft(options, before);
    return await runTurns(run, turns, await probe(run, turns));
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
    builder.close();
  }
}

function freshFile(): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  return join(root, '.bench-data/peers', `results-${process.version}-${stamp}.jsonl`);
}

function docs(): string {
  return join(root, 'docs');
}

/** Writes the document of all files. @throws {Refused} Where they cannot stand in one. */
function report(files: readonly string[], out: string): void {
  const all: Line[] = [];
  for (const file of files) {
    const lines = readResults(file);
    const start = lines.find((line) => line.kind === 'start');
    if (start === undefined) throw new Refused(`${file}: no results`, 64);
    const found = differences(all, start, { anyNode: true });
    if (found.length > 0) throw new Refused(`${file} and ${files[0]} are not of one kind: ${found.join('; ')}`, 64);
    all.push(...lines);
  }
  const results = all.filter((line) => line.kind === 'result');
  if (results.length === 0) throw new Refused(`${files.join(', ')}: no results`, 64);
  const text = documentOf(all);
  const folder = join(out, pictureFolder);
  mkdirSync(folder, { recursive: true });
  // Of cells that are no longer there. Other pictures may lie beside them.
  for (const name of readdirSync(folder)) if (isPictureName(name)) rmSync(join(folder, name));
  for (const { fileName, svg } of picturesOf(new Figures(results))) writeFileSync(join(folder, fileName), svg);
  writeFileSync(join(out, 'performance.md'), text);
  say(`written: ${join(out, 'performance.md')}`);
}

function optionsOf(args: readonly string[]): PeersOptions {
  try {
    return readOptions(args);
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : error}\n${usage}`, 64);
  }
}

async function main(args: readonly string[]): Promise<number> {
  using interrupt = new Interrupt();
  try {
    const options = optionsOf(args);
    if (options.directory === undefined) {
      report(options.reports, options.out ?? docs());
      return 0;
    }
    const file = options.resume ?? freshFile();
    const failures = await measure(options, options.directory, file, interrupt.signal);
    if (interrupt.status !== undefined) return interrupt.status;
    report([file], options.out ?? (options.quick ? join(dirname(file), 'quick') : docs()));
    return failures > 0 ? 1 : 0;
  } catch (error) {
    await setImmediate();
    if (interrupt.status !== undefined) return interrupt.status;
    if (!(error instanceof Refused) && !(error instanceof ForeignResults)) throw error;
    console.error(error.message);
    return error instanceof Refused ? error.status : 64;
  }
}

process.exitCode = await main(process.argv.slice(2));
