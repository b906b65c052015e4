/** `forebay channel replay`: stopped by signals, started twice at once, and of an encrypted channel. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { forebay, type Ran } from '../support/forebay-here.ts';
import { type Sample, tellStory } from '../support/sample-channels.ts';
import { tempDir } from '../support/temp-dir.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';

/** Of its events, all but the taken ones are still waiting; replay sends both. */
async function makeSample(t: TestContext): Promise<Sample & { readonly home: string }> {
  const home = await tempDir(t);
  return { ...(await tellStory(home)), home };
}

async function untilThere(path: string, run: Promise<Ran>): Promise<void> {
  let ended: Ran | undefined;
  void run.then((ran) => {
    ended = ran;
  });
  while (!existsSync(path)) {
    assert.equal(ended, undefined, ended?.stderr);
    await pass(2);
  }
}

function eventsIn({ stdout }: Ran): { readonly sequence: number; readonly body: string; readonly encoding: string }[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test('SIGTERM is exit 143, Ctrl-C 130, and the same command goes on: each event once', async (t) => {
  const { directory, oracle, home } = await makeSample(t);
  const before = await snapshotOf(directory);
  const sent: number[] = [];
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    const slow = ['channel', 'replay', directory, '--rate', '100', '--json'];
    const unfinished = forebay(...slow, '--resume', join(home, signal));
    await untilThere(join(home, signal), unfinished);
    process.emit(signal, signal);
    const first = await unfinished;
    assert.equal(first.status, status, first.stderr);
    const told = JSON.parse(first.stderr);
    const rest = await forebay('channel', 'replay', directory, '--json', '--resume', join(home, signal));
    assert.equal(rest.status, 0, rest.stderr);
    const count = eventsIn(first).length;
    assert.deepEqual([told.isInterrupted, told.events, told.nextSequence], [true, count, count + 1]);
    assert.ok(count > 0 && count < oracle.events.length, `stopped after ${count}`);
    assert.deepEqual(
      [...eventsIn(first), ...eventsIn(rest)].map(({ sequence }) => sequence),
      oracle.events.map(({ sequence }) => sequence),
    );
    sent.push(count);
  }
  assert.deepEqual(await snapshotOf(directory), before);
  console.log(`shows: replay stopped by signals after ${sent.join(' and ')} of ${oracle.events.length}: each once`);
});

test('two replays with one resume file: the second is exit 75, to stdout and through a sink', async (t) => {
  const { directory, oracle, home } = await makeSample(t);
  const configuration = join(home, 'a.properties');
  const lines = ['channels = c1', 'channels.c1.type = file', `channels.c1.dataDirs = ${directory}`];
  const sink = ['sinks = k1', 'sinks.k1.type = null', 'sinks.k1.channel = c1'];
  await writeFile(configuration, [...lines, ...sink].map((line) => `a1.${line}\n`).join(''));
  const ways = [
    { args: ['--json'], resume: join(home, 'day.json'), mark: '' },
    { args: ['-f', configuration, '-n', 'a1', '--sink', 'k1'], resume: join(home, 'sink.json'), mark: '.channel' },
  ];
  for (const { args, resume, mark } of ways) {
    const all = ['channel', 'replay', directory, ...args, '--resume', resume];
    // Slow enough to be still at it, however slow the machine is.
    const first = forebay(...all, '--rate', '5');
    await untilThere(`${resume}${mark}`, first);
    const second = await forebay(...all);
    assert.deepEqual([second.status, second.stdout], [75, ''], second.stderr);
    assert.match(second.stderr, /another (replay|process)/);
    process.emit('SIGINT', 'SIGINT');
    const stopped = await first;
    assert.equal(stopped.status, 130, stopped.stderr);
    const third = await forebay(...all);
    assert.equal(third.status, 0, third.stderr);
  }
  const again = await forebay('channel', 'replay', directory, '--json', '--resume', join(home, 'day.json'));
  assert.equal(again.stdout, '');
  assert.equal(JSON.parse(again.stderr).nextSequence, oracle.events.length + 1);
  assert.deepEqual((await readdir(home)).sort(), ['a.properties', 'c1', 'day.json', 'day.json.lock', 'sink.json']);
});

test('an encrypted channel is sent with its key; without it, or with another, nothing is', async (t) => {
  const home = await tempDir(t);
  const [key, other] = [join(home, 'key'), join(home, 'other')];
  await writeFile(key, Buffer.alloc(32, 7));
  await writeFile(other, Buffer.alloc(32, 8));
  const options = { encryption: { activeKey: 1, keys: { 1: key } } };
  const { directory, oracle } = await tellStory(home, { options });
  const sent = await forebay('channel', 'replay', directory, '--key', `1=${key}`, '--json');
  assert.equal(sent.status, 0, sent.stderr);
  const bodies = eventsIn(sent).map(({ body, encoding }) => Buffer.from(body, encoding as BufferEncoding));
  assert.deepEqual(
    bodies,
    oracle.events.map(({ body }) => body),
  );
  for (const wrong of [[], ['--key', `1=${other}`]]) {
    const refused = await forebay('channel', 'replay', directory, ...wrong, '--json', '--resume', join(home, 'r'));
    assert.deepEqual([refused.status, refused.stdout], [1, ''], refused.stderr);
    assert.match(refused.stderr, /key/);
  }
  assert.deepEqual((await readdir(home)).sort(), ['c1', 'key', 'other']);
});
