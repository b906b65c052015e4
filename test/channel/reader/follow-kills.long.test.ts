/**
 * A follower beside owners that are killed, at every step of the first one, and at some step of the next ones: what was
 * acknowledged comes once and in order, or is named as gone; what was not comes once at most.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { dumpEvents } from '../../../src/channel/reader/dump.ts';
import { Followed } from '../../support/followed.ts';
import { KilledDisk } from '../../support/killed-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { events, stillOptions } from '../../support/still-owner.ts';
import { tempDir } from '../../support/temp-dir.ts';

const putsPerLife = 24;
const padding = 'x'.repeat(8000);
const seed = 20261123;

/** Sequence → body of what was acknowledged. */
type Books = Map<number, string>;

interface Life {
  readonly directory: string;
  readonly killAt: number;
  readonly random: SeededRandom;
  readonly books: Books;
  /** Between two puts. */
  readonly read: () => Promise<void>;
}

let bodies = 0;

/** Puts, takes and closes until it is killed; gives the steps it took. */
async function live({ directory, killAt, random, books, read }: Life): Promise<number> {
  const disk = new KilledDisk(nodeDisk(), killAt);
  const clock = new ManualClock();
  try {
    const channel = await FileChannel.open(directory, stillOptions, { disk: disk.disk, clock });
    for (let put = 0; put < putsPerLife; put += 1) {
      bodies += 1;
      const [range] = await channel.put(events(`${bodies} ${padding}`));
      if (range !== undefined) books.set(range.first, `${bodies}`);
      if (random.bytes(1).readUInt8() < 64) await read();
      if (random.bytes(1).readUInt8() < 200) await (await channel.take(3)).commit();
    }
    await channel.close();
  } catch (error) {
    if (!disk.wasKilled) throw error;
  } finally {
    await disk.end();
  }
  return disk.steps.length;
}

test('killed at every step, and again: once and in order, or named', { timeout: 300_000 }, async (t) => {
  const random = new SeededRandom(seed);
  const nobody = async (): Promise<void> => undefined;
  const wholeLife = { directory: join(await tempDir(t), 'c1'), killAt: Number.POSITIVE_INFINITY, random };
  const steps = await live({ ...wholeLife, books: new Map(), read: nobody });
  let [seenCount, goneCount] = [0, 0];
  for (let killAt = 1; killAt <= steps; killAt += 1) {
    const directory = join(await tempDir(t), 'c1');
    await (await FileChannel.open(directory, stillOptions)).close();
    const books: Books = new Map();
    const seen: Books = new Map();
    const onEvent = ({ event }: { readonly event: { readonly sequence: number; readonly body: Uint8Array } }): void => {
      seen.set(event.sequence, Buffer.from(event.body).toString().split(' ')[0] ?? '');
    };
    const clock = new ManualClock();
    await using followed = await Followed.open(directory, { onEvent, clock });
    const read = (): Promise<void> => followed.drain();
    const next = (): number => 1 + (random.bytes(2).readUInt16LE() % 24);
    await live({ directory, killAt, random, books, read });
    await live({ directory, killAt: next(), random, books, read });
    if (killAt % 2 === 0) await read();
    await live({ directory, killAt: next(), random, books, read: nobody });
    await live({ directory, killAt: Number.POSITIVE_INFINITY, random, books, read });
    // Where numbers of segments are left out, the next one is found by a look at all of them.
    clock.advance(1000);
    await read();
    const isGone = (sequence: number): boolean =>
      followed.passed.some(({ first, last }) => first <= sequence && sequence <= last);
    for (const [sequence, body] of books) {
      if (!isGone(sequence)) assert.equal(seen.get(sequence), body, `killed at ${killAt}: ${sequence}`);
    }
    assert.equal(new Set(seen.values()).size, seen.size, `killed at ${killAt}: one came twice`);
    assert.ok(
      followed.passed.every(({ why }) => why === 'gone'),
      JSON.stringify(followed.passed),
    );
    const view = await viewChannel(directory, {}, { disk: nodeDisk(), clock });
    for await (const { event } of dumpEvents(view, {})) {
      assert.ok(!isGone(event.sequence), `killed at ${killAt}: ${event.sequence} is there`);
    }
    seenCount += seen.size;
    goneCount += [...books.keys()].filter(isGone).length;
  }
  assert.ok(goneCount > 0, 'some have to go unread, or nothing is shown of what is gone');
  const figures = `${seenCount} events seen, ${goneCount} named as gone`;
  console.log(`shows: tail: ${steps} × 3 kills in a channel's life: ${figures}; none twice, none unnamed`);
});
