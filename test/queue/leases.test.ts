/** Leases: who holds what, fencing, and the age of the oldest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Leases } from '../../src/queue/leases.ts';

describe('Leases', () => {
  it('hold, release and count by consumer', () => {
    const leases = new Leases();
    const { holder: k1 } = leases.open('k1');
    const { holder: k2 } = leases.open('k2');
    leases.lease(k1, [{ first: 1, last: 10 }], 5);
    leases.lease(k2, [{ first: 11, last: 20 }], 6);
    assert.equal(leases.leasedCount, 20);
    assert.equal(leases.holds(k1, [{ first: 1, last: 10 }]), true);
    assert.equal(leases.holds(k1, [{ first: 10, last: 11 }]), false);
    assert.equal(leases.holds(k2, [{ first: 1, last: 1 }]), false);
    leases.release(k1, [{ first: 3, last: 4 }]);
    assert.deepEqual(leases.heldOf(k1, [{ first: 2, last: 12 }]), [
      { first: 2, last: 2 },
      { first: 5, last: 10 },
    ]);
    assert.equal(leases.leasedCount, 18);
  });

  it('go back when the name is opened again, and when it is closed', () => {
    const leases = new Leases();
    const first = leases.open('k');
    leases.lease(first.holder, [{ first: 1, last: 4 }], 0);
    leases.release(first.holder, [{ first: 2, last: 2 }]);
    const second = leases.open('k');
    assert.deepEqual(second.returned.toRanges(), [
      { first: 1, last: 1 },
      { first: 3, last: 4 },
    ]);
    assert.equal(first.holder.state, 'fenced');
    assert.equal(second.holder.incarnation, first.holder.incarnation + 1);
    assert.equal(leases.holds(first.holder, [{ first: 1, last: 1 }]), false);
    leases.lease(second.holder, [{ first: 1, last: 1 }], 0);
    assert.deepEqual(leases.close(first.holder).toRanges(), []);
    assert.equal(first.holder.state, 'fenced');
    leases.closeAll();
    assert.equal(second.holder.state, 'closed');
    assert.equal(leases.leasedCount, 0);
    assert.throws(() => leases.lease(second.holder, [{ first: 9, last: 9 }], 0), /broken invariant/);
  });

  it('know when the oldest began, also with more takes open than ages are kept', () => {
    const leases = new Leases();
    const { holder } = leases.open('k');
    assert.equal(leases.oldestLeasedAtMs(), undefined);
    for (let take = 0; take < 200; take++) leases.lease(holder, [{ first: take + 1, last: take + 1 }], take * 100);
    assert.equal(leases.oldestLeasedAtMs(), 0);
    leases.release(holder, [{ first: 1, last: 10 }]);
    assert.equal(leases.oldestLeasedAtMs(), 1000);
    leases.release(holder, [{ first: 12, last: 200 }]);
    assert.equal(leases.oldestLeasedAtMs(), 1000);
    leases.release(holder, [{ first: 11, last: 11 }]);
    assert.equal(leases.oldestLeasedAtMs(), undefined);
  });
});
