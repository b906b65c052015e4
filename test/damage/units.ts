/**
 * The damages of a log one by one, so that a test can try a sample of them or, in several processes, all: a kind of
 * damage is a list of units, and each unit is one open.
 */
import { SeededRandom } from '../support/seeded-random.ts';
import { checkCut } from './cut-check.ts';
import { checkFiles, checkFlip } from './flip-check.ts';
import { checkPageFault, pageFaults } from './page-check.ts';
import type { LogPlan, ReferenceLog } from './reference-log.ts';
import { withFlip } from './trial.ts';

/**
 * `flips`: every bit of every segment up to the end of its log. `usedFlips`: without padding. `cuts`: every length of
 * the newest segment, every 16th of the others. `several`: two to five of the used bits at once.
 */
export type DamageKind = 'flips' | 'usedFlips' | 'several' | 'cuts' | 'pages';

/** One damage: `run` rejects where the channel does not do what it promises. */
export interface Unit {
  readonly name: string;
  run(): Promise<unknown>;
}

/** Units by number. */
export interface Units {
  readonly count: number;
  at(index: number): Unit;
}

/** The logs that are damaged, by what is special about them. */
export const logPlans: Readonly<Record<'single' | 'chain' | 'deflate' | 'zstd' | 'encrypted', LogPlan>> = {
  single: { lives: 1, bodyBytes: 280 },
  chain: { lives: 3, bodyBytes: 90 },
  deflate: { lives: 2, bodyBytes: 200, compression: 'deflate' },
  zstd: { lives: 2, bodyBytes: 200, compression: 'zstd' },
  encrypted: { lives: 2, bodyBytes: 120, encrypted: true, compression: 'deflate' },
};

/** Bytes of a header page that say something, its checksum included. */
const headerPageRanges = [
  [0, 144],
  [4092, 4096],
  [4096, 4240],
  [8188, 8192],
] as const;
const olderCutStep = 16;
/** How many of them there are: each is a choice by its number. */
const severalMax = 20_000;

/** All units of a kind. With the checkpoint and without, turn by turn, or both where there are few. */
export function unitsOf(reference: ReferenceLog, kind: DamageKind): Units {
  if (kind === 'pages') return pageUnits(reference);
  if (kind === 'cuts') return cutUnits(reference);
  if (kind === 'several') return severalUnits(reference);
  const places = reference.segments.flatMap(({ path, end }) => {
    const ranges = kind === 'flips' ? [[0, end] as const] : usedRanges(reference, path);
    return ranges.map(([from, to]) => ({ path, from, count: (to - from) * 8 }));
  });
  return unitsIn(places, (path, bit) => ({
    name: `bit ${bit} of ${path}`,
    run: () => checkFlip(reference, path, bit, ((bit >> 3) + bit) % 2 === 0),
  }));
}

function severalUnits(reference: ReferenceLog): Units {
  // Not in headers of segments: with both copies and a first group gone nobody can say what stood there.
  const ranges = reference.groups.map(({ path, header: { offset: from, bytes } }) => ({
    path,
    from,
    to: from + bytes,
  }));
  return {
    count: severalMax,
    at(index) {
      const random = new SeededRandom(index);
      const flips = Array.from({ length: 2 + random.below(4) }, () => {
        const { path, from, to } = random.pick(ranges);
        return { path, bit: from * 8 + random.below((to - from) * 8) };
      });
      const files = flips.reduce((changed, { path, bit }) => withFlip(changed, path, bit), reference.files);
      const name = flips.map(({ path, bit }) => `bit ${bit} of ${path}`).join(', ');
      return { name, run: () => checkFiles(reference, files, random.chance(0.5), index) };
    },
  };
}

/** `count` different ones, by seed; all where there are not more. */
export function sampleOf(units: Units, count: number, random: SeededRandom): Unit[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, units.count)) {
    chosen.add(units.count <= count ? chosen.size : random.below(units.count));
  }
  return [...chosen].map((index) => units.at(index));
}

function usedRanges(reference: ReferenceLog, path: string): (readonly [number, number])[] {
  const groups = reference.groups.filter((group) => group.path === path);
  return [...headerPageRanges, ...groups.map(({ header: { offset, bytes } }) => [offset, offset + bytes] as const)];
}

interface Place {
  readonly path: string;
  readonly from: number;
  readonly count: number;
}

/** `from` in bytes, `count` in bits. */
function unitsIn(places: readonly Place[], make: (path: string, bit: number) => Unit): Units {
  return {
    count: places.reduce((sum, { count }) => sum + count, 0),
    at(index) {
      let left = index;
      for (const { path, from, count } of places) {
        if (left < count) return make(path, from * 8 + left);
        left -= count;
      }
      throw new Error(`there is no unit ${index}`);
    },
  };
}

function cutUnits(reference: ReferenceLog): Units {
  const units: Unit[] = [];
  for (const { path, end } of reference.segments) {
    const step = path === reference.segments.at(-1)?.path ? 1 : olderCutStep;
    for (let length = 0; length < end; length += step) {
      const withCheckpoint = (length / step) % 3 !== 0;
      const name = `${path} cut to ${length}, ${withCheckpoint ? 'with' : 'without'} the checkpoint`;
      units.push({ name, run: () => checkCut(reference, path, length, withCheckpoint) });
    }
  }
  return listed(units);
}

function pageUnits(reference: ReferenceLog): Units {
  const units: Unit[] = [];
  for (const { path } of reference.segments) {
    for (const fault of pageFaults(reference, path)) {
      for (const withCheckpoint of [true, false]) {
        const name = `${JSON.stringify(fault)} in ${path}, ${withCheckpoint ? 'with' : 'without'} the checkpoint`;
        units.push({ name, run: () => checkPageFault(reference, path, fault, withCheckpoint) });
      }
    }
  }
  return listed(units);
}

function listed(units: readonly Unit[]): Units {
  return { count: units.length, at: (index) => units[index] as Unit };
}
