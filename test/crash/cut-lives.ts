/**
 * Lives that end by a power cut: the child is stopped first, so that nothing it acknowledges after the cut is read as
 * acknowledged before it; then what it said is read, the power cut, the child killed, the file system mounted again.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../support/seeded-random.ts';
import { ChildLife } from './life.ts';
import { type FileSystem, MountedImage } from './mounted-image.ts';
import { Oracle } from './oracle.ts';
import type { Line } from './report.ts';

/** What a run of cuts is to be. */
export interface CutRun {
  readonly fileSystem: FileSystem;
  readonly cuts: number;
  readonly acksMin: number;
  /** 0: every acknowledgement is a promise. */
  readonly fsyncIntervalMs: number;
  /** See LifeOrder. */
  readonly lies?: boolean;
}

const outputMs = 20;
const lifeMsMax = 20_000;
/** Timers of a busy machine come late. */
const timerSlackMs = 400;

/** Runs them; the number of acknowledgements read. Throws at the first that was not kept; prints its seed. */
export async function cutPowerRepeatedly(cut: CutRun): Promise<number> {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
  const oracle = new Oracle();
  const image = await MountedImage.make(cut.fileSystem);
  let child = new ChildLife();
  try {
    const directory = join(image.path, 'channel');
    await mkdir(directory);
    let hardBeforeMs = Number.POSITIVE_INFINITY;
    for (let life = 0; life <= cut.cuts; life++) {
      const { lastPut, lastRecord, lastPlain } = oracle;
      const { fsyncIntervalMs, lies = false } = cut;
      const names = { directory, seed: seed + life, lastPut, lastRecord, lastPlain };
      child.start({ ...names, fsyncIntervalMs, lies, hold: undefined });
      const current = child;
      child = new ChildLife();
      const stoppedMs = await endOf(current, image, oracle, cut, hardBeforeMs, new SeededRandom(seed + life));
      hardBeforeMs = fsyncIntervalMs === 0 ? Number.POSITIVE_INFINITY : stoppedMs - fsyncIntervalMs - timerSlackMs;
    }
    return oracle.acks;
  } catch (error) {
    if (cut.lies !== true) console.log(`FAIL power cut ${cut.fileSystem} FOREBAY_SEED=${seed}`);
    throw error;
  } finally {
    child.signal('SIGKILL');
    await child.dead;
    await image.remove();
  }
}

async function endOf(
  child: ChildLife,
  image: MountedImage,
  oracle: Oracle,
  cut: CutRun,
  hardBeforeMs: number,
  random: SeededRandom,
): Promise<number> {
  const acksBefore = oracle.acks;
  let failure: Error | undefined;
  const busy = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      failure ??= new Error(`too few acknowledgements within ${lifeMsMax} ms`);
      resolve();
    }, lifeMsMax);
    child.onLine = (line: Line) => {
      try {
        if (line.say === 'failed') throw new Error(line.message);
        if (line.say === 'found') oracle.check(line.found, hardBeforeMs);
        oracle.read(line, performance.now());
      } catch (error) {
        failure ??= error as Error;
      }
      if (failure === undefined && oracle.acks - acksBefore < cut.acksMin) return;
      clearTimeout(timer);
      resolve();
    };
  });
  await busy;
  await sleep(random.below(60) + (cut.fsyncIntervalMs === 0 ? 0 : timerSlackMs + 2 * cut.fsyncIntervalMs));
  child.signal('SIGSTOP');
  const stoppedMs = performance.now();
  await sleep(outputMs);
  await image.cutPower();
  child.signal('SIGKILL');
  await child.dead;
  await image.remount();
  if (failure !== undefined) throw failure;
  assert.ok(oracle.acks - acksBefore >= cut.acksMin, 'the power went after enough acknowledgements');
  return stoppedMs;
}
