/** The faults of faults.test.ts for other channels, in pairs, and at opens after many more crashes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { applies, countOperations, faultKinds, type Injection, inject } from './injection.ts';
import { crashAt, injectAtOpen, openFaults } from './open-faults.ts';
import { workloadOptions } from './workload.ts';

const pairs = 600;
const crashes = 4;
const shown = 8;
const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 2 ** 31);

const variants: Readonly<Record<string, ChannelOptions>> = {
  compressed: { ...workloadOptions, compression: 'deflate' },
  encrypted: { ...workloadOptions, encryption: { activeKey: 1, keys: { 1: Buffer.alloc(32, 7) } } },
  'with larger segments': { ...workloadOptions, segmentBytes: 262_144 },
  'that keeps what is taken': { ...workloadOptions, retentionHours: 1, maxDiskBytes: 4 * 1024 * 1024 },
};

/** Counts, and keeps what does not hold. */
class Violations {
  points = 0;
  readonly #found: string[] = [];

  async at(name: string, run: () => Promise<void>): Promise<void> {
    this.points += 1;
    await run().catch((error: unknown) => {
      this.#found.push(`${name}: ${String(error)}`);
    });
  }

  assertNone(what: string, pointsMin: number): void {
    assert.equal(this.#found.length, 0, `${this.#found.length}:\n${this.#found.slice(0, shown).join('\n\n')}`);
    assert.ok(this.points >= pointsMin, `${this.points} points`);
    console.log(`shows: faults, long: ${this.points} injection points ${what}, 0 violations`);
  }
}

for (const [name, options] of Object.entries(variants)) {
  test(`a fault at each mutation, in a channel ${name}`, async () => {
    const violations = new Violations();
    for (const kind of faultKinds) {
      for (const operation of await countOperations(options)) {
        if (!applies(kind, operation)) continue;
        const { index } = operation;
        await violations.at(`${kind} ${index}`, () => inject([{ kind, index }], options));
      }
    }
    violations.assertNone(`in a channel ${name}`, 600);
  });
}

test('two faults in one life', async () => {
  console.log(`faults: seed ${seed}`);
  const random = new SeededRandom(seed);
  const operations = await countOperations();
  const violations = new Violations();
  while (violations.points < pairs) {
    const draw = (): Injection => ({ kind: random.pick(faultKinds), index: 1 + random.below(operations.length) });
    const both = [draw(), draw()];
    await violations.at(JSON.stringify(both), () => inject(both));
  }
  violations.assertNone('in pairs', pairs);
});

test('faults in opens after crashes anywhere', async () => {
  const random = new SeededRandom(seed);
  const violations = new Violations();
  for (let crash = 0; crash < crashes; crash += 1) {
    const share = (1 + random.below(999)) / 1000;
    const power = random.chance(0.5) ? random.below(1000) : undefined;
    const crashed = await crashAt(share, power);
    for (const fault of await openFaults(crashed)) {
      await violations.at(`${share} ${power} ${fault.name}`, () => injectAtOpen(crashed, fault));
    }
  }
  violations.assertNone('in opens after crashes', crashes * 20);
});
