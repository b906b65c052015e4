/**
 * Damage to data.mdb, seeded, and processes that live through it. Every case is one damage to one good store, met
 * in one of three situations:
 *
 *     clean     sealed before the damage, the stop was clean: told by the seal, nobody opens it
 *     unclean   the stop was not clean: a child meets it. For cuts the seal is gone too, as it would tell of them
 *     resealed  the damage came before the last seal: the process itself opens it, and may die, once
 *
 * A life that ended is followed by one after an unclean stop, as a supervisor would; none may end after that.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import { checkpointFiles, measure, writeSeal } from '../../src/checkpoint/lmdb-files.ts';
import { makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { LifeReport, LifeTask } from './store-process.ts';

const disk = nodeDisk();
const goodSerial = 12;
/** A life that takes longer is ended, as a supervisor would; a save alone may wait for its child 10 s. */
const lifeMsMax = 25_000;

/** Enough for a failed save, a death, and two lives in good order; more is not getting well. */
const livesMax = 5;

type Situation = 'clean' | 'unclean' | 'resealed';

/** One damage. `cut`: the length left. `flip`: bits, counted from the start of the file. */
interface Damage {
  readonly what: { readonly cut: number } | { readonly flip: readonly number[] };
  readonly situation: Situation;
}

/** How many cases of each kind. */
export interface DamageCounts {
  readonly cuts: number;
  readonly flips: number;
}

/** How the cases went. `deaths` counts cases whose first life ended; a second death fails at once. */
interface Outcome {
  deaths: number;
  setAside: number;
  kept: number;
}

/** Of ten cases six are clean, two unclean, two resealed: each of the latter costs processes. */
function situationOf(index: number): Situation {
  const turn = index % 10;
  if (turn < 6) return 'clean';
  return turn < 8 ? 'unclean' : 'resealed';
}

/** Half the flips hit the two meta pages and the two after them, where damage is deadliest. */
function makeDamages(counts: DamageCounts, fileBytes: number, seed: number): Damage[] {
  const random = new SeededRandom(seed);
  const damages: Damage[] = [];
  for (let index = 0; index < counts.cuts; index += 1) {
    const cut = index % 3 === 0 ? random.below(fileBytes / 4096) * 4096 : random.below(fileBytes);
    damages.push({ what: { cut }, situation: situationOf(index) });
  }
  for (let index = 0; index < counts.flips; index += 1) {
    const reach = index % 2 === 0 ? 4 * 4096 : fileBytes;
    const flip = Array.from({ length: 1 + random.below(3) }, () => random.below(reach * 8));
    damages.push({ what: { flip }, situation: situationOf(index >> 1) });
  }
  return damages;
}

function applyDamage(bytes: Buffer, { what }: Damage): Buffer {
  if ('cut' in what) return bytes.subarray(0, what.cut);
  const copy = Buffer.from(bytes);
  for (const bit of what.flip) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A good store, closed in good order, with used and freed pages of every kind. */
async function makeGoodStore(directory: string): Promise<void> {
  const opened = await openLmdbCheckpoint(disk, directory, { channelId: suiteChannelId, afterUncleanStop: false });
  assert.ok(opened.kind === 'opened');
  for (let serial = 1; serial <= goodSerial; serial += 1) {
    await opened.store.save(makeRecord(serial, 1000 + 3000 * serial));
  }
  await opened.store.close();
}

/** The process that may die, started anew when it has. */
class Lives {
  #child: ChildProcess | undefined;

  /** Undefined where the process ended, or had to be ended, before it answered. */
  async live(task: LifeTask): Promise<LifeReport | undefined> {
    this.#child ??= fork(new URL('./store-process.ts', import.meta.url), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: process.execArgv.filter((arg) => !arg.startsWith('--test')),
    });
    const child = this.#child;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), lifeMsMax);
      const settle = (report: LifeReport | undefined): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (report === undefined) this.#child = undefined;
        resolve(report);
      };
      child.once('message', (report: LifeReport) => settle(report));
      child.once('exit', (code, signal) => {
        if (signal === null) reject(new Error(`a life ended with exit code ${code}: an error of ours, not a death`));
        settle(undefined);
      });
      child.send(task, () => undefined);
    });
  }

  /** The next life starts in a fresh process: one that met damage and survived may be sick without showing. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }
}

/** Lives on until two in a row were in good order. Damage that was sealed in may end one life, or fail its save. */
async function runCase(lives: Lives, directory: string, { situation }: Damage, outcome: Outcome): Promise<void> {
  const mayDie = situation === 'resealed';
  let afterUncleanStop = situation === 'unclean';
  let deaths = 0;
  let lastSaved = goodSerial;
  let goodLives = 0;
  for (let life = 1; goodLives < 2; life += 1) {
    assert.ok(life <= livesMax, 'it does not get well');
    if (mayDie) await lives.end();
    const saveSerial = goodSerial + life;
    const report = await lives.live({ kind: 'life', directory, afterUncleanStop, saveSerial });
    afterUncleanStop = report === undefined;
    if (report === undefined) {
      deaths += 1;
      assert.ok(mayDie, 'it died of damage that the seal or a child should have met');
      assert.equal(deaths, 1, 'a second death');
      outcome.deaths += 1;
      continue;
    }
    assert.ok(report.opened, `not opened: ${report.setAside}`);
    assert.deepEqual(report.foreign, [], 'something was read that was never written');
    if (life === 1) outcome[report.setAside === undefined ? 'kept' : 'setAside'] += 1;
    const isLost = report.loadedSerial === undefined && (mayDie || life === 1);
    // A life that died or was refused after its save may have saved: nobody knows.
    if (report.loadedSerial === saveSerial - 1) lastSaved = saveSerial - 1;
    // Where the newest meta page does not hold LMDB goes by the other: the record of the save before, and as true.
    const isOlder = situation !== 'clean' && lastSaved === goodSerial && report.loadedSerial === goodSerial - 1;
    if (!isLost && !isOlder) assert.equal(report.loadedSerial, lastSaved);
    if (report.saveError !== undefined) {
      assert.ok(mayDie && deaths === 0, report.saveError);
      continue;
    }
    lastSaved = saveSerial;
    goodLives += 1;
  }
}

/** The store to damage: its bytes, and its seal from before. */
interface Good {
  readonly bytes: Buffer;
  readonly sealPath: string;
}

async function runInDirectory(lives: Lives, directory: string, good: Good, damage: Damage, outcome: Outcome) {
  const files = checkpointFiles(directory);
  await mkdir(directory);
  await writeFile(files.data, applyDamage(good.bytes, damage));
  const unsealed = damage.situation === 'unclean' && 'cut' in damage.what;
  if (damage.situation === 'resealed') {
    const seal = await measure(disk, files.data);
    if (seal !== undefined) await writeSeal(disk, files, seal);
  }
  if (damage.situation !== 'resealed' && !unsealed) await copyFile(good.sealPath, files.seal);
  await runCase(lives, directory, damage, outcome);
  await rm(directory, { recursive: true });
}

/** Runs all cases in `scratch`, in two lanes; prints the line that `shows` them. */
export async function runDamages(scratch: string, counts: DamageCounts, seed: number): Promise<void> {
  const directory = join(scratch, 'good');
  await makeGoodStore(directory);
  const { data, seal } = checkpointFiles(directory);
  const good: Good = { bytes: await readFile(data), sealPath: seal };
  const outcome: Outcome = { deaths: 0, setAside: 0, kept: 0 };
  const waiting = makeDamages(counts, good.bytes.length, seed).entries();
  const lane = async (): Promise<void> => {
    const lives = new Lives();
    try {
      for (const [index, damage] of waiting) {
        await runInDirectory(lives, join(scratch, `case-${index}`), good, damage, outcome).catch((cause: unknown) => {
          throw new Error(`seed ${seed}, case ${index}: ${JSON.stringify(damage)}: ${cause}`, { cause });
        });
      }
    } finally {
      await lives.end();
    }
  };
  await Promise.all([lane(), lane()]);
  const { deaths, setAside, kept } = outcome;
  const counted = `${counts.cuts} cuts, ${counts.flips} flips, ${deaths} deaths, 0 second deaths`;
  console.log(`shows: checkpoint damage: ${counted} (set aside ${setAside}, kept ${kept}, seed ${seed})`);
  assert.ok(deaths > 0, 'none died: the damage was not met');
  assert.ok(kept > 0, 'none was kept: every damage was taken for deadly');
}
