/** onUndeliverable and deadLetterChannel: known for every sink, and checked. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { goodLines, tryFiles } from './small-registry.ts';

/** k1 on c1, k2 on c2; c1 to c3 are file channels, m1 is in memory. */
function tryKeys(t: TestContext, changes: Readonly<Record<string, string>>, isLenient = false) {
  const text = goodLines({
    'a1.channels': 'c1 c2 c3 m1',
    'a1.channels.c1.type': 'file',
    'a1.channels.c2.type': 'file',
    'a1.channels.c3.type': 'file',
    'a1.channels.m1.type': 'memory',
    'a1.sources.r1.channels': 'c1 c3 m1',
    'a1.sinks': 'k1 k2',
    'a1.sinks.k2.type': 'logger',
    'a1.sinks.k2.channel': 'c2',
    ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`a1.sinks.${key}`, value])),
  });
  return tryFiles(t, [text], { isLenient });
}

/** What is said, without its place. */
async function saidOf(t: TestContext, changes: Readonly<Record<string, string>>): Promise<string[]> {
  const { lines } = await tryKeys(t, changes);
  return lines.map((line) => line.replace(/^a\.properties:\d+:\d+ a1\.sinks\./, ''));
}

const deadletter = { 'k1.onUndeliverable': 'deadletter' };

test('a sink has its dead letter channel, whatever the sink; block is the default', async (t) => {
  const { plans, lines } = await tryKeys(t, { ...deadletter, 'k1.deadLetterChannel': 'c2' });
  assert.deepEqual(lines, []);
  assert.deepEqual(
    plans[0]?.sinks.map(({ name, deadLetterChannel }) => [name, deadLetterChannel]),
    [
      ['k1', 'c2'],
      ['k2', undefined],
    ],
  );
  assert.deepEqual(await saidOf(t, { 'k1.onUndeliverable': 'BLOCK' }), []);
  const changed = await tryKeys(t, { ...deadletter, 'k1.deadLetterChannel': 'c3' });
  assert.notEqual(changed.plans[0]?.sinks[0]?.fingerprint, plans[0]?.sinks[0]?.fingerprint);
});

test('a channel that only dead letters go to is one of the agent', async (t) => {
  const text = goodLines({
    'a1.channels': 'c1 c2',
    'a1.channels.c2.type': 'file',
    'a1.sinks.k1.onUndeliverable': 'deadletter',
    'a1.sinks.k1.deadLetterChannel': 'c2',
  });
  const { plans, lines } = await tryFiles(t, [text]);
  assert.deepEqual(lines, []);
  assert.deepEqual(
    plans[0]?.channels.map(({ name }) => name),
    ['c1', 'c2'],
  );
});

test('what is wrong is said, with what is allowed', async (t) => {
  const to = (deadLetterChannel: string) => ({ ...deadletter, 'k1.deadLetterChannel': deadLetterChannel });
  const cases: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{ 'k1.onUndeliverable': 'drop' }, ["k1.onUndeliverable: 'drop' is not allowed: one of block, deadletter"]],
    [deadletter, ['k1.deadLetterChannel: is missing: the channel that events go to which can never be delivered']],
    [to('c1'), ["k1.deadLetterChannel: 'c1' is the sink's own channel: dead letters go to another one"]],
    [to('c2 c3'), ["k1.deadLetterChannel: dead letters go to one channel, not to 'c2 c3'"]],
    [to('c22'), ["k1.deadLetterChannel: no channel 'c22': do you mean 'c2'?"]],
    [
      to('m1'),
      [
        "k1.deadLetterChannel: warning: channel 'm1' is in memory: what is in it is gone when the agent stops; \
use a file channel",
      ],
    ],
    [
      { 'k1.deadLetterChannel': 'c2' },
      ['k1.deadLetterChannel: warning: has no effect: it goes with onUndeliverable = deadletter'],
    ],
    [
      { 'k1.onUndeliverable': 'block', 'k1.deadLetterChannel': 'nowhere' },
      ['k1.deadLetterChannel: warning: has no effect: it goes with onUndeliverable = deadletter'],
    ],
    [
      { ...to('c2'), 'k2.onUndeliverable': 'deadletter', 'k2.deadLetterChannel': 'c1' },
      [
        "k1.deadLetterChannel: dead letters would come back to 'c1': those of 'c2' go there in turn",
        "k2.deadLetterChannel: dead letters would come back to 'c2': those of 'c1' go there in turn",
      ],
    ],
    [{ ...to('c2'), 'k2.onUndeliverable': 'deadletter', 'k2.deadLetterChannel': 'c3' }, []],
  ];
  for (const [changes, expected] of cases) assert.deepEqual(await saidOf(t, changes), expected);
});

test('leniently the sinks of a circle are left out', async (t) => {
  const circle = { 'k1.deadLetterChannel': 'c2', 'k2.onUndeliverable': 'deadletter', 'k2.deadLetterChannel': 'c1' };
  const { plans, hasErrors } = await tryKeys(t, { ...deadletter, ...circle }, true);
  assert.equal(hasErrors, false);
  assert.deepEqual(plans[0]?.sinks, []);
});

test('leniently the sink is left out', async (t) => {
  const broken = { ...deadletter, 'k1.deadLetterChannel': 'c9' };
  for (const changes of [deadletter, broken, { ...deadletter, 'k1.deadLetterChannel': 'c1' }]) {
    const { plans, hasErrors, lines } = await tryKeys(t, changes, true);
    assert.equal(hasErrors, false);
    assert.match(lines.join('\n'), /the sink is left out, as Flume does/);
    assert.deepEqual(
      plans[0]?.sinks.map(({ name }) => name),
      ['k2'],
    );
  }
});
