/** Where `hdfs.path` leads and as whom: the configuration's directory, the user, the token; Kerberos refused. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { checkHdfsKeys } from '../../../../src/adapters/sinks/hdfs/hdfs-keys.ts';
import { hdfsSink } from '../../../../src/adapters/sinks/hdfs/hdfs-sink.ts';
import { findTarget, TargetError } from '../../../../src/adapters/sinks/hdfs/open-target.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { valuesOf } from '../../contexts.ts';

const login = { 'hdfs.kerberosPrincipal': 'flume/_HOST@REALM', 'hdfs.kerberosKeytab': '/etc/flume.keytab' };

/** Such a directory, which makes `/logs` a path of HDFS. */
async function confDirectory(parent: string, name: string): Promise<string> {
  const directory = join(parent, name);
  await mkdir(directory);
  const property = '<property><name>fs.defaultFS</name><value>webhdfs://nn:9870</value></property>';
  await writeFile(join(directory, 'core-site.xml'), `<configuration>${property}</configuration>`);
  return directory;
}

test('Kerberos is refused for HDFS, by the check or at the start, and is nothing to local files', async (t) => {
  for (const path of ['hdfs://nn/logs', 'webhdfs://nn/logs', 'swebhdfs://nn/logs']) {
    const problems = checkHdfsKeys(valuesOf(hdfsSink, { 'hdfs.path': path, ...login }));
    assert.deepEqual(
      problems.map(({ key }) => key),
      Object.keys(login),
      path,
    );
    assert.match(problems[0]?.message ?? '', /through HttpFS or Knox .*, or with a delegation token/);
  }
  const values = valuesOf(hdfsSink, { 'hdfs.path': '/logs', ...login });
  assert.deepEqual(checkHdfsKeys(values), []);
  assert.equal((await findTarget(values, { environment: {}, confDirectories: [] })).kind, 'local');
  const environment = { HADOOP_CONF_DIR: await confDirectory(await tempDir(t), 'conf') };
  const refused = findTarget(values, { environment, confDirectories: [] });
  await assert.rejects(refused, (error) => error instanceof TargetError && error.problem.key in login);
  const local = valuesOf(hdfsSink, { 'hdfs.path': 'file:///logs', ...login });
  assert.deepEqual(checkHdfsKeys(local), []);
  assert.equal((await findTarget(local, { environment, confDirectories: [] })).kind, 'local');
});

test('the configuration is that of hdfs.confDir, else of --conf, else of the environment', async (t) => {
  const parent = await tempDir(t);
  const [own, option, ofEnvironment] = await Promise.all(
    ['own', 'option', 'environment'].map((name) => confDirectory(parent, name)),
  );
  const surroundings = { environment: { HADOOP_CONF_DIR: ofEnvironment }, confDirectories: [parent, option ?? ''] };
  const found = async (texts: Record<string, string>, given: Parameters<typeof findTarget>[1]) => {
    const target = await findTarget(valuesOf(hdfsSink, { 'hdfs.path': '/logs', ...texts }), given);
    return target.kind === 'web' ? target.confDirectory : undefined;
  };
  assert.equal(await found({ 'hdfs.confDir': own ?? '' }, surroundings), own);
  assert.equal(await found({}, surroundings), option);
  assert.equal(await found({}, { ...surroundings, confDirectories: [parent] }), ofEnvironment);
  assert.equal(await found({}, { environment: { HADOOP_CONF_DIR: '' }, confDirectories: [] }), undefined);
});

test('who writes: HADOOP_USER_NAME or the user of the system, or a token; a password counts more', async () => {
  const found = async (texts: Record<string, string>, environment: Record<string, string> = {}) => {
    const values = valuesOf(hdfsSink, { 'hdfs.path': 'webhdfs://nn/logs', ...texts });
    const target = await findTarget(values, { environment, confDirectories: [] });
    assert.equal(target.kind, 'web');
    return target.kind === 'web' ? [target.user, target.tokenFile] : [];
  };
  const system = userInfo().username;
  const environment = { HADOOP_USER_NAME: 'alice', HADOOP_TOKEN_FILE_LOCATION: '/run/all' };
  assert.deepEqual(await found({}), [system, undefined]);
  assert.deepEqual(await found({}, environment), ['alice', '/run/all']);
  assert.deepEqual(await found({ 'hdfs.delegationTokenFile': '/run/own' }, environment), ['alice', '/run/own']);
  const knox = { 'hdfs.path': 'swebhdfs://bob:secret@knox/gateway/default/logs' };
  assert.deepEqual(await found(knox, environment), ['alice', undefined]);
});
