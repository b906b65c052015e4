/**
 * One simulated history from a seed: a channel lives, its process stops in the middle of an operation, the next life
 * opens on what the crash left, is stopped as well, and so on; the last one compares everything with the oracle.
 *
 *     npx tsx test/simulator/simulate.ts rotation-31-during-7     repeats one run and prints what it found
 *
 * A seed names the workload, the operation of the first life at which the disk stops and in which phase, and a
 * number from which all else follows.
 */
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import type { StopPhase } from '../support/simulated-faults.ts';
import { Findings, type Violation } from './checkers.ts';
import { checkpointsFound, SurvivingCheckpoints } from './checkpoints.ts';
import { Life, type LifeParts, type Program } from './life.ts';
import { Oracle } from './oracle.ts';
import { type Ending, shortProgram, type Workload, workloads } from './workloads.ts';

/** What a run came to. */
export interface RunResult {
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** Fingerprints of what each life after a crash opened. */
  readonly states: readonly string[];
  /** Mutations of the first life, if it was not stopped before. */
  readonly operations: number;
  readonly lives: number;
}

/** The phases of an operation at which a process stops. */
export const phases: readonly StopPhase[] = ['before', 'during', 'after'];
Error.stackTraceLimit = 0;
const oneLifeMs = 1_000_000;
/** The reserve, and spares beyond it. */
const poolFilesMax = 5;

/** The seed's text. `stop` 0: the first life is not stopped, and ends when its program does. */
export function seedOf(workload: string, stop: number, phase: StopPhase, variant: number): string {
  return `${workload}-${stop}-${phase}-${variant}`;
}

/** Runs it. @throws Where the seed is none. */
export async function simulate(seed: string): Promise<RunResult> {
  const match = /^(.+)-(\d+)-(before|during|after)-(\d+)$/.exec(seed);
  const workload = workloads.find(({ name }) => name === match?.[1]);
  if (match === null || workload === undefined) throw new Error(`'${seed}' is no seed of a known workload`);
  const variant = Number(match[4]);
  const run = new Run(workload, variant, seed);
  await run.first(Number(match[2]), match[3] as StopPhase);
  await run.later();
  await run.last();
  return run.result();
}

/** Settings of the first life, the same for every stop of it: so that the same state is counted once. */
interface Setting {
  readonly wasClosed: boolean;
  readonly isSlow: boolean;
  readonly isRestless: boolean;
  readonly seed: number;
}

function settingOf(workload: Workload, variant: number): Setting {
  const style = Math.floor(variant / 2);
  const seed = 1000 * (1 + workloads.indexOf(workload)) + style;
  const random = new SeededRandom(seed);
  return { wasClosed: style % 2 === 0, isSlow: random.chance(0.5), isRestless: random.chance(0.3), seed };
}

const created = new Map<string, SimulatedDisk>();

/** The disk with the workload's channel, just made. */
async function createdDisk(workload: Workload, setting: Setting): Promise<SimulatedDisk> {
  const { capacityBytes } = workload;
  const disk = new SimulatedDisk({ seed: setting.seed, ...(capacityBytes === undefined ? {} : { capacityBytes }) });
  if (workload.creates === true) return disk;
  const name = `${workload.name} ${setting.seed}`;
  const known = created.get(name);
  if (known !== undefined) return known.snapshot();
  const findings = new Findings();
  const oracle = new Oracle(findings, 'commit');
  const life = new Life({ ...partsOf(workload, setting), disk, oracle, checkpoints: new SurvivingCheckpoints() });
  await life.run(async () => {
    await life.open();
    if (setting.wasClosed) await life.close();
  });
  if (findings.violations.length > 0) throw new Error(JSON.stringify(findings.violations));
  const base = disk.kill();
  created.set(name, base);
  return base.snapshot();
}

function partsOf(workload: Workload, setting: Setting): Omit<LifeParts, 'disk' | 'oracle' | 'checkpoints'> {
  const { options, mayRefuse = false } = workload;
  const { isSlow, isRestless, seed } = setting;
  return {
    options,
    mayRefuse,
    isSlow,
    isRestless,
    seed,
    startMs: 0,
    found: 'missing',
    isTorn: false,
  };
}

/** One history: the disk, what is known of it, and what may be wrong with it. */
class Run {
  readonly #workload: Workload;
  readonly #setting: Setting;
  readonly #seed: string;
  readonly #random: SeededRandom;
  readonly #ending: Ending;
  readonly #findings = new Findings();
  readonly #oracle: Oracle;
  readonly #checkpoints = new SurvivingCheckpoints();
  readonly #states: string[] = [];
  #disk: SimulatedDisk | undefined;
  #operations = 0;
  #isTorn = false;
  /** Written and not synced: a power cut may tear it. */
  #isDirty = false;
  /** By interval: a power cut may have taken what a checkpoint saw. */

  constructor(workload: Workload, variant: number, seed: string) {
    this.#workload = workload;
    this.#setting = settingOf(workload, variant);
    this.#seed = seed;
    this.#random = new SeededRandom(hashOf(seed));
    this.#ending = workload.endings?.[0] ?? (variant % 2 === 0 ? 'kill' : 'powerCut');
    this.#oracle = new Oracle(this.#findings, workload.options.fsync === undefined ? 'commit' : 'interval');
  }

  result(): RunResult {
    const { violations } = this.#findings;
    const lives = this.#oracle.life;
    return { seed: this.#seed, violations, states: this.#states, operations: this.#operations, lives };
  }

  async first(stop: number, phase: StopPhase): Promise<void> {
    const disk = await createdDisk(this.#workload, this.#setting);
    if (stop > 0) disk.stopAt(stop, phase);
    await this.#live(disk, 1, async (life) => {
      if (await life.open()) await this.#workload.program(life);
    });
    this.#operations = disk.operations.length;
    this.#crash(disk, this.#ending);
  }

  /** Three or four lives, each from what the crash before left, and stopped early itself: some while they recover. */
  async later(): Promise<void> {
    const random = this.#random;
    const lives = 3 + random.below(2);
    for (let number = 2; number < 2 + lives; number += 1) {
      const disk = this.#found();
      const recoversOnly = random.chance(0.45);
      if (recoversOnly) disk.stopAt(1 + random.below(14), random.pick(phases));
      else if (random.chance(0.8)) disk.stopAt(1 + random.below(28), random.pick(phases));
      const ending = this.#workload.endings?.[number - 1] ?? random.pick<Ending>(['kill', 'powerCut']);
      const fault = random.chance(0.1) ? 1 + random.below(24) : 0;
      const observes = random.chance(0.5);
      const idles = random.chance(0.3);
      await this.#live(disk, number, async (life) => {
        if (fault > 0) life.failAt(fault);
        if (!(await life.open())) return;
        if (observes) await life.observe();
        await shortProgram(life);
        if (idles) await life.idle(120);
        if (!disk.stopped && random.chance(0.2)) await life.close();
      });
      this.#crash(disk, ending);
    }
  }

  /** The end: everything is as it must be, drains, and leaves nothing behind. */
  async last(): Promise<void> {
    const disk = this.#found();
    await this.#live(disk, 7, async (life) => {
      if (!(await life.open())) return;
      await life.observe();
      await drain(life);
      await life.close();
    });
    this.#disk = disk.kill();
    this.#oracle.ended(false);
    this.#isTorn = false;
    if (this.#random.chance(0.15)) await this.#reopened();
  }

  /** What was drained stays drained after an orderly close, and its space comes back. */
  async #reopened(): Promise<void> {
    await this.#live(this.#disk as SimulatedDisk, 8, async (life) => {
      if (!(await life.open())) return;
      await life.observe();
    });
    // Each unclean open starts a segment, and lets go of what is drained.
    for (const number of [9, 10]) {
      this.#disk = (this.#disk as SimulatedDisk).kill();
      this.#oracle.ended(false);
      await this.#live(this.#disk, number, async (life) => {
        if (!(await life.open()) || number === 9) return;
        const { segments, bytesOnDisk } = life.channel.stats();
        if (segments <= 3 && bytesOnDisk <= (segments + poolFilesMax) * 65_536) return;
        this.#findings.report('space-returns', `${segments} segments, ${bytesOnDisk} bytes hold no event`);
      });
    }
  }

  /** What a crash left, counted. */
  #found(): SimulatedDisk {
    const disk = this.#disk as SimulatedDisk;
    // By interval, what leaves the cache may have been acknowledged.
    if (this.#oracle.syncs === 'commit' && this.#random.chance(0.2)) disk.evictLost();
    this.#states.push(disk.fingerprint());
    return disk;
  }

  async #live(disk: SimulatedDisk, number: number, program: Program): Promise<void> {
    const setting = { ...this.#setting, seed: this.#setting.seed * 16 + number };
    if (number > 1) Object.assign(setting, { isSlow: this.#random.chance(0.5), isRestless: this.#random.chance(0.2) });
    const found = this.#random.pick(checkpointsFound);
    const startMs = number * oneLifeMs;
    const parts = {
      ...partsOf(this.#workload, setting),
      found,
      startMs,
      isTorn: this.#isTorn,
    };
    const life = new Life({ ...parts, disk, oracle: this.#oracle, checkpoints: this.#checkpoints });
    await life.run(program);
    const unsynced = leftUnsynced(disk, life.struckAt);
    if (life.hasOpened) this.#isDirty = false;
    this.#isTorn = (this.#isTorn && !life.hasOpened) || isTornBy(disk, life.struckAt > 0 && unsynced.size > 0);
    this.#isDirty ||= unsynced.size > 0;
  }

  #crash(disk: SimulatedDisk, ending: Ending): void {
    if (ending === 'powerCut') {
      this.#isTorn ||= this.#isDirty;
      this.#isDirty = false;
    }
    this.#disk = ending === 'kill' ? disk.kill() : disk.powerCut(this.#random.below(1_000_000));
    this.#oracle.ended(ending === 'powerCut');
  }
}

/** Takes everything, resolves everything. */
async function drain(life: Life): Promise<void> {
  for (const prepared of life.oracle.prepared()) await life.resolve(prepared, 'commit');
  for (;;) {
    const lease = await life.take(1000);
    if (lease.events.length === 0) break;
    await life.commit(lease);
  }
  const { depthEvents } = life.channel.stats();
  if (depthEvents > 0) life.oracle.findings.report('counters-add-up', `drained, and the depth is ${depthEvents}`);
}

/** Paths that were written and not synced since, the stopped operation included. */
function leftUnsynced(disk: SimulatedDisk, struckAt: number): Set<string> {
  const unsynced = new Set<string>();
  const stop = disk.gate.stopAt;
  for (const { index, kind, path } of disk.operations) {
    const isLast = disk.stopped && index === stop?.operation;
    if (kind === 'write' && !(isLast && stop.phase === 'before')) unsynced.add(path);
    const isSynced = kind === 'sync' && index !== struckAt && !(isLast && stop.phase !== 'after');
    if (isSynced) unsynced.delete(path);
  }
  return unsynced;
}

/** Whether the cache itself holds part of a write: the one that was stopped in the middle, or one that failed. */
function isTornBy(disk: SimulatedDisk, hasFailed: boolean): boolean {
  const last = disk.operations.at(-1);
  const stop = disk.gate.stopAt;
  const isStopped = disk.stopped && last?.index === stop?.operation && last?.kind === 'write';
  return hasFailed || (isStopped && stop?.phase === 'during');
}

function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0;
  return hash;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Stacks cost a twentieth of the time; whoever repeats a run wants them.
  Error.stackTraceLimit = 20;
  for (const seed of process.argv.slice(2)) console.log(JSON.stringify(await simulate(seed), null, 2));
}
