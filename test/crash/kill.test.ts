/**
 * `kill -9`, fifty times over one directory on the real disk with the real checkpoint: each life ends after at least
 * a hundred acknowledgements, many in the middle of a rotation or of the save of a checkpoint; the next one must find
 * exactly what was acknowledged.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { checkpointSteps, rotationSteps } from './announcing-disk.ts';
import { ChildLife } from './life.ts';
import { Oracle } from './oracle.ts';
import type { Hold, Line } from './report.ts';

const kills = 50;
const acksMin = 100;
const inTheMiddleMin = 25;
const lifeMsMax = 20_000;

/** When a life is killed: at a hold, as soon as it says that it enters something, or after a random while. */
type Moment =
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'enter'; readonly where: Hold['where'] }
  | { readonly kind: 'later'; readonly delayMs: number };

function momentOf(life: number, random: SeededRandom): Moment {
  const where = random.chance(0.7) ? 'rotation' : 'checkpoint';
  const turn = life % 5;
  if (turn < 3) {
    const step = random.below(where === 'rotation' ? rotationSteps : checkpointSteps);
    return { kind: 'hold', hold: { where, step, afterAcks: acksMin + random.below(100) } };
  }
  return turn === 3 ? { kind: 'enter', where } : { kind: 'later', delayMs: random.below(40) };
}

/** Runs one life to its end; what it was doing then. */
async function endOf(child: ChildLife, oracle: Oracle, moment: Moment): Promise<'rotation' | 'checkpoint' | 'work'> {
  const acksBefore = oracle.acks;
  const entered = new Set<Hold['where']>();
  let failure: Error | undefined;
  let killing = false;
  const kill = () => {
    killing = true;
    child.signal('SIGKILL');
  };
  child.onLine = (line: Line) => {
    try {
      if (line.say === 'failed') throw new Error(line.message);
      if (line.say === 'found') oracle.check(line.found, Number.POSITIVE_INFINITY);
      oracle.read(line, 0);
    } catch (error) {
      failure ??= error as Error;
      kill();
    }
    if (line.say === 'enter') entered.add(line.where);
    if (line.say === 'leave') entered.delete(line.where);
    const enough = oracle.acks - acksBefore >= acksMin;
    if (killing || !enough) return;
    if (line.say === 'hold' || (moment.kind === 'enter' && line.say === 'enter' && line.where === moment.where)) kill();
    else if (moment.kind === 'later') {
      killing = true;
      setTimeout(kill, moment.delayMs);
    }
  };
  const timer = setTimeout(() => {
    failure ??= new Error(`nothing to kill it at within ${lifeMsMax} ms: ${JSON.stringify(moment)}`);
    kill();
  }, lifeMsMax);
  await child.dead;
  clearTimeout(timer);
  if (failure !== undefined) throw failure;
  assert.ok(oracle.acks - acksBefore >= acksMin, 'it was killed after enough acknowledgements');
  if (entered.has('rotation')) return 'rotation';
  return entered.has('checkpoint') ? 'checkpoint' : 'work';
}

test('what was acknowledged is there after kill -9, and nothing else', { timeout: 180_000 }, async (context) => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
  const random = new SeededRandom(seed);
  const directory = await tempDir(context);
  const oracle = new Oracle();
  const ends = { rotation: 0, checkpoint: 0, work: 0 };
  let child = new ChildLife();
  try {
    for (let life = 0; life <= kills; life++) {
      const moment = momentOf(life, random);
      const hold = moment.kind === 'hold' ? moment.hold : undefined;
      const { lastPut, lastRecord, lastPlain } = oracle;
      const numbers = { seed: seed + life, lastPut, lastRecord, lastPlain };
      child.start({ directory, ...numbers, fsyncIntervalMs: 0, lies: false, hold });
      const current = child;
      child = new ChildLife();
      const end = await endOf(current, oracle, moment);
      // The last life only looks at what the one before left.
      if (life < kills) ends[end] += 1;
    }
  } catch (error) {
    console.log(`FAIL kill FOREBAY_SEED=${seed}`);
    throw error;
  } finally {
    child.signal('SIGKILL');
    await child.dead;
  }
  const { rotation, checkpoint } = ends;
  const middle = `${rotation} in rotation, ${checkpoint} in checkpoint`;
  console.log(`shows: kill -9: ${kills} kills, ${middle}, ${oracle.acks} acks, 0 lost`);
  assert.ok(rotation + checkpoint >= inTheMiddleMin, middle);
});
