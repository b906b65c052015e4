/** `forebay config check --connect` as a process, where there is no HDFS: test/interop has one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
}

/** Sinks k1, k2, … with these keys each, in a file of its own. Ten lines each, the first of which is hdfs.path. */
async function write(directory: string, sinks: readonly Readonly<Record<string, string>>[]): Promise<string> {
  const names = sinks.map((_, index) => `k${index + 1}`);
  const quiet = { 'hdfs.inUsePrefix': '.', 'hdfs.rollCount': '0', 'hdfs.rollSize': '0' };
  const lines = sinks.flatMap((keys, index) => {
    const all = { ...keys, type: 'hdfs', channel: 'c1', ...quiet };
    return Object.entries(all).map(([key, value]) => `a1.sinks.${names[index]}.${key} = ${value}`);
  });
  const first = ['a1.sources = r1', 'a1.channels = c1', `a1.sinks = ${names.join(' ')}`];
  const others = ['a1.channels.c1.type = memory', 'a1.sources.r1.type = seq', 'a1.sources.r1.channels = c1'];
  const file = join(directory, 'agent.properties');
  await writeFile(file, `${[...first, ...others, ...lines].join('\n')}\n`);
  return file;
}

function check(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Finished {
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), 'config', 'check', '--connect', ...args];
  const { HADOOP_CONF_DIR: _, ...others } = process.env;
  const env = { ...others, HADOOP_USER_NAME: 'alice', ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, env, encoding: 'utf8' });
  assert.equal(stderr, '');
  return { status, stdout };
}

test('local directories: who writes there, and that nothing is made', async (t) => {
  const directory = await tempDir(t);
  const file = await write(directory, [{ 'hdfs.path': `file://${directory}/out/%{host}` }, { 'hdfs.path': directory }]);
  const { status, stdout } = check(['-f', file]);
  assert.match(
    stdout,
    new RegExp(`^a1\\.sinks\\.k1: writes local files below ${directory}/out as user '\\w+', at home`),
  );
  assert.match(stdout, new RegExp(`\na1\\.sinks\\.k1: ${directory} is there, of \\d+:\\d+, mode 700; '\\w+' may make`));
  assert.match(stdout, new RegExp(`\na1\\.sinks\\.k2: writes local files below ${directory} as`));
  assert.match(stdout, /\n0 errors, 0 warnings\n$/);
  assert.equal(status, 0);
  assert.deepEqual(await readdir(directory), ['agent.properties']);
});

test('what is wrong has the place of its key, and ends with 78; --json has it too', async (t) => {
  const directory = await tempDir(t);
  const file = await write(directory, [
    { 'hdfs.path': `file://${directory}/agent.properties/%{host}` },
    { 'hdfs.path': 'webhdfs://127.0.0.1:1/logs' },
    { 'hdfs.path': 'hdfs://localhost/logs', 'hdfs.confDir': join(directory, 'none') },
    { 'hdfs.path': directory },
  ]);
  const { status, stdout } = check(['-f', file, '--json']);
  assert.equal(status, 78);
  const { connections, problems, errors } = JSON.parse(stdout);
  assert.equal(errors, 3);
  assert.deepEqual(
    problems.map(({ line, column, key }: Record<string, unknown>) => ({ line, column, key })),
    [
      { line: 7, column: 25, key: 'a1.sinks.k1.hdfs.path' },
      { line: 13, column: 25, key: 'a1.sinks.k2.hdfs.path' },
      { line: 20, column: 28, key: 'a1.sinks.k3.hdfs.confDir' },
    ],
  );
  const messages = problems.map(({ message }: { message: string }) => message);
  assert.match(messages[0], /agent\.properties is a file: .* Move it away, or correct hdfs\.path$/);
  assert.match(messages[1], /^cannot look at \/logs: 127\.0\.0\.1:1: ECONNREFUSED: look whether it runs/);
  assert.match(messages[2], /none holds neither core-site\.xml nor hdfs-site\.xml/);
  assert.deepEqual(
    connections.map(({ agent, sink }: Record<string, unknown>) => `${agent} ${sink}`),
    ['a1 k1', 'a1 k2', 'a1 k3', 'a1 k4'],
  );
});

test("Hadoop's configuration is that of --conf, else of HADOOP_CONF_DIR", async (t) => {
  const directory = await tempDir(t);
  const file = await write(directory, [{ 'hdfs.path': 'webhdfs://127.0.0.1:1/logs' }]);
  for (const name of ['conf', 'environment', 'broken']) {
    await mkdir(join(directory, name));
    const text = name === 'broken' ? '<configuration><property>' : '<configuration></configuration>';
    await writeFile(join(directory, name, 'core-site.xml'), text);
  }
  const environment = { HADOOP_CONF_DIR: join(directory, 'environment') };
  assert.match(check(['-f', file]).stdout, /k1: no configuration of Hadoop's was read: neither/);
  const said = (name: string): RegExp => new RegExp(`k1: Hadoop's configuration is that of ${directory}/${name}\n`);
  assert.match(check(['-f', file], environment).stdout, said('environment'));
  assert.match(check(['-f', file, '--conf', join(directory, 'conf')], environment).stdout, said('conf'));
  const broken = check(['-f', file, '-c', join(directory, 'broken')]);
  assert.match(broken.stdout, /:7:25 a1\.sinks\.k1\.hdfs\.path: .*core-site\.xml, line 1, column 16: .*, of --conf\n/);
  assert.equal(broken.status, 78);
});
