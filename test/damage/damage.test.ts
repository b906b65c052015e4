/**
 * A sample of all the ways a log can be damaged (damage.long.test.ts tries them all): flipped bits, lengths cut, pages
 * zeroed, swapped and doubled. It opens, names the damage, delivers the rest, and reports exactly what is lost.
 */
import test from 'node:test';
import { zstdAvailable } from '../../src/codec/stored-payload.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { buildReferenceLog } from './reference-log.ts';
import { type DamageKind, logPlans, sampleOf, unitsOf } from './units.ts';

/** How many of each kind. */
const samples: Readonly<Record<keyof typeof logPlans, Readonly<Partial<Record<DamageKind, number>>>>> = {
  single: { usedFlips: 1400, flips: 200, several: 300, cuts: 500, pages: 1000 },
  chain: { usedFlips: 1400, flips: 200, several: 500, cuts: 500, pages: 300 },
  deflate: { usedFlips: 300, cuts: 100, pages: 60 },
  zstd: { usedFlips: 300, cuts: 100, pages: 60 },
  encrypted: { usedFlips: 300, cuts: 100, pages: 60 },
};

const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
const tried: Record<DamageKind, number> = { flips: 0, usedFlips: 0, several: 0, cuts: 0, pages: 0 };

for (const name of Object.keys(samples) as (keyof typeof samples)[]) {
  const skip = name === 'zstd' && !zstdAvailable ? 'this Node has no zstd' : false;
  test(`a damaged log costs what holds the damage and no more: ${name}`, { skip }, async () => {
    const reference = await buildReferenceLog(logPlans[name]);
    const random = new SeededRandom(seed);
    for (const [kind, count] of Object.entries(samples[name]) as [DamageKind, number][]) {
      for (const unit of sampleOf(unitsOf(reference, kind), count, random)) {
        try {
          await unit.run();
        } catch (error) {
          console.log(`FAIL damage ${name}: ${unit.name} FOREBAY_SEED=${seed}`);
          throw error;
        }
        tried[kind] += 1;
      }
    }
  });
}

test('the count of damages tried', () => {
  const flips = tried.flips + tried.usedFlips;
  const { several, cuts, pages } = tried;
  console.log(
    `shows: damage: ${flips} flips, ${several} times several at once, ${cuts} cuts, ${pages} pages (a sample)`,
  );
});
