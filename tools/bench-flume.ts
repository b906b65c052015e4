/**
 * forebay and Apache Flume's own file channel, in turns, on one disk, in one run; the ratios that the design asks for.
 *
 *     tsx tools/bench-flume.ts --disk DIR [--reps N] [--window-ms N] [--only TEXT[,TEXT…]] [--large] [--quick]
 *                              [--json FILE]
 *
 * Needs `java`, `javac` and `mvn`. Both sides have their defaults (of forebay: the LMDB checkpoint, the kernel's lock),
 * both sync each commit, both run warm; which one goes first changes from repetition to repetition. What is printed is
 * the median of the repetitions.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { childArgument } from '../native-free-bench/child-program.ts';
import { fullSizes, type Place, quickSizes, type Sizes } from '../native-free-bench/context.ts';
import { makeScratch, realPlace } from '../native-free-bench/program.ts';
import { openingIn } from '../native-free-bench/recovery.bench.ts';
import { provenance, table } from '../native-free-bench/report.ts';
import { workPlace } from '../native-free-bench/work-row.ts';
import { nodeDisk } from '../src/base/disk-node.ts';
import { type CommitFigures, nameOfWork, type Work } from '../src/bench/channel-work.ts';
import { median } from '../src/bench/latencies.ts';
import { measureWork } from '../src/bench/measure-work.ts';
import type { Ending } from '../src/bench/opening.ts';
import { runChild } from '../src/bench/opening-child.ts';
import { readable } from '../src/bench/readable.ts';
import { peakRssBytes } from '../src/cli/bench/machine.ts';
import { buildFlume, type FlumeBuild, FlumeJvm } from './flume-channel/flume-jvm.ts';

/** Node 24 has the faster promises. */
const isNewNode: boolean = Number(process.versions.node.split('.')[0]) >= 24;

interface WorkTarget {
  readonly work: Work;
  readonly timesFlume: number;
  /** Or this share of what the disk does by itself. */
  readonly shareOfDisk?: number;
}

const put = (producers: number, batch: number): Work => ({ kind: 'put', producers, batch });

function workTargets({ takeEvents }: Sizes): readonly WorkTarget[] {
  return [
    { work: put(1, 1), timesFlume: 1.7, shareOfDisk: 0.8 },
    { work: put(1, 100), timesFlume: 3.5 },
    { work: put(1, 1000), timesFlume: 7 },
    { work: put(16, 100), timesFlume: 13 },
    { work: put(64, 1), timesFlume: isNewNode ? 33 : 25 },
    { work: put(64, 100), timesFlume: 14 },
    { work: { kind: 'take', consumers: 1, batch: 1000, events: takeEvents }, timesFlume: 15 },
    { work: { kind: 'mixed', producers: 8, consumers: 8, batch: 100 }, timesFlume: 15 },
  ];
}

interface OpeningTarget {
  readonly name: string;
  readonly ending: Ending;
  readonly large: boolean;
  readonly figure: 'openMs' | 'firstPutMs' | 'rssPeakBytes';
  readonly atMost: number;
}

const openingTargets: readonly OpeningTarget[] = [
  { name: 'open after a clean stop, s', ending: 'closed', large: false, figure: 'openMs', atMost: 100 },
  { name: 'open after kill -9, s', ending: 'killed', large: false, figure: 'openMs', atMost: 200 },
  {
    name: 'open without a checkpoint, s',
    ending: 'killed, checkpoint gone',
    large: false,
    figure: 'openMs',
    atMost: 1000,
  },
  {
    name: 'open without a checkpoint, large, s',
    ending: 'killed, checkpoint gone',
    large: true,
    figure: 'openMs',
    atMost: 1000,
  },
  { name: 'first put accepted, large, s', ending: 'killed', large: true, figure: 'firstPutMs', atMost: 1000 },
  {
    name: 'peak memory of the process, large, MiB',
    ending: 'killed',
    large: true,
    figure: 'rssPeakBytes',
    atMost: 150 * 2 ** 20,
  },
];

/** What one side did in one repetition; the disk's own limit stands with ours. */
interface Measured {
  readonly name: string;
  readonly side: 'forebay' | 'flume';
  readonly repetition: number;
  readonly figures: { readonly [figure: string]: number };
}

interface Run {
  readonly place: Place;
  readonly sizes: Sizes;
  readonly scratch: string;
  readonly build: FlumeBuild;
  readonly measured: Measured[];
  readonly only: readonly string[];
}

async function measureOurs({ place, sizes, measured }: Run, work: Work, repetition: number): Promise<void> {
  const { name, figures, groups, diskRate } = await measureWork(workPlace(place, sizes), work);
  const main: CommitFigures | undefined = figures.taken ?? figures.put;
  if (main === undefined) return;
  const eventsPerWrite = groups.writes === 0 ? 0 : main.events / groups.writes;
  const writesPerSecond = Math.max(
    diskRate?.overwriting.writesPerSecond ?? 0,
    diskRate?.appending.writesPerSecond ?? 0,
  );
  const { eventsPerSecond, p50Us, p99Us } = main;
  const limit = work.kind === 'put' ? writesPerSecond * eventsPerWrite : Number.NaN;
  measured.push({ name, side: 'forebay', repetition, figures: { eventsPerSecond, p50Us, p99Us, limit } });
}

async function measureFlume(run: Run, jvm: FlumeJvm, work: Work, repetition: number): Promise<void> {
  const { sizes, scratch, measured } = run;
  const directory = join(scratch, 'flume');
  const ask = async (windowMs: number): Promise<CommitFigures> => {
    const { bodyBytes } = sizes;
    if (work.kind === 'take') await jvm.ask('fill', directory, flumeTakeEvents(windowMs), bodyBytes, 'close');
    const words =
      work.kind === 'put'
        ? ['put', directory, work.producers, work.batch, bodyBytes, windowMs]
        : work.kind === 'take'
          ? ['take', directory, work.consumers, work.batch, windowMs]
          : ['mixed', directory, work.producers, work.consumers, work.batch, bodyBytes, windowMs];
    const answer = await jvm.ask<{ put?: CommitFigures; taken?: CommitFigures }>(...words);
    await removed(run, directory);
    const figures = answer.taken ?? answer.put;
    if (figures === undefined) throw new Error('Flume gave no figures');
    return figures;
  };
  await ask(sizes.warmUpMs);
  const { eventsPerSecond, p50Us, p99Us } = await ask(sizes.windowMs);
  measured.push({ name: nameOfWork(work), side: 'flume', repetition, figures: { eventsPerSecond, p50Us, p99Us } });
}

/** Twice what it drains, as measured before; its capacity is a million. */
function flumeTakeEvents(windowMs: number): number {
  return Math.min(900_000, Math.ceil(160 * windowMs));
}

/** A journal commit, so that what freeing the blocks costs the disk is over before the other side's turn. */
async function removed({ place, scratch }: Run, directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  await place.disk.syncDirectory(scratch);
}

async function measureWorks(run: Run, reps: number): Promise<void> {
  const targets = workTargets(run.sizes).filter(({ work }) => isAsked(run, nameOfWork(work)));
  if (targets.length === 0) return;
  const jvm = new FlumeJvm(run.build);
  // A cold JVM would be measured otherwise.
  await jvm.ask('put', join(run.scratch, 'flume'), 4, 100, run.sizes.bodyBytes, 3 * run.sizes.warmUpMs);
  for (let repetition = 1; repetition <= reps; repetition++) {
    for (const { work } of targets) {
      console.error(`${nameOfWork(work)}, ${repetition} of ${reps}`);
      if (repetition % 2 === 1) await measureOurs(run, work, repetition);
      await measureFlume(run, jvm, work, repetition);
      if (repetition % 2 === 0) await measureOurs(run, work, repetition);
    }
  }
  await jvm.close();
}

async function measureOpenings(run: Run, reps: number, large: boolean): Promise<void> {
  const { place, sizes, measured } = run;
  const asked = openingTargets.filter((target) => (large || !target.large) && isAsked(run, target.name));
  for (let repetition = 1; repetition <= reps; repetition++) {
    for (const isLarge of [false, true]) {
      for (const ending of new Set(asked.filter((one) => one.large === isLarge).map((one) => one.ending))) {
        console.error(`${isLarge ? 'large, ' : ''}${ending}, ${repetition} of ${reps}`);
        const events = isLarge ? sizes.largeEvents : sizes.recoveryEvents;
        const bodyBytes = isLarge ? sizes.largeBodyBytes : sizes.bodyBytes;
        const { open } = await openingIn(place, { events, bodyBytes, seed: sizes.seed }, ending);
        for (const { name, figure, ...target } of asked) {
          if (target.ending !== ending || target.large !== isLarge) continue;
          measured.push({ name, side: 'forebay', repetition, figures: { [figure]: open[figure] ?? Number.NaN } });
        }
        if (!isLarge && repetition === 1) await openFlume(run, ending, asked);
      }
    }
  }
}

/** Flume's own opening, once: it takes long, and no target is a multiple of it. */
async function openFlume(run: Run, ending: Ending, asked: readonly OpeningTarget[]): Promise<void> {
  const { sizes, scratch, build, measured } = run;
  const directory = join(scratch, 'flume-open');
  const events = Math.min(sizes.recoveryEvents, 1_000_000);
  const filler = new FlumeJvm(build);
  await filler.ask('fill', directory, events, sizes.bodyBytes, ending === 'closed' ? 'close' : 'hang');
  if (ending === 'closed') await filler.close();
  else await filler.kill();
  if (ending === 'killed, checkpoint gone') rmSync(join(directory, 'checkpoint'), { recursive: true, force: true });
  const opener = new FlumeJvm(build);
  const { openMs } = await opener.ask<{ openMs: number }>('open', directory, sizes.bodyBytes);
  await opener.kill();
  await removed(run, directory);
  for (const { name, figure, ...target } of asked) {
    if (target.ending !== ending || target.large || figure !== 'openMs') continue;
    measured.push({ name, side: 'flume', repetition: 1, figures: { openMs } });
  }
}

function isAsked({ only }: Run, name: string): boolean {
  return only.length === 0 || only.some((text) => name.includes(text));
}

function valuesOf({ measured }: Run, name: string, side: Measured['side'], figure: string): number[] {
  return measured
    .filter((one) => one.name === name && one.side === side)
    .flatMap((one) => one.figures[figure] ?? [])
    .filter((value) => Number.isFinite(value));
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const middle = readable(median(values));
  return values.length === 1 ? middle : `${middle} (${readable(Math.min(...values))}–${readable(Math.max(...values))})`;
}

function workRow(run: Run, { work, timesFlume, shareOfDisk }: WorkTarget): string[] | undefined {
  const name = nameOfWork(work);
  const ours = valuesOf(run, name, 'forebay', 'eventsPerSecond');
  const theirs = valuesOf(run, name, 'flume', 'eventsPerSecond');
  if (ours.length === 0) return undefined;
  const limit = median(valuesOf(run, name, 'forebay', 'limit'));
  const ratio = median(ours) / median(theirs);
  const share = median(ours) / limit;
  const isReached =
    (Number.isFinite(ratio) && ratio >= timesFlume) || (shareOfDisk !== undefined && share >= shareOfDisk);
  const target = `≥ ${timesFlume}${shareOfDisk === undefined ? '' : `, or ≥ ${shareOfDisk} of the disk`}`;
  const p99 = (['forebay', 'flume'] as const).map((side) => readable(median(valuesOf(run, name, side, 'p99Us'))));
  const reached = isReached ? 'yes' : 'NO';
  return [name, spread(ours), spread(theirs), readable(ratio), readable(share), target, reached, p99.join(' / ')];
}

function openingRow(run: Run, { name, figure, atMost }: OpeningTarget): string[] | undefined {
  const unit = figure === 'rssPeakBytes' ? 2 ** 20 : 1000;
  const ours = valuesOf(run, name, 'forebay', figure).map((value) => value / unit);
  const theirs = valuesOf(run, name, 'flume', figure).map((value) => value / unit);
  if (ours.length === 0) return undefined;
  const isReached = median(ours) <= atMost / unit;
  return [name, spread(ours), spread(theirs), `≤ ${atMost / unit}`, isReached ? 'yes' : 'NO'];
}

function print(run: Run): void {
  const heads = ['events/s', 'forebay', 'Flume', '× Flume', '× disk alone', 'target', 'reached', 'commit p99 µs, both'];
  const works = workTargets(run.sizes).flatMap((target) => [workRow(run, target)].filter((row) => row !== undefined));
  if (works.length > 0) console.log(`\n${table(heads, works)}`);
  const openings = openingTargets.flatMap((target) => [openingRow(run, target)].filter((row) => row !== undefined));
  if (openings.length > 0) console.log(`\n${table(['opening', 'forebay', 'Flume', 'target', 'reached'], openings)}`);
}

async function main(args: readonly string[]): Promise<number> {
  const environment = { name: 'real disk, LMDB checkpoint', disk: nodeDisk(), options: {} };
  if (args[0] === childArgument) {
    await runChild(args.slice(1), { ...environment, peakRssBytes }, (line) => console.log(line));
    return 0;
  }
  const { values } = parseArgs({
    args: [...args],
    options: {
      disk: { type: 'string' },
      reps: { type: 'string', default: '3' },
      'window-ms': { type: 'string', default: '0' },
      only: { type: 'string' },
      large: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  if (values.disk === undefined) {
    console.error('--disk DIR is needed: where to measure');
    return 64;
  }
  const sizes = { ...(values.quick ? quickSizes : fullSizes) };
  if (Number(values['window-ms']) > 0) sizes.windowMs = Number(values['window-ms']);
  const build = buildFlume();
  const scratch = makeScratch(values.disk);
  const place = realPlace(environment, scratch);
  const run: Run = { place, sizes, scratch, build, measured: [], only: values.only?.split(',') ?? [] };
  const made = provenance({ ...sizes, directory: scratch });
  console.log(
    `forebay ${made.commit}, Node ${made.node}, ${made.cpus} × ${made.cpu}, ${made.system}, ${made.fileSystem}`,
  );
  if (made.loadBefore > 0.5) console.log(`load ${made.loadBefore.toFixed(1)}: others are at work`);
  try {
    await measureWorks(run, Number(values.reps));
    await measureOpenings(run, Number(values.reps), values.large);
  } finally {
    await place.gauge?.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  print(run);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ made, sizes, measured: run.measured }, null, 1)}\n`);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
