/** The guard must fail where a share fell by more than a quarter, and only there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fallen, sharesOf } from '../../tools/bench-guard/shares.ts';

const recorded = [
  { name: 'put 1 × 1', share: 0.8 },
  { name: 'take 1 × 1000', share: 0.6 },
];

test('a share that fell by more than a quarter is found, one that fell by less is not', () => {
  const now = [
    { name: 'put 1 × 1', share: 0.61 },
    { name: 'take 1 × 1000', share: 0.44 },
  ];
  assert.deepEqual(fallen(now, recorded), [{ name: 'take 1 × 1000', share: 0.44 }]);
});

test('a work that is measured no longer is no success', () => {
  assert.deepEqual(fallen([{ name: 'put 1 × 1', share: 1 }], recorded), [{ name: 'take 1 × 1000', share: 0 }]);
});

test('of two measurements the better one counts, and rows without a limit do not', () => {
  const rows = [
    { name: 'put 1 × 1', share: { median: 0.5 } },
    { name: 'open, killed' },
    { name: 'take 1 × 1000', share: { median: 0.7 } },
  ];
  const before = [{ name: 'put 1 × 1', share: 0.9 }];
  const better = [
    { name: 'put 1 × 1', share: 0.9 },
    { name: 'take 1 × 1000', share: 0.7 },
  ];
  assert.deepEqual(sharesOf(rows, before), better);
});
