/** One mistake is one error: what is bound to a broken part is not blamed too. Leniently all of it is left out. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { goodLines, tryFiles } from './small-registry.ts';

const brokenChannel = goodLines({
  'a1.channels': 'c1 c2',
  'a1.channels.c1.capacity': 'many',
  'a1.channels.c2.type': 'file',
  'a1.sources': 'r1 r2',
  'a1.sources.r1.channels': 'c1 c2',
  'a1.sources.r2.type': 'seq',
  'a1.sources.r2.channels': 'c1',
});

test('a broken channel: one error', async (t) => {
  const { lines } = await tryFiles(t, [brokenChannel]);
  assert.deepEqual(lines, ["a.properties:9:27 a1.channels.c1.capacity: 'many' is not allowed: an integer from 1"]);
});

test('a broken channel, leniently: it goes, and what has no other', async (t) => {
  const { lines, plans, hasErrors } = await tryFiles(t, [brokenChannel], { isLenient: true });
  assert.deepEqual(lines, [
    'a.properties:8:23 a1.sinks.k1.channel: warning: its channel is not there; the sink is left out, as Flume does',
    "a.properties:9:27 a1.channels.c1.capacity: warning: 'many' is not allowed: an integer from 1; the channel is \
left out, as Flume does",
    'a.properties:12:26 a1.sources.r2.channels: warning: none of its channels is there; the source is left out, as \
Flume does',
  ]);
  assert.equal(hasErrors, false);
  assert.deepEqual(
    plans[0]?.channels.map(({ name }) => name),
    ['c2'],
  );
  assert.deepEqual(
    plans[0]?.sources.map(({ name, channels }) => [name, channels]),
    [['r1', ['c2']]],
  );
  assert.deepEqual(plans[0]?.sinks, []);
});

test('a broken sink in a group, strictly and leniently', async (t) => {
  const text = goodLines({
    'a1.sinks': 'k1 k2',
    'a1.sinks.k2.type': 'hdfs',
    'a1.sinks.k2.channel': 'c1',
    'a1.sinkgroups': 'g1',
    'a1.sinkgroups.g1.sinks': 'k1 k2',
    'a1.sinkgroups.g1.processor.type': 'failover',
  });
  const strict = await tryFiles(t, [text]);
  assert.deepEqual(strict.lines, ['a.properties:9:1 a1.sinks.k2.hdfs.path: is missing: the directory']);
  const { lines, plans } = await tryFiles(t, [text], { isLenient: true });
  assert.equal(lines.length, 2);
  assert.match(
    lines[1] ?? '',
    /12:26 a1\.sinkgroups\.g1\.sinks: warning: sink 'k2' is not there; that sink is left out/,
  );
  assert.deepEqual(plans[0]?.groups[0]?.sinks, ['k1']);
});

test('what a definition checks itself, and a serializer', async (t) => {
  const text = goodLines({
    'a1.channels.c1.capacity': '10',
    'a1.channels.c1.transactionCapacity': '20',
    'a1.sinks.k1.type': 'hdfs',
    'a1.sinks.k1.hdfs.path': '/x',
    'a1.sinks.k1.serializer': 'TEXTS',
  });
  const { lines } = await tryFiles(t, [text]);
  assert.deepEqual(lines, [
    'a.properties:10:38 a1.channels.c1.transactionCapacity: is more than capacity',
    "a.properties:12:26 a1.sinks.k1.serializer: no serializer has the type 'TEXTS': do you mean 'TEXT'? There \
are TEXT; or the path or package of a module",
  ]);
});

test('the default processor takes one sink', async (t) => {
  const text = goodLines({
    'a1.sinks': 'k1 k2',
    'a1.sinks.k2.type': 'logger',
    'a1.sinks.k2.channel': 'c1',
    'a1.sinkgroups': 'g1',
    'a1.sinkgroups.g1.sinks': 'k1 k2',
  });
  const { lines } = await tryFiles(t, [text]);
  assert.deepEqual(lines, [
    'a.properties:12:1 a1.sinkgroups.g1.processor.type: takes exactly one sink, not 2: use failover or load_balance',
  ]);
});

test('a batch of a sink that is larger than a transaction', async (t) => {
  const text = goodLines({
    'a1.sinks.k1.type': 'hdfs',
    'a1.sinks.k1.hdfs.path': '/x',
    'a1.sinks.k1.hdfs.batchSize': '101',
  });
  const { lines } = await tryFiles(t, [text]);
  assert.equal(
    lines.join(),
    "a.properties:10:30 a1.sinks.k1.hdfs.batchSize: 101 is more than the transactionCapacity of channel 'c1', 100: \
lower the one or raise the other",
  );
});

test('a selector that names a channel of the agent which is none of the source’s: at each name', async (t) => {
  const text = goodLines({
    'a1.channels': 'c1 errors',
    'a1.channels.errors.type': 'file',
    'a1.sinks.k1.channel': 'errors',
    'a1.sources.r1.selector.type': 'multiplexing',
    'a1.sources.r1.selector.header': 'level',
    'a1.sources.r1.selector.mapping.ERROR': 'c1 errors',
    'a1.sources.r1.selector.optional.WARN': 'errors',
    'a1.sources.r1.selector.default': 'c11',
  });
  const { lines } = await tryFiles(t, [text]);
  assert.deepEqual(lines, [
    "a.properties:12:40 a1.sources.r1.selector.mapping.ERROR: the source has no channel 'errors': it has c1",
    "a.properties:13:40 a1.sources.r1.selector.optional.WARN: the source has no channel 'errors': it has c1",
    "a.properties:14:34 a1.sources.r1.selector.default: the source has no channel 'c11': do you mean 'c1'?",
  ]);
});

test('a selector that names a broken channel: one error; leniently the source goes with it', async (t) => {
  const text = goodLines({
    'a1.channels': 'c1 c2',
    'a1.channels.c2.type': 'fille',
    'a1.sources.r1.channels': 'c1 c2',
    'a1.sources.r1.selector.optional': 'c2',
  });
  const strict = await tryFiles(t, [text]);
  assert.equal(strict.lines.length, 1, strict.lines.join('\n'));
  assert.match(strict.lines[0] ?? '', /a1\.channels\.c2\.type: no channel has the type 'fille'/);
  const { lines, plans, hasErrors } = await tryFiles(t, [text], { isLenient: true });
  assert.match(
    lines.join('\n'),
    /:10:35 a1\.sources\.r1\.selector\.optional: warning: the source has no channel 'c2'.*; the source is left out/,
  );
  assert.equal(hasErrors, false);
  assert.deepEqual(plans[0]?.sources, []);
});

test('a source without channels has one error, whatever its selector names', async (t) => {
  const text = goodLines({
    'a1.sources.r1.channels': undefined,
    'a1.sources.r1.selector.optional': 'c1',
  });
  const { lines } = await tryFiles(t, [text]);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', /a1\.sources\.r1\.channels: is missing/);
});
