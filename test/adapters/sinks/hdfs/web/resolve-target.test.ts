/** Hadoop's configuration, and where a URI leads with it and without it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  type HadoopConfiguration,
  readHadoopConfiguration,
} from '../../../../../src/adapters/sinks/hdfs/web/hadoop-configuration.ts';
import { resolveTarget } from '../../../../../src/adapters/sinks/hdfs/web/resolve-target.ts';
import { tempDir } from '../../../../support/temp-dir.ts';

type Properties = Readonly<Record<string, string>>;

function xml(properties: Properties, final = ''): string {
  const lines = Object.entries(properties).map(
    ([name, value]) => `<property><name>${name}</name><value>${value}</value>${final}</property>`,
  );
  return `<configuration>${lines.join('\n')}</configuration>`;
}

async function configurationOf(t: TestContext, core: Properties, hdfs: Properties = {}): Promise<HadoopConfiguration> {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'core-site.xml'), xml(core));
  await writeFile(join(directory, 'hdfs-site.xml'), xml(hdfs));
  return await readHadoopConfiguration(directory, { ZONE: 'eu', EMPTY: '' });
}

function addressesOf(text: string, configuration?: HadoopConfiguration): readonly string[] {
  const resolved = resolveTarget(text, configuration);
  assert.ok('target' in resolved, JSON.stringify(resolved));
  return resolved.target.addresses;
}

function problemOf(text: string, configuration?: HadoopConfiguration): string {
  const resolved = resolveTarget(text, configuration);
  assert.ok('problem' in resolved, JSON.stringify(resolved));
  return resolved.problem;
}

const ha: Properties = {
  'dfs.nameservices': 'east, west',
  'dfs.ha.namenodes.east': 'nn1,nn2',
  'dfs.namenode.rpc-address.east.nn1': 'a.example:8020',
  'dfs.namenode.rpc-address.east.nn2': 'b.example:8020',
  'dfs.namenode.http-address.east.nn1': 'a.example:9870',
  'dfs.namenode.http-address.east.nn2': '0.0.0.0:9999',
  'dfs.namenode.https-address.east.nn1': 'a.example:9871',
  'dfs.namenode.rpc-address.west': 'w.example:8020',
};

test('without a configuration', () => {
  assert.deepEqual(resolveTarget('/logs/%Y', undefined), { kind: 'local', path: '/logs/%Y' });
  assert.deepEqual(resolveTarget('file:///logs', undefined), { kind: 'local', path: 'file:///logs' });
  assert.deepEqual(addressesOf('hdfs://nn.example:8020/a'), ['http://nn.example:9870', 'http://nn.example:50070']);
  assert.deepEqual(addressesOf('HDFS://nn/a'), ['http://nn:9870', 'http://nn:50070']);
  assert.deepEqual(addressesOf('webhdfs://nn/a'), ['http://nn:9870']);
  assert.deepEqual(addressesOf('webhdfs://gateway:14000/a'), ['http://gateway:14000']);
  assert.deepEqual(addressesOf('swebhdfs://[::1]/a'), ['https://[::1]:9871']);
  assert.deepEqual(resolveTarget('webhdfs://nn:9870/logs/%{host}/a b', undefined), {
    kind: 'web',
    path: '/logs/%{host}/a b',
    target: {
      prefix: 'webhdfs://nn:9870',
      addresses: ['http://nn:9870'],
      defaults: { umask: 0o022, replication: undefined, blockSizeBytes: undefined },
    },
  });
});

test('Knox: where its own path ends, and whose password it is', () => {
  for (const text of [
    'swebhdfs://me:p%40ss%3A@knox/gateway/prod/logs',
    'swebhdfs://me:p%40ss%3A@knox/gateway/prod/webhdfs/v1/logs',
  ]) {
    const resolved = resolveTarget(text, undefined);
    assert.ok('target' in resolved);
    assert.equal(resolved.path, '/logs');
    assert.equal(resolved.target.prefix, 'swebhdfs://knox/gateway/prod');
    assert.deepEqual(resolved.target.addresses, ['https://knox:8443/gateway/prod']);
    assert.deepEqual(resolved.target.credentials, { user: 'me', password: 'p@ss:' });
  }
  assert.match(problemOf('webhdfs://me:secret@nn/a'), /only swebhdfs: takes user:password@/);
  for (const text of [
    'swebhdfs://me@knox/gateway/p/a',
    'swebhdfs://me:se%ZZcret@knox/gateway/p/a',
    'webhdfs://u:secret@nn/a',
  ]) {
    assert.doesNotMatch(problemOf(text), /secret/);
  }
});

test('what leads nowhere', () => {
  assert.match(problemOf('s3a://bucket/a'), /'s3a:' is not written to/);
  assert.match(problemOf('hdfs:///a'), /names no host/);
  assert.match(problemOf('hdfs://%{nn}/a'), /names no host/);
  assert.match(problemOf('hdfs://nn'), /has no path/);
  assert.match(problemOf('hdfs:a'), /names no host/);
});

test('with a configuration', async (t) => {
  const configuration = await configurationOf(t, { 'fs.defaultFS': 'hdfs://east/' }, ha);
  const east = ['http://a.example:9870', 'http://b.example:9999'];
  assert.deepEqual(addressesOf('/logs', configuration), east);
  const bare = resolveTarget('/logs/%Y', configuration);
  assert.ok('target' in bare);
  assert.deepEqual([bare.path, bare.target.prefix], ['/logs/%Y', 'hdfs://east']);
  assert.match(problemOf('logs', configuration), /'logs' is relative/);
  assert.deepEqual(addressesOf('webhdfs://east/a', configuration), east);
  assert.deepEqual(addressesOf('swebhdfs://east/a', configuration), [
    'https://a.example:9871',
    'https://b.example:9871',
  ]);
  assert.deepEqual(addressesOf('hdfs://west/a', configuration), ['http://w.example:9870']);
  assert.deepEqual(addressesOf('hdfs://b.example:8020/a', configuration), ['http://b.example:9999']);
  assert.deepEqual(addressesOf('hdfs://c:8020/a', configuration), ['http://c:9870', 'http://c:50070']);
  const secure = await configurationOf(
    t,
    { 'fs.defaultFS': 'hdfs://east' },
    { ...ha, 'dfs.http.policy': 'HTTPS_ONLY' },
  );
  assert.deepEqual(addressesOf('/logs', secure), ['https://a.example:9871', 'https://b.example:9871']);
  assert.deepEqual(addressesOf('hdfs://c:8020/a', secure), ['https://c:9871', 'https://c:50470']);
  const single = await configurationOf(
    t,
    { 'fs.default.name': 'hdfs://nn:8020' },
    { 'dfs.namenode.http-address': 'nn:9000' },
  );
  assert.deepEqual(addressesOf('/a', single), ['http://nn:9000']);
  assert.deepEqual(addressesOf('hdfs://other:8020/a', single), ['http://other:9870', 'http://other:50070']);
  const local = await configurationOf(t, { 'fs.defaultFS': 'file:///' });
  assert.deepEqual(resolveTarget('/a', local), { kind: 'local', path: '/a' });
  const lacking = await configurationOf(t, {}, { 'dfs.nameservices': 'x', 'dfs.ha.namenodes.x': 'n' });
  assert.match(
    problemOf('hdfs://x/a', lacking),
    /neither dfs\.namenode\.http-address\.x\.n nor .*rpc-address\.x\.n is set/,
  );
});

test('what files are made with', async (t) => {
  const defaultsOf = async (hdfs: Properties) => {
    const resolved = resolveTarget('webhdfs://nn/a', await configurationOf(t, {}, hdfs));
    return 'target' in resolved ? resolved.target.defaults : resolved;
  };
  const preset = { umask: 0o022, replication: undefined, blockSizeBytes: undefined };
  assert.deepEqual(await defaultsOf({}), preset);
  const set = { 'fs.permissions.umask-mode': '027', 'dfs.replication': '2', 'dfs.blocksize': '256m' };
  assert.deepEqual(await defaultsOf(set), { umask: 0o027, replication: 2, blockSizeBytes: 268_435_456 });
  assert.deepEqual(await defaultsOf({ 'dfs.block.size': '134217728' }), { ...preset, blockSizeBytes: 134_217_728 });
  assert.deepEqual(await defaultsOf({ 'fs.permissions.umask-mode': 'u=rwx,g=rx,o=' }), { ...preset, umask: 0o027 });
  assert.deepEqual(await defaultsOf({ 'fs.permissions.umask-mode': '1777' }), { ...preset, umask: 0o777 });
  for (const [key, value] of [
    ['dfs.replication', '0'],
    ['dfs.blocksize', 'much'],
    ['fs.permissions.umask-mode', '9'],
  ] as const) {
    const { problem } = (await defaultsOf({ [key]: value })) as { problem: string };
    assert.match(problem, new RegExp(`${key.replaceAll('.', '\\.')} is '${value}', which is not understood`));
  }
});

test('variables are replaced, and final stays', async (t) => {
  const of = (name: string): string => `\${${name}}`;
  const core = {
    host: `nn.${of('env.ZONE')}.example`,
    'fs.defaultFS': `hdfs://${of('host')}:${of('port')}`,
    port: `80${of('tail')}`,
    tail: '20',
    loop: of('pool'),
    pool: of('loop'),
    unknown: `${of('java.home')}/x`,
    preset: `${of('env.NONE:-a')}${of('env.EMPTY-b')}`,
  };
  const configuration = await configurationOf(t, core);
  assert.equal(configuration.get('fs.defaultFS'), 'hdfs://nn.eu.example:8020');
  assert.equal(configuration.get('preset'), 'a');
  assert.equal(configuration.get('none'), undefined);
  assert.throws(() => configuration.get('loop'), /goes through more than 20 others/);
  assert.throws(
    () => configuration.get('unknown'),
    /unknown is '\$\{java\.home\}\/x': '\$\{java\.home\}' is not known here/,
  );
  const directory = await tempDir(t);
  await writeFile(join(directory, 'core-site.xml'), xml({ a: '1' }, '<final>true</final>'));
  await writeFile(join(directory, 'hdfs-site.xml'), xml({ a: '2', b: '2' }));
  const final = await readHadoopConfiguration(directory, {});
  assert.deepEqual([final.get('a'), final.get('b')], ['1', '2']);
});

test('a directory that holds no configuration, and a file that cannot be read', async (t) => {
  const directory = await tempDir(t);
  await assert.rejects(readHadoopConfiguration(directory, {}), /holds neither core-site\.xml nor hdfs-site\.xml/);
  await writeFile(join(directory, 'hdfs-site.xml'), '<configuration>\n<x/></configuration>');
  await assert.rejects(readHadoopConfiguration(directory, {}), /hdfs-site\.xml, line 2, column 1: <x> where/);
  await writeFile(join(directory, 'hdfs-site.xml'), Buffer.from([0x3c, 0xff, 0xfe]));
  await assert.rejects(readHadoopConfiguration(directory, {}), /cannot read .*hdfs-site\.xml: .*not valid/);
  await writeFile(join(directory, 'hdfs-site.xml'), Buffer.alloc(5_000_000, ' '));
  await assert.rejects(readHadoopConfiguration(directory, {}), /it has 5000000 bytes, and 4194304 at most are read/);
});
