/** What is allowed, and said: keys without effect, and what hurts later. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { goodLines, tryFiles } from './small-registry.ts';

const quietHdfs = {
  'a1.sinks.k1.type': 'hdfs',
  'a1.sinks.k1.hdfs.path': '/logs',
  'a1.sinks.k1.hdfs.rollCount': '0',
  'a1.sinks.k1.hdfs.rollSize': '134217728',
  'a1.sinks.k1.hdfs.inUsePrefix': '.',
};

async function warningsOf(
  t: test.TestContext,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const { problems, hasErrors } = await tryFiles(t, [goodLines(changes)]);
  assert.equal(hasErrors, false, JSON.stringify(problems));
  return problems.map(({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`);
}

const cases: readonly (readonly [
  changes: Readonly<Record<string, string | undefined>>,
  expected: readonly string[],
])[] = [
  [{}, []],
  [{ 'a1.sources.r1.batchsize': '7' }, ["9:1 a1.sources.r1.batchsize: is not known here: do you mean 'batchSize'?"]],
  [{ 'a1.sources.r2.type': 'seq' }, ["9:1 a1.sources.r2: has no effect: 'r2' is not in a1.sources"]],
  [
    { 'a1.sources.r1.interceptors.i1.type': 'host' },
    ["9:1 a1.sources.r1.interceptors.i1: has no effect: 'i1' is not in a1.sources.r1.interceptors"],
  ],
  [
    { 'a1.channels': 'c1 c2', 'a1.channels.c2.type': 'memory' },
    ['9:1 a1.channels.c2: is left out: no source and no sink is bound to it'],
  ],
  [{ 'a1.sinks.k1.config': 'com.example.X' }, ['9:1 a1.sinks.k1.config: has no effect: it names a class of Java']],
  [
    { 'a1.sinkgroups': 'g1', 'a1.sinkgroups.g1.sinks': 'k1', 'a1.sinkgroups.g1.procesor.type': 'failover' },
    ['11:1 a1.sinkgroups.g1.procesor.type: is not known here'],
  ],
  [quietHdfs, []],
  [
    { ...quietHdfs, 'a1.sinks.k1.hdfs.rollCount': undefined, 'a1.sinks.k1.hdfs.rollSize': undefined },
    [
      '7:1 a1.sinks.k1.hdfs.rollCount: is left at 10: a new file begins after every 10 events; 0 turns that off',
      '7:1 a1.sinks.k1.hdfs.rollSize: is left at 1024: a new file begins after every 1024 bytes; 0 turns that off',
    ],
  ],
  [
    { ...quietHdfs, 'a1.sinks.k1.hdfs.inUsePrefix': 'x' },
    [
      "12:32 a1.sinks.k1.hdfs.inUsePrefix: does not begin with '_' or '.': Hive, Spark and MapReduce read files that \
are still being written; hdfs.inUsePrefix = . hides them",
    ],
  ],
  [
    { ...quietHdfs, 'a1.sinks.k1.hdfs.path': 'file:///logs', 'a1.sinks.k1.hdfs.kerberosPrincipal': 'flume' },
    [
      '13:1 a1.sinks.k1.hdfs.kerberosPrincipal: is not known here',
      '13:1 a1.sinks.k1.hdfs.kerberosPrincipal: has no effect: local files are written as the user that runs the agent',
    ],
  ],
];

test('each warning', async (t) => {
  for (const [changes, expected] of cases) assert.deepEqual(await warningsOf(t, changes), expected);
});

test('a channel that nothing is bound to is left out', async (t) => {
  const { plans } = await tryFiles(t, [goodLines({ 'a1.channels': 'c2 c1', 'a1.channels.c2.type': 'memory' })]);
  assert.deepEqual(
    plans[0]?.channels.map(({ name }) => name),
    ['c1'],
  );
});

test('a time escape that nothing feeds', async (t) => {
  const dated = { ...quietHdfs, 'a1.sinks.k1.hdfs.path': '/logs/%Y-%m/%{host}' };
  const expected =
    "9:25 a1.sinks.k1.hdfs.path: %Y needs a timestamp, and nothing gives one to the events of source 'r1': add \
a timestamp interceptor there, or set hdfs.useLocalTimeStamp = true";
  assert.deepEqual(await warningsOf(t, dated), [expected]);
  const stamped = { 'a1.sources.r1.interceptors': 'i1', 'a1.sources.r1.interceptors.i1.type': 'timestamp' };
  const elsewhere = { ...stamped, 'a1.sources.r1.interceptors.i1.headerName': 'at' };
  assert.deepEqual(await warningsOf(t, { ...dated, ...elsewhere }), [expected]);
  assert.deepEqual(await warningsOf(t, { ...dated, ...stamped }), []);
  assert.deepEqual(await warningsOf(t, { ...dated, 'a1.sinks.k1.hdfs.useLocalTimeStamp': 'true' }), []);
  const plain = { ...quietHdfs, 'a1.sinks.k1.hdfs.path': '/logs/%{Y}/%%Y/%[localhost]' };
  assert.deepEqual(await warningsOf(t, plain), []);
  const prefix = await warningsOf(t, { ...quietHdfs, 'a1.sinks.k1.hdfs.filePrefix': 'x%H' });
  assert.match(prefix.join(), /^13:31 a1\.sinks\.k1\.hdfs\.filePrefix: %H needs a timestamp/);
});

test('a fingerprint changes with the type and each property, and not with their order', async (t) => {
  const base = { 'a1.sources.r1.batchSize': '7', 'a1.sources.r1.interceptors': 'i1' };
  const fingerprint = async (changes: Readonly<Record<string, string>>) => {
    const { plans, lines } = await tryFiles(t, [
      goodLines({ ...base, 'a1.sources.r1.interceptors.i1.type': 'timestamp', ...changes }),
    ]);
    assert.deepEqual(lines, []);
    const [source] = plans[0]?.sources ?? [];
    return [source?.fingerprint, source?.interceptors[0]?.fingerprint, plans[0]?.channels[0]?.fingerprint];
  };
  const [source, interceptor, channel] = await fingerprint({});
  assert.match(source ?? '', /^[0-9a-f]{64}$/);
  const alias = await fingerprint({ 'a1.sources.r1.type': 'org.apache.flume.source.SequenceGeneratorSource' });
  assert.deepEqual(alias, [source, interceptor, channel]);
  const batch = await fingerprint({ 'a1.sources.r1.batchSize': '8' });
  assert.notEqual(batch[0], source);
  assert.deepEqual(batch.slice(1), [interceptor, channel]);
  const header = await fingerprint({ 'a1.sources.r1.interceptors.i1.headerName': 'at' });
  assert.notEqual(header[0], source);
  assert.notEqual(header[1], interceptor);
  const sized = await fingerprint({ 'a1.channels.c1.capacity': '200' });
  assert.deepEqual(sized.slice(0, 2), [source, interceptor]);
  assert.notEqual(sized[2], channel);
  const reordered = goodLines({ ...base, 'a1.sources.r1.interceptors.i1.type': 'timestamp' });
  const { plans } = await tryFiles(t, [reordered.trim().split('\n').reverse().join('\n')]);
  assert.equal(plans[0]?.sources[0]?.fingerprint, source);
});
