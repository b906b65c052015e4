/** `forebay agent` as a process: started, reloaded, stopped by signals, with parts and a file channel that are real. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

type TestContext = Parameters<typeof tempDir>[0];

const keysModule = join(root, 'src/agent/contracts/keys.ts');
const channelModule = join(root, 'src/adapters/channels/file.ts');
const forebay = ['--import=tsx', join(root, 'src/cli/main.ts')];

/** Counts up from its note. */
const source = `export default { types: ['count'], keys: {}, create: (_values, { processor }) => {
  let isStopped = false;
  let life;
  const run = async () => {
    for (let n = (processor.note('c1', 'n') ?? 0) + 1; !isStopped; n += 1) {
      await processor.process([{ headers: {}, body: Buffer.from(String(n)) }], { notes: { n } });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { start: async () => { life = run(); }, stop: async () => { isStopped = true; await life; } };
} };`;

/** Appends lines to \`file\`; with \`hangs\` it never stops. */
const sink = `import { appendFileSync } from 'node:fs';
import { boolean, optional, required, text } from '${keysModule}';
export default { types: ['append'], keys: {
  file: required(text, { does: 'where to' }),
  hangs: optional(boolean, false, { does: 'never stops' }),
}, create: ({ file, hangs }, { channel }) => ({
  start: async () => {},
  stop: () => hangs ? new Promise(() => {}) : Promise.resolve(),
  process: async (signal) => {
    const batch = await channel.take(100, { waitMs: 100, signal });
    if (batch.events.length > 0) appendFileSync(file, batch.events.map(({ body }) => body + '\\n').join(''));
    await batch.commit();
    return 'ready';
  },
}) };`;

const selector = `export default { types: ['all'], keys: {}, create: (_values, { channels }) => ({
  route: () => ({ required: channels, optional: [] }),
}) };`;

interface Setup {
  readonly dir: string;
  readonly file: string;
  /** Bodies that arrived in \`NAME\`. */
  arrived(name: string): string[];
  configure(more?: string): Promise<void>;
}

async function setUp(t: TestContext): Promise<Setup> {
  const dir = await tempDir(t);
  const modules = { source, sink, selector, channel: `export { fileChannel as default } from '${channelModule}';` };
  for (const [name, text] of Object.entries(modules)) await writeFile(join(dir, `${name}.mjs`), text);
  await mkdir(join(dir, 'out'));
  const file = join(dir, 'agent.properties');
  const configure = async (more = ''): Promise<void> => {
    const text = `
      a1.sources = r1
      a1.channels = c1
      a1.sinks = k1
      a1.sources.r1.type = ./source.mjs
      a1.sources.r1.channels = c1
      a1.sources.r1.selector.type = ./selector.mjs
      a1.channels.c1.type = ./channel.mjs
      a1.channels.c1.checkpointDir = ${dir}/checkpoint
      a1.channels.c1.dataDirs = ${dir}/data
      a1.channels.c1.minimumRequiredSpace = 1048576
      a1.sinks.k1.type = ./sink.mjs
      a1.sinks.k1.channel = c1
      a1.sinks.k1.file = ${dir}/out/one
      ${more}\n`;
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await configure();
  const arrived = (name: string): string[] => {
    const path = join(dir, 'out', name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  };
  return { dir, file, arrived, configure };
}

interface Running {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly exit: Promise<number | null>;
}

function start(t: TestContext, { file }: Setup, ...args: string[]): Running {
  const command = [...forebay, 'agent', '-n', 'a1', '-f', file, ...args];
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(async () => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  return { child, log: () => said, exit: once(child, 'exit').then(([code]) => code) };
}

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > endMs) assert.fail(what());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('SIGTERM stops in order with exit 0, SIGINT too; started again it goes on where it was', async (t) => {
  const setup = await setUp(t);
  const first = start(t, setup);
  await until(() => setup.arrived('one').length > 20, first.log);
  first.child.kill('SIGTERM');
  assert.equal(await first.exit, 0);
  const lines = first
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.slice(-2).map(({ text }) => text),
    ['SIGTERM: the agent stops', 'the agent has stopped'],
  );
  const before = setup.arrived('one').length;
  const second = start(t, setup);
  await until(() => setup.arrived('one').length > before + 20, second.log);
  second.child.kill('SIGINT');
  assert.equal(await second.exit, 0);
  const bodies = setup.arrived('one');
  assert.deepEqual(
    bodies,
    bodies.map((_, index) => String(index + 1)),
  );
});

test('a second signal ends it at once, with the number of the signal', async (t) => {
  const setup = await setUp(t);
  await setup.configure('a1.sinks.k1.hangs = true');
  const running = start(t, setup);
  await until(() => setup.arrived('one').length > 0, running.log);
  running.child.kill('SIGTERM');
  await until(() => running.log().includes('the agent stops'), running.log);
  running.child.kill('SIGTERM');
  assert.equal(await running.exit, 143);
  assert.match(running.log(), /SIGTERM again: the agent ends at once/);
});

test('SIGHUP reloads; a bad file leaves what runs as it is', async (t) => {
  const setup = await setUp(t);
  const running = start(t, setup, '--no-reload-conf');
  await until(() => setup.arrived('one').length > 5, running.log);
  await setup.configure('a1.sinks.k1.channel = c9');
  running.child.kill('SIGHUP');
  await until(() => running.log().includes('what runs goes on as it is'), running.log);
  assert.match(running.log(), /agent\.properties:\d+:\d+ a1\.sinks\.k1\.channel/);
  const before = setup.arrived('one').length;
  await until(() => setup.arrived('one').length > before + 5, running.log);
  await setup.configure(`a1.sinks.k1.file = ${setup.dir}/out/two`);
  running.child.kill('SIGHUP');
  await until(() => setup.arrived('two').length > 5, running.log);
  running.child.kill('SIGTERM');
  assert.equal(await running.exit, 0);
  const bodies = [...setup.arrived('one'), ...setup.arrived('two')];
  assert.deepEqual(
    bodies,
    bodies.map((_, index) => String(index + 1)),
  );
});

test('a changed file is noticed; the log goes to a file', async (t) => {
  const setup = await setUp(t);
  const logFile = join(setup.dir, 'agent.log');
  const running = start(t, setup, '-i', '1', '--log-file', logFile);
  await until(() => setup.arrived('one').length > 5, running.log);
  await setup.configure(`a1.sinks.k1.file = ${setup.dir}/out/two`);
  await until(() => setup.arrived('two').length > 5, running.log);
  running.child.kill('SIGTERM');
  assert.equal(await running.exit, 0);
  assert.equal(running.log(), '');
  assert.match(readFileSync(logFile, 'utf8'), /"a changed file: the configuration was read again, and runs"/);
});

function run(...args: string[]) {
  return spawnSync(process.execPath, [...forebay, 'agent', ...args], { cwd: root, encoding: 'utf8', timeout: 30_000 });
}

test('a -D that a value uses is no unused one, also where the value is another key’s or has a default', async (t) => {
  const setup = await setUp(t);
  await setup.configure(`a1.sinks.k1.file = \${paths.out}\npaths.out = \${sys:dir}/\${sys:name:-one}`);
  const { status, stderr } = run('-n', 'a1', '-f', setup.file, '-d', '-Ddir=/x', '-Dname=y', '-Dother=1', '-DDir=2');
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    stderr.split('\n').filter((line) => line.startsWith('-D')),
    ['other', 'Dir'].map((key) => `-D${key} is not used: no value of the configuration says \${sys:${key}}`),
  );
});

test('a bad configuration is exit 78, a bad command line 64; --dryrun and --help start nothing', async (t) => {
  const setup = await setUp(t);
  const dry = run('-n', 'a1', '-f', setup.file, '--dryrun', '-Xmx20m');
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, /agent a1 can start/);
  assert.match(dry.stderr, /-Xmx20m: has no effect/);
  assert.ok(!existsSync(join(setup.dir, 'data')));
  const missing = run('-n', 'a1', '-f', join(setup.dir, 'none.properties'));
  assert.equal(missing.status, 78);
  assert.match(missing.stderr, /none\.properties/);
  const usage = run('-f', setup.file);
  assert.equal(usage.status, 64);
  assert.match(usage.stderr, /--name is missing/);
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^Usage: forebay agent .*--no-reload-conf.*Exit status: 0 after/s);
});
