/** Many random damages, one after the other; the seed of the one that fails is told. */
import { SeededRandom } from '../../support/seeded-random.ts';
import { damageAtRandom } from './random-damage.ts';
import { buildSample, sampleKinds } from './sample.ts';
import { benchOf, tryDamage, verifyOn } from './trial.ts';

/** `count` damages in all, to `samples` channels. Prints what was shown. */
export async function runTrials(seed: number, count: number, samples: number): Promise<void> {
  let lost = 0;
  let returned = 0;
  let events = 0;
  const found = new Map<string, number>();
  for (let index = 0; index < samples; index++) {
    const random = new SeededRandom(seed + index);
    const sample = await buildSample(sampleKinds[index % sampleKinds.length] ?? {}, random);
    const { view } = await verifyOn(await benchOf(sample, sample.files, 1));
    events += sample.oracle.bodies.size;
    for (let turn = 0; turn < count / samples; turn++) {
      const damage = damageAtRandom(sample.files, view.segments, random);
      try {
        const outcome = await tryDamage(sample, view, damage, random.next());
        lost += outcome.lost.length;
        returned += outcome.returned;
        for (const { kind, action } of outcome.damages) {
          found.set(`${kind} ${action}`, (found.get(`${kind} ${action}`) ?? 0) + 1);
        }
      } catch (error) {
        throw new Error(`${damage.name}, damage ${turn} of channel ${index}, FOREBAY_SEED=${seed}`, { cause: error });
      }
    }
  }
  const kinds = [...found].sort().map(([name, times]) => `${times} × ${name}`);
  console.log(`shows: repair: ${count} damages to ${samples} channels of ${events} events: all found, all repaired;`);
  console.log(`shows: repair: ${lost} events lost, each named; ${returned} taken ones came back; ${kinds.join(', ')}`);
}
