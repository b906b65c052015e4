/**
 * A channel over two data directories, one of which stops taking writes: it is left out and reported, nothing that was
 * acknowledged is lost, and the channel goes on. At every operation in that directory, for good.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { refuses } from '../conformance/channel-support.ts';
import type { Fault, Operation } from '../support/simulated-faults.ts';
import { Ledger } from './ledger.ts';
import { lifeOn, NamedDisk, work, workloadOptions } from './workload.ts';

const options: ChannelOptions = { ...workloadOptions, dataDirs: ['/c', '/d'] };
const errors: readonly Fault['error'][] = ['EIO', 'EROFS'];
const pointsMin = 50;

const readKinds: ReadonlySet<string> = new Set(['open', 'read', 'bytes', 'list', 'entry', 'freeBytes']);

function isWriteIn(directory: string, { kind, path }: Operation): boolean {
  return !readKinds.has(kind) && (path === directory || path.startsWith(`${directory}/`));
}

/** The operations in `/d` from the first put on; the open before is another test's. */
async function pointsIn(directory: string): Promise<number[]> {
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk, options);
  const channel = await life.clock.run(life.open());
  const from = disk.operations.length;
  await life.clock.run(work(life, new Ledger(), channel));
  return disk.operations
    .slice(from)
    .filter((operation) => isWriteIn(directory, operation))
    .map(({ index }) => index);
}

async function failFrom(directory: string, index: number, error: Fault['error']): Promise<void> {
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk, options);
  const ledger = new Ledger();
  let channel = await life.clock.run(life.open());
  const at = (operation: Operation) => operation.index >= index && isWriteIn(directory, operation);
  const takeBack = disk.inject({ at, error, sticky: true });
  // Whoever opens it again has seen to the disk.
  const open = () => {
    takeBack();
    return life.open();
  };
  channel = await life.clock.run(work({ ...life, open }, ledger, channel));
  ledger.assertErrors();
  ledger.assertDelivered();
  assert.deepEqual(
    ledger.failures.filter(({ outcome }) => outcome === 'unknown'),
    [],
    'what failed was not stored, as the other directory said',
  );
  assert.ok(ledger.failures.length <= 8, `${ledger.failures.length} failures`);
  const killed = lifeOn(disk.snapshot(), options);
  const next = await killed.clock.run(killed.open());
  const shown = await killed.clock.run(ledger.assertKept(next));
  const cut = lifeOn(disk.snapshot().powerCut(3), options);
  await cut.clock.run(cut.open().then((opened) => ledger.assertKept(opened)));
  ledger.assertCounted(channel);
  assert.ok(shown.size > 0);
  await life.clock.run(channel.close());
}

test('a data directory that takes no writes any more is left out; the channel goes on', async () => {
  let points = 0;
  const violations: string[] = [];
  for (const directory of ['/c', '/d']) {
    for (const index of await pointsIn(directory)) {
      for (const error of errors) {
        points += 1;
        await failFrom(directory, index, error).catch((cause: unknown) => {
          violations.push(`${error} in ${directory} from ${index}: ${String(cause)}`);
        });
      }
    }
  }
  assert.equal(violations.length, 0, `${violations.length} violations:\n${violations.slice(0, 8).join('\n\n')}`);
  assert.ok(points >= pointsMin, `${points} points`);
  console.log(`shows: faults: ${points} points at which one of two directories fails for good, 0 violations`);
});

test('it is reported, takes no more segments, and serves what it holds', async () => {
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk, options);
  const ledger = new Ledger();
  const channel = await life.clock.run(life.open());
  for (let round = 0; round < 4; round += 1) await ledger.put(channel, 11, 4000);
  disk.inject({ at: (operation) => isWriteIn('/d', operation), error: 'EROFS', sticky: true });
  const before = disk.operations.length;
  for (let round = 0; round < 8; round += 1) await life.clock.run(ledger.put(channel, 11, 4000));
  const { state, reasons } = channel.stats().health;
  assert.equal(state, 'degraded');
  assert.ok(
    reasons.some((reason) => reason.includes('/d failed') && reason.includes('left out')),
    reasons.join(),
  );
  const tried = disk.operations.slice(before).filter((operation) => isWriteIn('/d', operation));
  assert.ok(tried.length <= 3, `a failed directory is tried once, not ${tried.length} times`);
  ledger.assertErrors();
  const stored = ledger.attempts.filter(({ outcome }) => outcome === 'stored').flatMap(({ ids }) => ids);
  const batch = await life.clock.run(ledger.take(channel, 1000));
  assert.equal(batch.events.length, stored.length);
});

test('where every directory fails, the channel does, and says so', async () => {
  const disk = new NamedDisk({ seed: 1 });
  const life = lifeOn(disk, options);
  const channel = await life.clock.run(life.open());
  const takeBack = disk.inject({ at: ({ kind }) => !readKinds.has(kind), error: 'EIO', sticky: true });
  const first = await refuses('CHANNEL_FAILED', () => life.clock.run(channel.notes.set('a', 1)));
  assert.equal(first.outcome, 'unknown');
  const second = await refuses('CHANNEL_FAILED', () => life.clock.run(channel.notes.set('a', 2)));
  assert.equal(second.outcome, 'notStored');
  assert.match(second.message, /close the channel and open it again/);
  assert.equal(channel.stats().health.state, 'failed');
  await life.clock.run(channel.close());
  takeBack();
  const again = await life.clock.run(life.open());
  assert.notEqual(again.notes.get('a'), 2);
  await again.notes.set('a', 3);
  await life.clock.run(again.close());
});
