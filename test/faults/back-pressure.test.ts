/** A disk without room: puts wait or are refused, everything else goes on, and puts resume by themselves. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiskFile, OpenOptions } from '../../src/base/disk.ts';
import { isForebayError } from '../../src/base/errors.ts';
import { kib, mib } from '../../src/base/units.ts';
import type { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import { isSettled, refuses } from '../conformance/channel-support.ts';
import { turnOver } from '../support/manual-clock.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { Ledger } from './ledger.ts';
import { type Life, lifeOn } from './workload.ts';

const options: ChannelOptions = { segmentBytes: 64 * kib, minimumFreeBytes: 0 };
const putsMax = 400;
const rounds = 3;

/** Puts until one is refused; gives how many events were stored. */
async function fill(life: Life, ledger: Ledger, channel: FileChannel, limitBytes: number): Promise<number> {
  for (let puts = 0; puts < putsMax; puts += 1) {
    const attempt = await life.clock.run(ledger.put(channel, 8, 4000));
    assert.ok(channel.stats().bytesOnDisk <= limitBytes, `${channel.stats().bytesOnDisk} bytes on disk`);
    if (attempt.outcome === 'stored') continue;
    const { error } = attempt;
    assert.ok(isForebayError(error) && error.code === 'DISK_FULL', String(error));
    assert.equal(error.outcome, 'notStored');
    assert.match(error.message, /takes go on; puts resume/);
    assert.equal(channel.stats().health.state, 'degraded');
    return puts * 8;
  }
  return assert.fail('it never was full');
}

/** Everything but puts, over and over: far more of it than any reserve holds. */
async function goOn(ledger: Ledger, channel: FileChannel, turns: number): Promise<void> {
  const consumer = channel.consumer('k');
  for (let turn = 0; turn < turns; turn += 1) {
    const batch = await ledger.take(consumer, 1);
    if (turn % 4 === 1) await batch.rollback();
    else if (turn % 4 === 2) {
      const id = await ledger.prepare(consumer, batch, 0, 1);
      await ledger.resolve(channel, id, turn % 8 === 2 ? 'rollback' : 'commit');
    } else await ledger.ack(batch);
    if (turn % 16 === 0) await channel.notes.set('turn', turn);
  }
  await channel.notes.delete('turn');
  assert.deepEqual(
    ledger.attempts.filter(({ kind, outcome }) => kind !== 'put' && outcome !== 'stored'),
    [],
  );
}

/** Records that make nothing free: the reserve must be enough for any number of them. */
async function turnReserveOver(channel: FileChannel): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await channel.notes.set('turn', turn);
  await channel.notes.delete('turn');
}

async function drainAll(ledger: Ledger, channel: FileChannel): Promise<void> {
  for (let batch = await ledger.take(channel, 20); batch.events.length > 0; batch = await ledger.take(channel, 20)) {
    assert.equal((await ledger.ack(batch)).outcome, 'stored');
  }
}

async function assertCounts(ledger: Ledger, channel: FileChannel, limitBytes: number): Promise<void> {
  ledger.assertCounted(channel);
  ledger.assertDelivered();
  assert.ok(channel.stats().bytesOnDisk <= limitBytes);
  assert.deepEqual(channel.damages, []);
}

/** Full, worked off, waited for, and full again; then a restart and a kill while it is full. */
async function fillAndDrain(disk: SimulatedDisk, given: ChannelOptions, limitBytes: number): Promise<void> {
  const life = lifeOn(disk, given);
  const ledger = new Ledger();
  let channel = await life.clock.run(life.open());
  for (let round = 0; round < rounds; round += 1) {
    const stored = await fill(life, ledger, channel, limitBytes);
    assert.ok(stored * 4000 > limitBytes / 4, `only ${stored} events fit`);
    const waiting = ledger.put(channel, 1, 20);
    await turnReserveOver(channel);
    await goOn(ledger, channel, 60);
    assert.ok(!(await isSettled(waiting)), 'a put waits for room');
    await drainAll(ledger, channel);
    assert.equal((await life.clock.run(waiting)).outcome, 'stored', 'it resumes by itself');
    assert.notEqual(channel.stats().health.state, 'failed');
    await assertCounts(ledger, channel, limitBytes);
    await drainAll(ledger, channel);
  }
  await fill(life, ledger, channel, limitBytes);
  await life.clock.run(channel.close());
  channel = await life.clock.run(life.open());
  await life.clock.run(turnReserveOver(channel));
  await life.clock.run(goOn(ledger, channel, 20));
  await life.clock.run(ledger.assertKept(channel));
  const killed = lifeOn(disk.kill(), given);
  channel = await killed.clock.run(killed.open());
  await killed.clock.run(ledger.assertKept(channel));
  await killed.clock.run(goOn(ledger, channel, 20));
  await killed.clock.run(drainAll(ledger, channel));
  const last = await killed.clock.run(ledger.put(channel, 1, 20));
  assert.equal(last.outcome, 'stored', String(last.error));
  await killed.clock.run(channel.close());
}

test('a full disk: takes never stop, puts resume by themselves, also after a restart and a kill', async () => {
  const capacityBytes = 2 * mib;
  await fillAndDrain(new SimulatedDisk({ seed: 1, capacityBytes }), options, capacityBytes);
});

test('maxDiskBytes: reached, drained and reached again; never passed', async () => {
  const maxDiskBytes = 2 * mib;
  await fillAndDrain(new SimulatedDisk({ seed: 1 }), { ...options, maxDiskBytes }, maxDiskBytes);
});

test('the smallest maxDiskBytes there is: full, drained and full again', async () => {
  const maxDiskBytes = 6 * 64 * kib;
  const life = lifeOn(new SimulatedDisk({ seed: 1 }), { ...options, maxDiskBytes });
  const ledger = new Ledger();
  const channel = await life.clock.run(life.open());
  for (let round = 0; round < rounds; round += 1) {
    assert.ok((await fill(life, ledger, channel, maxDiskBytes)) > 0);
    await turnReserveOver(channel);
    await drainAll(ledger, channel);
    assert.equal((await life.clock.run(ledger.put(channel, 1, 20))).outcome, 'stored', 'it resumes by itself');
    await assertCounts(ledger, channel, maxDiskBytes);
  }
});

test('minimumFreeBytes: left to others by puts', async () => {
  const capacityBytes = 4 * mib;
  const disk = new SimulatedDisk({ seed: 1, capacityBytes });
  await fillAndDrain(disk, { ...options, minimumFreeBytes: 2 * mib }, 2 * mib);
});

test('one acknowledgement drains it all: puts resume, with no other record to move the log on', async () => {
  const maxDiskBytes = 2 * mib;
  const life = lifeOn(new SimulatedDisk({ seed: 1 }), { ...options, maxDiskBytes });
  const ledger = new Ledger();
  const channel = await life.clock.run(life.open());
  for (let round = 0; round < rounds; round += 1) {
    await fill(life, ledger, channel, maxDiskBytes);
    await turnReserveOver(channel);
    const waiting = ledger.put(channel, 1, 20);
    assert.equal((await ledger.ack(await ledger.take(channel, 10_000))).outcome, 'stored');
    assert.equal((await life.clock.run(waiting)).outcome, 'stored');
    // A transaction that needs half of all there is, in a file of its own.
    const large = await life.clock.run(ledger.put(channel, 1, mib));
    assert.equal(large.outcome, 'stored', String(large.error));
    await drainAll(ledger, channel);
    await assertCounts(ledger, channel, maxDiskBytes);
  }
});

/** Takes its time to open a file, and to say that there is no room for one. */
class SlowDisk extends SimulatedDisk {
  override async open(path: string, options: OpenOptions): Promise<DiskFile> {
    for (let turn = 0; turn < 5; turn += 1) await turnOver();
    return super.open(path, options);
  }
}

test('the look for room comes in turn with the writing, not beside it', async () => {
  const life = lifeOn(new SlowDisk({ seed: 1, capacityBytes: 2 * mib }));
  const ledger = new Ledger();
  const channel = await life.clock.run(life.open());
  await fill(life, ledger, channel, 2 * mib);
  for (let turn = 0; turn < 200; turn += 1) {
    // The write is due, and has not begun; another comes while the disk is asked.
    const written = [channel.notes.set('turn', 'x'.repeat(400))];
    life.clock.advance(100);
    for (let step = 0; step < turn % 7; step += 1) await turnOver();
    written.push(channel.notes.set('turn', 'y'.repeat(400)));
    await Promise.all(written);
  }
  await drainAll(ledger, channel);
  assert.equal((await life.clock.run(ledger.put(channel, 1, 20))).outcome, 'stored');
  ledger.assertCounted(channel);
});

test('puts that try again and again leave the reserve to all else', async () => {
  const life = lifeOn(new SimulatedDisk({ seed: 1, capacityBytes: 2 * mib }));
  const ledger = new Ledger();
  const channel = await life.clock.run(life.open());
  await fill(life, ledger, channel, 2 * mib);
  for (let turn = 0; turn < 200; turn += 1) {
    await channel.notes.set('turn', 'x'.repeat(400));
    await life.clock.run(ledger.put(channel, 8, 4000));
  }
  await drainAll(ledger, channel);
  assert.equal((await life.clock.run(ledger.put(channel, 1, 20))).outcome, 'stored');
  ledger.assertCounted(channel);
});

test('others fill the disk and free it: puts follow', async () => {
  const disk = new SimulatedDisk({ seed: 1, capacityBytes: 4 * mib });
  const life = lifeOn(disk);
  const ledger = new Ledger();
  const channel = await life.open();
  assert.equal((await ledger.put(channel, 8, 4000)).outcome, 'stored');
  const other = await disk.open('/other', { mode: 'create' });
  await other.write(Buffer.alloc((await disk.freeBytes('/')) - 8192), 0);
  await fill(life, ledger, channel, 4 * mib);
  const waiting = ledger.put(channel, 8, 4000);
  assert.ok(!(await isSettled(waiting)));
  await disk.unlink('/other');
  assert.equal((await life.clock.run(waiting)).outcome, 'stored');
  await life.clock.run(ledger.put(channel, 8, 4000));
  assert.equal(channel.stats().health.state, 'ok', channel.stats().health.reasons.join());
  ledger.assertCounted(channel);
});

test('with keepAliveMs 0 a put on a full disk is refused at once', async () => {
  const life = lifeOn(new SimulatedDisk({ seed: 1, capacityBytes: mib }), { ...options, keepAliveMs: 0 });
  const channel = await life.open();
  const ledger = new Ledger();
  await fill(life, ledger, channel, mib);
  const error = await refuses('DISK_FULL', () => channel.put([{ headers: {}, body: Buffer.from('x') }]));
  assert.equal(error.outcome, 'notStored');
});

test('no room for the first segment: the open says so, leaves the lock, and works once there is room', async () => {
  const disk = new SimulatedDisk({ seed: 1, capacityBytes: 512 * kib });
  const other = await disk.open('/other', { mode: 'create' });
  await other.write(Buffer.alloc(508 * kib), 0);
  const life = lifeOn(disk);
  const error = await refuses('DISK_FULL', () => life.clock.run(life.open()));
  assert.equal(error.path, '/c');
  await disk.unlink('/other');
  const channel = await life.clock.run(life.open());
  assert.equal((await channel.put([{ headers: {}, body: Buffer.from('x') }])).length, 1);
  await channel.close();
});
