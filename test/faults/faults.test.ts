/** A fault at each call of a workload: nothing acknowledged is lost, each error says what became of its transaction. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { applies, countOperations, faultKinds, inject } from './injection.ts';

const shown = 12;
const pointsMin = 900;

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
        await inject(kind, operation.index);
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
