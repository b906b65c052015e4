/** A fault at each call of a workload: nothing acknowledged is lost, each error says what became of its transaction. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { applies, countOperations, faultKinds, inject } from './injection.ts';
import { crashAt, injectAtOpen, openFaults } from './open-faults.ts';

const shown = 12;
const pointsMin = 900;
/** At this share of the workload: a kill, or a power cut with this seed. */
const crashes: readonly (readonly [number, number | undefined])[] = [
  [0.1, undefined],
  [0.3, undefined],
  [0.45, 3],
  [0.55, 4],
  [0.7, undefined],
  [0.8, undefined],
  [0.9, 5],
  [1, 7],
];

test('a fault at each mutation of a workload', async () => {
  const operations = await countOperations();
  const only = process.env['FOREBAY_FAULT'];
  const violations: string[] = [];
  let points = 0;
  for (const kind of faultKinds) {
    for (const operation of operations) {
      const name = `${kind} ${operation.index}`;
      if (!applies(kind, operation) || (only !== undefined && only !== name)) continue;
      points += 1;
      try {
        await inject([{ kind, index: operation.index }]);
      } catch (error) {
        if (only !== undefined) throw error;
        violations.push(`FOREBAY_FAULT='${name}' (${operation.kind} ${operation.path}): ${String(error)}`);
      }
    }
  }
  assert.equal(violations.length, 0, `${violations.length} violations:\n${violations.slice(0, shown).join('\n\n')}`);
  assert.ok(points >= pointsMin || only !== undefined, `${points} points`);
  console.log(`shows: faults: ${points} injection points, ${violations.length} violations`);
});

test('a fault at each call of an open after a crash, and of the takes behind it', async () => {
  const only = process.env['FOREBAY_FAULT'];
  const violations: string[] = [];
  let points = 0;
  for (const [share, seed] of crashes) {
    const crashed = await crashAt(share, seed);
    for (const fault of await openFaults(crashed)) {
      const name = `${share} ${seed ?? 'kill'}: ${fault.name}`;
      if (only !== undefined && only !== name) continue;
      points += 1;
      try {
        await injectAtOpen(crashed, fault);
      } catch (error) {
        if (only !== undefined) throw error;
        violations.push(`FOREBAY_FAULT='${name}': ${String(error)}`);
      }
    }
  }
  assert.equal(violations.length, 0, `${violations.length} violations:\n${violations.slice(0, shown).join('\n\n')}`);
  console.log(`shows: faults: ${points} injection points in opens after crashes, ${violations.length} violations`);
});
