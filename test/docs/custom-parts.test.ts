/** The examples of docs/custom-parts.md: their types, their configuration, and that each item arrives once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { registry } from '../../src/adapters/registry.ts';
import { AgentRunner } from '../../src/agent/runner.ts';
import { type Loaded, loadConfiguration } from '../../src/config/load.ts';
import { problemText } from '../../src/config/problems.ts';
import { RecordedLog } from '../agent/recorded-log.ts';
import { fastClock } from '../agent/small-parts.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';
import { checkTypes, installExamples } from './built-package.ts';
import { type Receiver, receiveEvents, serveFeed, textOf } from './far-sides.ts';

type TestContext = Parameters<typeof tempDir>[0];

const examples = 'docs/examples/custom-parts';
const agentFile = 'agent.properties';
let installed = '';

before(async () => {
  installed = await mkdtemp(join(tmpdir(), 'forebay-examples-'));
  installExamples(installed, examples);
});

after(async () => {
  await rm(installed, { recursive: true, force: true });
});

/** Writes what differs from the example's configuration: hosts and directories, and `more`. Later files win. */
async function localSettings(directory: string, own: Readonly<Record<string, string>>): Promise<string> {
  const settings: Record<string, string> = {
    'a1.channels.c1.checkpointDir': join(directory, 'c1/checkpoint'),
    'a1.channels.c1.dataDirs': join(directory, 'c1/data'),
    'a1.channels.c1.minimumRequiredSpace': '1048576',
    'a1.sources.feed.pollDelayMs': '20',
    ...own,
  };
  const path = join(directory, 'local.properties');
  await writeFile(
    path,
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  return path;
}

function load(...more: readonly string[]): Promise<Loaded> {
  const surroundings = { environment: {}, system: new Map<string, string>(), now: new Date() };
  return loadConfiguration({ files: [join(installed, agentFile), ...more], agent: 'a1', registry, surroundings });
}

async function started(t: TestContext, files: readonly string[]): Promise<{ runner: AgentRunner; log: RecordedLog }> {
  const { plans, problems } = await load(...files);
  assert.deepEqual(problems.map(problemText), []);
  const [plan] = plans;
  assert.ok(plan !== undefined);
  const log = new RecordedLog();
  const runner = new AgentRunner({ log: (component) => log.of(component), clock: fastClock(20) });
  t.after(async () => void (await runner.stop(2000)));
  await runner.start(plan);
  return { runner, log };
}

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const endMs = performance.now() + 40_000;
  while (!holds()) {
    if (performance.now() > endMs) assert.fail(what());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Items 1 … n, each once and in order, masked. */
function assertItems({ lines }: Receiver, count: number): void {
  const got = [...lines.values()];
  assert.deepEqual(
    got.map(({ headers }) => Number(headers['id'])),
    Array.from({ length: count }, (_, index) => index + 1),
  );
  for (const { headers, body } of got) {
    const id = Number(headers['id']);
    assert.equal(body, textOf(id).replace('4000123412341234', '***'));
    assert.equal(headers['masked'], id % 10 === 0 ? '1' : undefined);
  }
}

test('the examples are as the package’s types want them; a mistake would be seen', async () => {
  const names = (await readdir(installed)).filter((name) => name.endsWith('.mjs'));
  assert.equal(names.length, 3);
  const { status, output } = checkTypes(installed, names);
  assert.equal(status, 0, output);
  const mistakes = [
    ['feed-source.mjs', 'processor.process(events, { notes:', 'processor.process(events, { note:'],
    ['feed-source.mjs', 'for (const channel of storedIn(error))', 'for (const channel of storedIn(error).channels)'],
    ['http-sink.mjs', "return 'ready';", "return 'done';"],
    ['mask-interceptor.mjs', 'if (count === 0) return event;', 'if (count === 0) return event.body;'],
  ] as const;
  const broken: string[] = [];
  for (const [index, [name, right, wrong]] of mistakes.entries()) {
    const text = await readFile(join(installed, name), 'utf8');
    assert.ok(text.includes(right), right);
    broken.push(`broken-${index}.mjs`);
    await writeFile(join(installed, `broken-${index}.mjs`), text.replace(right, wrong));
  }
  const { output: errors } = checkTypes(installed, broken);
  for (const name of broken) {
    assert.ok(errors.includes(`${name}(`), `${name} passes:\n${errors}`);
    await rm(join(installed, name));
  }
});

test('the configuration is fine as it stands; what is wrong in it is said at its place', async (t) => {
  const asItStands = await load();
  assert.deepEqual(asItStands.problems.map(problemText), []);
  const directory = await tempDir(t);
  const path = await localSettings(directory, {
    'a1.sources.feed.url': 'not a URL',
    'a1.sources.feed.interceptors.i1.pattern': '(',
    'a1.sources.feed.bachSize': '5',
    'a1.sinks.post.url': 'nor this',
  });
  const { problems, hasErrors } = await load(path);
  assert.equal(hasErrors, true);
  const text = problems.map(problemText).join('\n').replaceAll(`${directory}/`, '');
  assert.match(text, /local\.properties:5:23 a1\.sources\.feed\.url: 'not a URL' is not allowed: a URL/);
  assert.match(text, /interceptors\.i1\.pattern: '\(' is not allowed: Invalid regular expression/);
  assert.match(text, /a1\.sources\.feed\.bachSize: warning: is not known here: do you mean 'batchSize'\?/);
  assert.match(text, /local\.properties:8:21 a1\.sinks\.post\.url: 'nor this' is not allowed: a URL/);
});

test('source, interceptor and sink on a file channel: over a restart each item arrives once, in order', async (t) => {
  const directory = await tempDir(t);
  const receiver = await receiveEvents(t, 4);
  const url = await serveFeed(t, 2000, 5);
  const path = await localSettings(directory, { 'a1.sources.feed.url': url, 'a1.sinks.post.url': receiver.url });
  const first = await started(t, [path]);
  await until(
    () => receiver.lines.size > 300,
    () => first.log.text,
  );
  assert.deepEqual(await first.runner.stop(), []);
  const between = receiver.lines.size;
  assert.ok(between < 2000, `${between}`);
  const second = await started(t, [path]);
  await until(
    () => receiver.lines.size >= 2000,
    () => second.log.text,
  );
  const counted = second.runner.stats().counters.find(({ kind }) => kind === 'SOURCE')?.counts['EventAcceptedCount'];
  assert.ok(Number(counted) > 0 && Number(counted) <= 2000 - between, 'the source went on from its note');
  await second.runner.stop();
  assertItems(receiver, 2000);
});

test('into two channels, one of them full again and again: each item once in both, also over a restart', async (t) => {
  const directory = await tempDir(t);
  const one = await receiveEvents(t, 1000);
  const two = await receiveEvents(t, 3);
  const path = await localSettings(directory, {
    'a1.channels': 'c1 c2',
    'a1.sinks': 'post post2',
    'a1.sources.feed.url': await serveFeed(t, 400, 1000),
    'a1.sources.feed.channels': 'c1 c2',
    'a1.sources.feed.batchSize': '40',
    'a1.sinks.post.url': one.url,
    'a1.sinks.post2.type': join(installed, 'http-sink.mjs'),
    'a1.sinks.post2.channel': 'c2',
    'a1.sinks.post2.url': two.url,
    'a1.sinks.post2.batchSize': '30',
    'a1.channels.c2.type': 'file',
    'a1.channels.c2.capacity': '50',
    'a1.channels.c2.transactionCapacity': '50',
    'a1.channels.c2.keep-alive': '0',
    'a1.channels.c2.checkpointDir': join(directory, 'c2/checkpoint'),
    'a1.channels.c2.dataDirs': join(directory, 'c2/data'),
    'a1.channels.c2.minimumRequiredSpace': '1048576',
  });
  const first = await started(t, [path]);
  await until(
    () => two.lines.size > 100,
    () => first.log.text,
  );
  assert.match(first.log.text, /a channel took no items: they are offered again/);
  await first.runner.stop();
  const second = await started(t, [path]);
  await until(
    () => one.lines.size >= 400 && two.lines.size >= 400,
    () => second.log.text,
  );
  await second.runner.stop();
  assertItems(one, 400);
  assertItems(two, 400);
});

test('as an operator runs it, and killed: the agent of the installed package, kill -9, each item once', async (t) => {
  const directory = await tempDir(t);
  const receiver = await receiveEvents(t, 1000);
  const url = await serveFeed(t, 1500, 11);
  const path = await localSettings(directory, {
    'a1.sources.feed.url': url,
    'a1.sources.feed.batchSize': '25',
    'a1.sinks.post.url': receiver.url,
    'a1.sinks.post.batchSize': '20',
  });
  const main = join(installed, 'node_modules/forebay/dist/cli/main.js');
  const args = [main, 'agent', '-n', 'a1', '-f', join(installed, agentFile), '-f', path, '--no-reload-conf'];
  const run = () => {
    const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(async () => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    return { child, exit: once(child, 'exit'), log: () => said };
  };
  for (const enough of [100, 400, 800]) {
    const running = run();
    await until(() => receiver.lines.size >= enough, running.log);
    running.child.kill('SIGKILL');
    await running.exit;
    assert.ok(receiver.lines.size < 1500, 'killed in the middle');
  }
  const last = run();
  await until(() => receiver.lines.size >= 1500, last.log);
  last.child.kill('SIGTERM');
  const [status] = await last.exit;
  assert.equal(status, 0, last.log());
  assertItems(receiver, 1500);
});

test('docs/custom-parts.md shows the examples as they are', () => {
  const page = readFileSync(join(root, 'docs/custom-parts.md'), 'utf8');
  for (const name of ['feed-source.mjs', 'mask-interceptor.mjs', 'http-sink.mjs', agentFile]) {
    assert.ok(page.includes(`](examples/custom-parts/${name})`), `a link to ${name}`);
  }
  const all = ['feed-source.mjs', 'mask-interceptor.mjs', 'http-sink.mjs', agentFile].map((name) => {
    return readFileSync(join(root, examples, name), 'utf8');
  });
  const blocks = [...page.matchAll(/```(?:js|properties)\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  assert.ok(blocks.length >= 4, `${blocks.length} blocks`);
  // Of a longer block, each of its parts: three dots stand for what is left out.
  for (const part of blocks.flatMap((block) => block.split(/^ *\/\/ …\n/m))) {
    assert.ok(
      all.some((text) => text.includes(part)),
      `no example has\n${part}`,
    );
  }
});
