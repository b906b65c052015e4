/** A follower through what befalls a channel: owners that are killed, damage, segments that are used again unread. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { pageBytes } from '../../../src/base/disk.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { diskWith, fileWith } from '../../../src/base/disk-with.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { Followed } from '../../support/followed.ts';
import { readThroughGroups } from '../../support/group-list.ts';
import { KilledDisk } from '../../support/killed-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { events, numbered, openStill, stillOptions } from '../../support/still-owner.ts';
import { tempDir } from '../../support/temp-dir.ts';

const frameTypePut = 1;

/** Its puts, and their groups, in the order of the log. */
function putsIn(directory: string, name: string) {
  return readThroughGroups(readFileSync(join(directory, name))).filter(({ type }) => type === frameTypePut);
}

function segmentNames(directory: string): string[] {
  return readdirSync(directory).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
}

async function flip(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offset);
  byte.writeUInt8(byte.readUInt8() ^ 0x10);
  await file.write(byte, 0, 1, offset);
  await file.close();
}

test('what an owner that was killed did not prove comes once, from the next one; what is cut off never', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const first = await openStill(directory);
  await first.channel.put(events('a'));
  await using followed = await Followed.open(directory, { from: { fromSequence: 1 } });
  await first.channel.put(events('b', 'c'));
  assert.deepEqual((await followed.read()).bodies, ['a']);
  await first.kill();
  await using between = await Followed.open(directory, { from: { fromSequence: 1 } });
  assert.deepEqual([(await followed.read()).bodies, (await between.read()).bodies], [[], ['a']]);
  const second = await openStill(directory);
  await second.prove();
  assert.deepEqual(
    [(await followed.read()).bodies, (await between.read()).bodies],
    [
      ['b', 'c'],
      ['b', 'c'],
    ],
  );
  const [kept] = await second.channel.put(events('d'));
  await second.channel.put(events('e'));
  assert.ok(kept !== undefined && kept.first > 3);
  await second.kill();
  assert.deepEqual((await followed.read()).bodies, ['d']);
  const last = segmentNames(directory).at(-1) ?? '';
  await flip(join(directory, last), (putsIn(directory, last).at(-1)?.offset ?? 0) + 40);
  const third = await openStill(directory);
  await third.channel.put(events('f'));
  await third.channel.close();
  assert.deepEqual((await followed.read()).bodies, ['f']);
  const fourth = await FileChannel.open(directory, stillOptions);
  await fourth.put(events('g'));
  await fourth.close();
  assert.deepEqual((await followed.read()).bodies, ['g'], 'it goes on in the same segment after an orderly end');
  assert.deepEqual([followed.passed, between.passed], [[], []]);
});

/** Puts until it is killed before step `killAt`, or until there are `count`; gives how many were acknowledged. */
async function putUntilKilled(disk: KilledDisk, directory: string, count: number, each: () => Promise<unknown>) {
  const clock = new ManualClock();
  let acknowledged = 0;
  try {
    const channel = await FileChannel.open(directory, stillOptions, { disk: disk.disk, clock });
    for (; acknowledged < count; acknowledged += 1) {
      await channel.put(events(`${acknowledged} ${'x'.repeat(8000)}`));
      await each();
    }
  } catch (error) {
    if (!disk.wasKilled) throw error;
  } finally {
    await disk.end();
  }
  return acknowledged;
}

test('killed around the start of a segment: what is written again is not shown again', async (t) => {
  const puts = 12;
  const whole = new KilledDisk(nodeDisk(), Number.POSITIVE_INFINITY);
  await putUntilKilled(whole, join(await tempDir(t), 'c1'), puts, async () => undefined);
  const renamed = whole.steps.findIndex((step) => /^rename .*0000000000000002\.seg$/.test(step)) + 1;
  assert.ok(renamed > 1, whole.steps.join('\n'));
  let shownAgainst = 0;
  for (let killAt = renamed - 2; killAt <= renamed + 5; killAt += 1) {
    const directory = join(await tempDir(t), 'c1');
    let followed: Followed | undefined;
    const bodies: string[] = [];
    const read = async (): Promise<void> => {
      followed ??= await Followed.open(directory, { from: { fromSequence: 1 } });
      bodies.push(...(await followed.read()).bodies.map((body) => body.split(' ')[0] ?? ''));
    };
    const killed = new KilledDisk(nodeDisk(), killAt);
    const acknowledged = await putUntilKilled(killed, directory, puts, read);
    await read();
    shownAgainst = Math.max(shownAgainst, bodies.length - acknowledged + 1);
    const next = await FileChannel.open(directory, stillOptions);
    await next.put(events('end'));
    await next.close();
    await read();
    const unsaid = bodies.length - 1 - acknowledged;
    assert.ok(unsaid === 0 || unsaid === 1, `killed before step ${killAt}: ${unsaid} more than acknowledged`);
    assert.deepEqual(bodies, [...Array.from({ length: acknowledged + unsaid }, (_, at) => `${at}`), 'end']);
    assert.deepEqual(followed?.passed, []);
    await followed?.[Symbol.asyncDispose]();
  }
  assert.equal(shownAgainst, 1, 'one of the kills was behind the header that proves the last commit');
});

test('damage in what is being written is named by sequence, and what follows comes', async (t) => {
  for (const place of ['a payload', 'a group header', 'the header of the group behind what was read'] as const) {
    const directory = join(await tempDir(t), 'c1');
    const { channel, prove, kill } = await openStill(directory);
    const clock = new ManualClock();
    await using followed = await Followed.open(directory, { clock });
    await channel.put(events('a', 'b'));
    if (place.startsWith('the')) await channel.put(events('c'));
    assert.deepEqual((await followed.read()).bodies, place.startsWith('the') ? ['a', 'b'] : []);
    const [lost] = await channel.put(events('x', 'y', 'z'));
    const [name = ''] = segmentNames(directory);
    const put = putsIn(directory, name).at(-1);
    assert.ok(put !== undefined && lost !== undefined);
    await flip(join(directory, name), place === 'a payload' ? put.offset + 45 : put.groupOffset + 50);
    await channel.put(events('d'));
    await channel.put(events('e'));
    const bodies = [...(await followed.read()).bodies];
    clock.advance(2001);
    bodies.push(...(await followed.read()).bodies, ...(await followed.read()).bodies);
    await prove();
    bodies.push(...(await followed.read()).bodies);
    const expected = place.startsWith('the') ? ['c', 'd', 'e'] : ['a', 'b', 'd', 'e'];
    assert.deepEqual(bodies, expected, place);
    assert.deepEqual(followed.passed, [{ why: 'damaged', path: join(directory, name), ...lost }], place);
    await kill();
  }
});

test('a slow write is no damage, however long it takes', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const { channel, kill } = await openStill(directory);
  const clock = new ManualClock();
  await using followed = await Followed.open(directory, { clock });
  for (let count = 1; count <= 5; count += 1) {
    await channel.put(events(`${count}`));
    clock.advance(700_000);
    assert.deepEqual((await followed.read()).bodies, count === 1 ? [] : [`${count - 1}`]);
  }
  assert.deepEqual(followed.passed, []);
  await kill();
});

test('events that were taken and let go before they were read are named, each once', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  await using channel = await FileChannel.open(directory, stillOptions);
  await channel.put(numbered(1, 10));
  // Its time stands: what it finds, it finds without a look at the whole.
  await using followed = await Followed.open(directory, { from: { fromSequence: 1 }, clock: new ManualClock() });
  let next = 11;
  for (let round = 0; round < 3; round += 1) {
    for (const end = next + 600; next < end; next += 20) {
      await channel.put(numbered(next, 20, 'x'.repeat(200)));
      await (await channel.take(30, { waitMs: 1000 })).commit();
    }
    await followed.read();
  }
  await pass(300);
  await followed.read();
  assert.equal(followed.last, next - 1);
  assert.equal(followed.count + followed.passedCount, next - 1);
  assert.ok(followed.passedCount > 100 && followed.count > 100, `${followed.count} and ${followed.passedCount}`);
  assert.ok(followed.passed.every(({ why }) => why === 'gone'));
});

test('what is gone of a segment is named exactly, also where some of its sequences were never given', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const first = await openStill(directory);
  await first.channel.put(events('a'));
  await first.kill();
  const second = await openStill(directory);
  await using followed = await Followed.open(directory);
  await second.channel.put(events('b'));
  assert.deepEqual((await followed.read()).bodies, ['a'], 'now is before what the first owner did not prove');
  const [given] = await second.channel.put(numbered(1, 5));
  assert.ok(given !== undefined);
  const consumer = second.channel.consumer('k1');
  await consumer.commit((await consumer.take(7)).ranges);
  // One event of the next segment stays, so that its header is there to say what was before it.
  for (let count = 0; count < 40; count += 1) {
    await second.channel.put(events(`${count} ${'x'.repeat(8000)}`));
    const [batch] = (await consumer.take(1)).ranges;
    if (batch !== undefined && count !== 3) await consumer.commit([batch]);
  }
  assert.ok(!segmentNames(directory).includes('0000000000000002.seg'));
  await followed.read();
  const [gone] = followed.passed;
  assert.deepEqual([gone?.why, gone?.first], ['gone', given.first - 1]);
  assert.ok((gone?.last ?? 0) < given.first + 20, JSON.stringify(followed.passed));
  await second.kill();
});

test('bytes that are seen late are no damage', async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const { channel, kill } = await openStill(directory);
  await channel.put(events('a'));
  const [name = ''] = segmentNames(directory);
  let lateReads = 0;
  let lateAt = 0;
  const disk = diskWith(nodeDisk(), {
    open: async (path, how) => {
      const file = await nodeDisk().open(path, how);
      const read = async (target: Buffer, position: number): Promise<number> => {
        const bytes = await file.read(target, position);
        const isLate = lateReads > 0 && position <= lateAt && lateAt + pageBytes <= position + bytes;
        if (isLate && position >= 2 * pageBytes) {
          target.fill(0, lateAt - position, lateAt - position + pageBytes);
          lateReads -= 1;
        }
        return bytes;
      };
      return fileWith(file, { read });
    },
  });
  const clock = new ManualClock();
  await using followed = await Followed.open(directory, { clock, disk });
  assert.deepEqual((await followed.read()).bodies, []);
  for (const body of ['b', 'c', 'd']) await channel.put(events(body));
  lateAt = putsIn(directory, name)[1]?.groupOffset ?? 0;
  lateReads = 2;
  clock.advance(2001);
  const bodies = [...(await followed.read()).bodies];
  assert.equal(lateReads, 0);
  bodies.push(...(await followed.read()).bodies);
  assert.deepEqual([bodies, followed.passed], [['a', 'b', 'c'], []]);
  await kill();
});
