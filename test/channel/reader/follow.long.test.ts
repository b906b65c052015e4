/** Two followers beside a fast owner: each event comes once and in order, or is named as gone; memory stays flat. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { mib } from '../../../src/base/units.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { Followed } from '../../support/followed.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';

const eventCount = 3_000_000;
/** So far the slow one lets the owner go ahead: several segments, which are used again meanwhile. */
const behindEvents = 500_000;
const putEvents = 100;
const putsAtOnce = 8;
const options = { segmentBytes: mib, minimumFreeBytes: 0, checkpoint: 'memory' } as const;
/** Of the process with the followers; their buffers are of a few MiB. */
const growthBytesMax = 96 * mib;

/** Puts the numbers from 1 on, takes them as fast as it can, and closes. */
const owner = `import { FileChannel } from '${join(root, 'src/channel/file-channel.ts')}';
const channel = await FileChannel.open(process.argv[1], ${JSON.stringify({ ...options, capacityEvents: 100_000 })});
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('data', resolve));
let given = 0;
const produce = async () => {
  while (given < ${eventCount}) {
    const first = given + 1;
    given += ${putEvents};
    const body = (at) => Buffer.from(String(first + at));
    await channel.put(Array.from({ length: ${putEvents} }, (_, at) => ({ headers: {}, body: body(at) })));
  }
};
let taken = 0;
const consume = async () => {
  while (taken < ${eventCount}) {
    const batch = await channel.take(5000, { waitMs: 100 });
    await batch.commit();
    taken += batch.events.length;
  }
};
await Promise.all([consume(), ...Array.from({ length: ${putsAtOnce} }, produce)]);
await channel.close();
process.exit(0);`;

test('a fast owner over recycled segments: each event once, or named', { timeout: 300_000 }, async (t) => {
  const directory = join(await tempDir(t), 'c1');
  await (await FileChannel.open(directory, options)).close();
  const onEvent = ({ event }: { readonly event: { readonly sequence: number; readonly body: Uint8Array } }): void => {
    if (Number(Buffer.from(event.body).toString('latin1')) !== event.sequence) assert.fail(`${event.sequence}`);
  };
  await using prompt = await Followed.open(directory, { onEvent });
  await using slow = await Followed.open(directory, { onEvent });
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', owner, directory], {
    cwd: root,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  child.stdin.write('go\n');
  const startMs = performance.now();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  let rssBytes = 0;
  let endMs = 0;
  const follow = async (followed: Followed, pause: () => Promise<void>): Promise<void> => {
    while (!isOver) {
      await followed.drain();
      endMs = performance.now();
      if (rssBytes === 0 && followed.last > eventCount / 10) rssBytes = process.memoryUsage().rss;
      await pause();
    }
    for (let look = 0; look < 2; look += 1) await followed.drain();
  };
  const fallBehind = async (): Promise<void> => {
    for (const dueAt = slow.last + behindEvents; !isOver && prompt.last < dueAt; ) await pass(20);
  };
  await Promise.all([follow(prompt, () => pass(5)), follow(slow, fallBehind)]);
  assert.deepEqual(await ended, [0, null]);
  const growth = process.memoryUsage().rss - rssBytes;
  const seconds = (endMs - startMs) / 1000;
  for (const [name, followed] of Object.entries({ prompt, slow })) {
    assert.ok(
      followed.passed.every(({ why }) => why === 'gone'),
      JSON.stringify(followed.passed.slice(0, 3)),
    );
    assert.equal(followed.last, eventCount, name);
    assert.equal(followed.count + followed.passedCount, eventCount, name);
    assert.ok(followed.count > eventCount / 100, `${name}: ${followed.count} seen`);
    const result = `${followed.count} seen, ${followed.passedCount} gone in ${followed.passed.length} ranges`;
    const all = `${eventCount} events in ${seconds.toFixed(1)} s`;
    console.log(`shows: tail: a ${name} follower of ${all}: ${result}`);
  }
  assert.ok(slow.passedCount > 0, 'the slow one has to miss some, or nothing is shown of what is gone');
  assert.ok(growth < growthBytesMax, `${(growth / mib).toFixed(0)} MiB more`);
  const last =
    (await readdir(directory))
      .filter((name) => /^[0-9a-f]{16}\.seg$/.test(name))
      .sort()
      .at(-1) ?? '';
  const segments = Number.parseInt(last, 16);
  assert.ok(segments > 20, `${segments} segments`);
  console.log(
    `shows: tail: ${segments} segments, memory ${(growth / mib).toFixed(0)} MiB more at the end than at a tenth`,
  );
});
