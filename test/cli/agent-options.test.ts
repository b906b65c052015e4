/** The command line of `forebay agent`: Flume's options, each applied, noted or refused. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { type AgentOptions, parseAgentOptions, unusedProperties } from '../../src/cli/agent-options.ts';
import { tempDir } from '../support/temp-dir.ts';

const base = ['-n', 'a1', '-f', 'a.properties'];

function options(...args: string[]): AgentOptions {
  const parsed = parseAgentOptions(args);
  assert.ok(parsed.kind === 'options', JSON.stringify(parsed));
  return parsed.options;
}

function wrong(...args: string[]): string {
  const parsed = parseAgentOptions(args);
  assert.ok(parsed.kind === 'wrong', JSON.stringify(parsed));
  return parsed.messages.join('\n');
}

test('short and long names, values apart or attached', () => {
  for (const args of [
    base,
    ['--name', 'a1', '--conf-file', 'a.properties'],
    ['--name=a1', '--conf-file=a.properties'],
  ]) {
    const { name, files, reloads, pollIntervalMs, isDryRun, isLenient, logFile, logLevel, notes } = options(...args);
    assert.deepEqual([name, files], ['a1', ['a.properties']]);
    assert.deepEqual(
      [reloads, pollIntervalMs, isDryRun, isLenient, logFile, logLevel],
      [true, 30_000, false, false, undefined, 'info'],
    );
    assert.deepEqual(notes, []);
  }
});

test('several files in their order, URIs of files before them', () => {
  const uri = pathToFileURL('/etc/one.properties').href;
  assert.deepEqual(options(...base, '-u', uri, '-f', 'b').files, ['/etc/one.properties', 'a.properties', 'b']);
});

test('what is applied', () => {
  const all = options(...base, '--no-reload-conf', '-d', '-i', '5', '--lenient', '--log-file', '/l', '-Da=b=c', '-Dx');
  assert.deepEqual(
    [all.reloads, all.isDryRun, all.pollIntervalMs, all.isLenient, all.logFile],
    [false, true, 5000, true, '/l'],
  );
  assert.deepEqual(
    [...all.systemProperties],
    [
      ['a', 'b=c'],
      ['x', ''],
    ],
  );
  assert.equal(options(...base, '-Dflume.root.logger=WARN,console').logLevel, 'warn');
  assert.equal(options(...base, '-Dflume.root.logger=OFF').logLevel, 'off');
});

test('what has no effect is accepted, and said with what to do', async (t) => {
  const dir = await tempDir(t);
  await writeFile(join(dir, 'flume-env.sh'), '');
  const { notes } = options(
    ...base,
    ...['-c', dir, '-C', 'x.jar', '--plugins-path', '/p', '-Xmx512m', '-javaagent:x.jar', '-b', '/b', '-a', 'A'],
    ...['-user', 'u', '-pwd', 'secret', '-p', '/flume', '-Dk=v', '-Dflume.root.logger=INFO,LOGFILE'],
  );
  const text = notes.join('\n');
  for (const pattern of [
    /flume-env\.sh is not run/,
    /--classpath has no effect/,
    /--plugins-path has no effect/,
    /-Xmx512m -javaagent:x\.jar: has no effect.*NODE_OPTIONS/,
    /--backup-directory has no effect/,
    /--auth-provider has no effect/,
    /--conf-user has no effect/,
    /--conf-password has no effect/,
    /--zkBasePath has no effect/,
    /'LOGFILE' is not known/,
  ]) {
    assert.match(text, pattern);
  }
  assert.equal(notes.length, 10);
  assert.ok(!text.includes('secret'));
  assert.deepEqual(options(...base, '-c', '/nowhere').notes, []);
});

test('what would leave no configuration, or none that was meant, is refused', () => {
  assert.match(wrong('-f', 'x'), /--name is missing/);
  assert.match(wrong('-n', 'a1'), /--conf-file is missing/);
  assert.match(wrong('-n', 'a1', '-prov', 'X'), /--conf-provider: .*--conf-file/);
  assert.match(wrong('-n', 'a1', '-z', 'zk:2181'), /--zkConnString: ZooKeeper is not read/);
  assert.match(wrong('-n', 'a1', '-u', 'http://host/x'), /'http:\/\/host\/x' is not supported/);
  assert.match(wrong(...base, '-i', '0'), /--poll-interval: '0' is not allowed/);
  assert.match(wrong(...base, '--nmae', 'x'), /'--nmae' is not known/);
  assert.match(wrong(...base, '--log-file'), /--log-file needs a value/);
});

test('a system property is said to be unused only where nothing asked for it', () => {
  const given = options(...base, '-Dused=1', '-Dk=v', '-Dflume.root.logger=INFO', '-DpropertiesImplementation=x');
  assert.deepEqual(given.notes, []);
  assert.deepEqual(unusedProperties(given, new Set(['used', 'other'])), [
    `-Dk is not used: no value of the configuration says \${sys:k}`,
  ]);
});
