/** A Flume that is stopped or killed in the middle of a file is continued by our agent, and ours by Flume. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { FileChannel } from '../../src/engine.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Agent, flumeFolder, startFlume, startForebay, until } from './agents.ts';
import { all, type Continued, continued, gateAt, lengths, writeInput } from './flume-continued-cases.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `Flume cannot be asked: ${missing}`;
const limitMs = 40_000;

/** Lines of the configuration about one of them, and its directory. */
type Side = (one: Continued, directory: string) => string[];

/** `a1` with all the sources, each with a channel, and what `side` says besides. */
async function configure(
  parent: string,
  name: Agent['name'],
  cases: readonly Continued[],
  side: Side,
): Promise<string> {
  const lines = cases.flatMap((one) => {
    const directory = join(parent, one.name);
    const own = one.source.map((line) => `a1.sources.${one.name}.${line.replaceAll('@dir@', directory)}`);
    return [...own, `a1.sources.${one.name}.channels = ${one.name}`, ...side(one, directory)];
  });
  const names = cases.map((one) => one.name).join(' ');
  const sinks = lines.some((line) => line.startsWith('a1.sinks.')) ? [`a1.sinks = ${names}`] : [];
  const file = join(parent, `${name}.properties`);
  await writeFile(file, [`a1.sources = ${names}`, `a1.channels = ${names}`, ...sinks, ...lines, ''].join('\n'));
  return file;
}

function sinkInto(agent: Agent['name']): Side {
  return ({ name }, directory) => [
    `a1.sinks.${name}.type = file_roll`,
    `a1.sinks.${name}.sink.directory = ${directory}/out/${agent}`,
    `a1.sinks.${name}.sink.rollInterval = 0`,
    `a1.sinks.${name}.channel = ${name}`,
  ];
}

/** A memory channel, and a sink into `out/agent`. */
function delivering(agent: Agent['name']): Side {
  return (one, directory) => [
    `a1.channels.${one.name}.type = memory`,
    `a1.channels.${one.name}.capacity = 10000`,
    `a1.channels.${one.name}.keep-alive = 1`,
    ...sinkInto(agent)(one, directory),
  ];
}

/** The same of Flume's, up to the gate. */
function gated(events: number): Side {
  return (one, directory) => [
    ...delivering('flume')(one, directory),
    `a1.sources.${one.name}.interceptors = gate`,
    `a1.sources.${one.name}.interceptors.gate.type = Gate$Builder`,
    `a1.sources.${one.name}.interceptors.gate.events = ${events}`,
  ];
}

/** A file channel. Where it is full, the source is held as well. */
function holding(capacity: number): Side {
  return ({ name }, directory) => [
    `a1.channels.${name}.type = file`,
    `a1.channels.${name}.checkpointDir = ${directory}/held/checkpoint`,
    `a1.channels.${name}.dataDirs = ${directory}/held/data`,
    `a1.channels.${name}.capacity = ${capacity}`,
    `a1.channels.${name}.transactionCapacity = 100`,
    `a1.channels.${name}.keep-alive = 0`,
    `a1.channels.${name}.minimumRequiredSpace = 1048576`,
  ];
}

/** What came out, in order. */
function delivered(parent: string, { name, lineOfBody }: Continued, agent: Agent['name']): string[] {
  const directory = join(parent, name, 'out', agent);
  const files = existsSync(directory) ? readdirSync(directory).sort() : [];
  const text = Buffer.concat(files.map((file) => readFileSync(join(directory, file)))).toString('latin1');
  const bodies = text.split('\n').slice(0, -1);
  return bodies.map((body) => {
    const bytes = Buffer.from(body, 'latin1');
    return (lineOfBody?.(bytes) ?? bytes).toString();
  });
}

async function untilDelivered(
  parent: string,
  agent: Agent,
  cases: readonly Continued[],
  hasAll: (one: Continued) => boolean,
): Promise<void> {
  const waiting = (): Continued[] => cases.filter((one) => !hasAll(one));
  const what = (): string =>
    waiting()
      .map((one) => `${one.name}: ${delivered(parent, one, agent.name).length} events`)
      .join(', ');
  await until(agent, limitMs, () => waiting().length === 0, what);
}

/** Runs the agent until the last line has come. */
async function goOn(parent: string, agent: Agent, cases: readonly Continued[]): Promise<void> {
  await untilDelivered(parent, agent, cases, (one) => delivered(parent, one, agent.name).at(-1) === all.at(-1));
  await agent.kill();
}

/** Where `later` goes on after `earlier`, from the first line on. */
function assertGoesOn({ repeatsMax }: Continued, earlier: readonly string[], later: readonly string[]): void {
  assert.deepEqual(earlier, all.slice(0, earlier.length));
  assert.ok(earlier.length > lengths[0] && earlier.length < all.length - lengths[2], `${earlier.length} before`);
  assert.deepEqual(later, all.slice(all.length - later.length));
  const repeated = earlier.length + later.length - all.length;
  assert.ok(repeated >= 0 && repeated <= repeatsMax, `${repeated} events repeated`);
}

async function prepare(t: TestContext): Promise<string> {
  const parent = await tempDir(t);
  for (const one of continued) {
    await writeInput(join(parent, one.name), one);
    for (const agent of ['flume', 'forebay']) await mkdir(join(parent, one.name, 'out', agent));
  }
  return parent;
}

/** Runs a Flume to its gate, where it has `delivers` more events in its channel, and `before` are elsewhere. */
async function runToGate(
  parent: string,
  flume: Agent,
  cases: readonly Continued[],
  { before, delivers }: { before: number; delivers: number },
): Promise<void> {
  await untilDelivered(parent, flume, cases, (one) => {
    const note = join(parent, one.name, one.noteFile);
    const hasNote = existsSync(note) && one.says(readFileSync(note), before + delivers);
    return hasNote && delivered(parent, one, 'flume').length >= delivers;
  });
}

/** Runs ours until all channels are full. */
async function runToFull(t: TestContext, parent: string, cases: readonly Continued[]): Promise<void> {
  const forebay = startForebay(t, await configure(parent, 'forebay', cases, holding(gateAt)));
  const isFull = (): boolean => {
    const said = forebay.log().split('\n');
    const refused = said.filter((line) => line.includes('CHANNEL_FULL'));
    return cases.every(({ name }) => refused.some((line) => line.includes(`"component":"${name}"`)));
  };
  await until(forebay, limitMs, isFull, () => 'not all channels are full');
  assert.equal(await forebay.stop(), 0);
}

/** What a stopped agent left in a channel. */
async function heldIn(parent: string, { name, lineOfBody }: Continued): Promise<string[]> {
  const held = join(parent, name, 'held');
  const channel = await FileChannel.open(join(held, 'data'), { checkpointDir: join(held, 'checkpoint') });
  const batch = await channel.take(all.length);
  await channel.close();
  return batch.events.map(({ body }) => (lineOfBody?.(Buffer.from(body)) ?? Buffer.from(body)).toString());
}

/** A source of Flume's that is at its gate takes ten seconds to stop, one after the other. */
const ends = { killed: continued, stopped: continued.filter(({ name }) => ['spooled', 'tailed'].includes(name)) };

for (const [end, cases] of Object.entries(ends)) {
  test(`a Flume ${end} in mid-file is continued by us where it was`, { skip }, async (t) => {
    const classPath = await buildJava(flumeFolder, t);
    if (classPath === undefined) return;
    const parent = await prepare(t);
    const flume = startFlume(t, classPath, await configure(parent, 'flume', cases, gated(gateAt)));
    await runToGate(parent, flume, cases, { before: 0, delivers: gateAt });
    await (end === 'killed' ? flume.kill() : flume.stop());
    await goOn(parent, startForebay(t, await configure(parent, 'forebay', cases, delivering('forebay'))), cases);
    for (const one of cases) {
      await t.test(one.name, () => {
        const before = delivered(parent, one, 'flume');
        assert.equal(before.length, gateAt);
        assertGoesOn(one, before, delivered(parent, one, 'forebay'));
      });
    }
  });
}

test('what we were stopped in the middle of is continued by Flume where we were', { skip }, async (t) => {
  const classPath = await buildJava(flumeFolder, t);
  if (classPath === undefined) return;
  const parent = await prepare(t);
  await runToFull(t, parent, continued);
  const file = await configure(parent, 'flume', continued, delivering('flume'));
  await goOn(parent, startFlume(t, classPath, file), continued);
  for (const one of continued) {
    await t.test(one.name, async () => assertGoesOn(one, await heldIn(parent, one), delivered(parent, one, 'flume')));
  }
});

test('from us to Flume and back: where Flume was counts more than what we remember', { skip }, async (t) => {
  const classPath = await buildJava(flumeFolder, t);
  if (classPath === undefined) return;
  const parent = await prepare(t);
  const cases = continued.filter(({ repeatsMax }) => repeatsMax === 0);
  await runToFull(t, parent, cases);
  for (const one of cases) assert.deepEqual(await heldIn(parent, one), all.slice(0, gateAt), one.name);
  const delivers = 200;
  const flume = startFlume(t, classPath, await configure(parent, 'flume', cases, gated(delivers)));
  await runToGate(parent, flume, cases, { before: gateAt, delivers });
  await flume.kill();
  const file = await configure(parent, 'forebay', cases, (one, directory) => [
    ...holding(all.length)(one, directory),
    ...sinkInto('forebay')(one, directory),
  ]);
  await goOn(parent, startForebay(t, file), cases);
  for (const one of cases) {
    await t.test(one.name, () => {
      assert.deepEqual(delivered(parent, one, 'flume'), all.slice(gateAt, gateAt + delivers));
      const ours = [...all.slice(0, gateAt), ...all.slice(gateAt + delivers)];
      assert.deepEqual(delivered(parent, one, 'forebay'), ours);
    });
  }
});
