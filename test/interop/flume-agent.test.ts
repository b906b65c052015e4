/** The same configuration and the same input, given to an agent of Apache Flume and to ours: the same files. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { type Agent, flumeFolder, startFlume, startForebay, until } from './agents.ts';
import {
  assertSameFiles,
  comparable,
  configurationOf,
  type FlumeCase,
  hasCome,
  linesOf,
  type Ports,
  prepareInput,
} from './flume-case.ts';
import { cases as pathCases } from './flume-cases.ts';
import { hdfsCases } from './flume-hdfs-cases.ts';
import { hdfsFileCases } from './flume-hdfs-file-cases.ts';
import { logged, loggedMessages, sourceCases } from './flume-source-cases.ts';
import { spooledCases } from './flume-spooled-cases.ts';
import { freePorts, talk } from './flume-talk.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `Flume cannot be asked: ${missing}`;
const cases = [...pathCases, ...(await spooledCases()), ...sourceCases, ...hdfsCases, ...hdfsFileCases];
const comeLimitMs = 40_000;

/** What one agent has left. */
interface Left {
  /** By case. `open`: as it was before the stop. */
  readonly files: ReadonlyMap<FlumeCase, { readonly open: readonly string[]; readonly end: Record<string, string> }>;
  readonly logged: readonly string[];
  readonly answers: readonly string[];
}

/** At once for all agents: what one has been given and does not yet listen on, another must not get. */
async function choosePorts(agents: number): Promise<Ports[]> {
  const listening = cases.filter(({ sent }) => sent !== undefined);
  const ports = await freePorts(listening.length * agents);
  return Array.from({ length: agents }, () => new Map(listening.map((one) => [one, ports.pop() as number])));
}

async function runToEnd(directory: string, ports: Ports, start: (file: string) => Agent): Promise<Left> {
  await mkdir(directory);
  for (const one of cases) await prepareInput(directory, one);
  const file = join(directory, 'agent.properties');
  await writeFile(file, configurationOf(directory, cases, ports));
  const agent = start(file);
  const talks = Promise.all([...ports].map(([{ sent }, port]) => talk(port, sent ?? '')));
  // Of an agent that does not start, that it did not tells more.
  talks.catch(() => undefined);
  const waiting = (): FlumeCase[] => cases.filter((one) => !hasCome(directory, one));
  const what = (): string =>
    waiting()
      .map((one) => `${one.name}: ${linesOf(directory, one)} of ${one.lines} lines`)
      .join(', ');
  const hasLogged = (): boolean => eventsLogged(agent).length >= loggedMessages;
  await until(agent, comeLimitMs, () => waiting().length === 0 && hasLogged(), what);
  const answers = await talks;
  const open = new Map(cases.map((one) => [one, outNames(comparable(directory, one))]));
  assert.equal(await agent.stop(), agent.name === 'flume' ? 143 : 0);
  const files = new Map(cases.map((one) => [one, { open: open.get(one) ?? [], end: comparable(directory, one) }]));
  return { files, logged: eventsLogged(agent), answers };
}

function outNames(files: Record<string, string>): string[] {
  return Object.keys(files).filter((name) => name.startsWith('out/'));
}

function eventsLogged(agent: Agent): string[] {
  return agent.messages().filter((message) => message.startsWith('Event: '));
}

test('an agent of Flume and ours leave the same files', { skip }, async (t) => {
  const classPath = await buildJava(flumeFolder, t);
  if (classPath === undefined) return;
  const directory = await tempDir(t);
  const [theirPorts, ourPorts] = (await choosePorts(2)) as [Ports, Ports];
  const [flume, forebay] = await Promise.all([
    runToEnd(join(directory, 'flume'), theirPorts, (file) => startFlume(t, classPath, file)),
    runToEnd(join(directory, 'forebay'), ourPorts, (file) => startForebay(t, file)),
  ]);
  await t.test('logger', () => assert.deepEqual(forebay.logged, flume.logged));
  await t.test('answers', () => assert.deepEqual(forebay.answers, flume.answers));
  let same = 0;
  for (const one of cases.filter((each) => each !== logged)) {
    await t.test(one.name, () => {
      const [theirs, ours] = [flume.files.get(one), forebay.files.get(one)];
      assert.ok(theirs !== undefined && ours !== undefined);
      assert.deepEqual(ours.open, theirs.open, 'names while files are open');
      assertSameFiles(theirs.end, ours.end);
      same += 1;
    });
  }
  t.diagnostic(
    `shows: of ${cases.length - 1} configurations run by Apache Flume and here, ${same} left the same files`,
  );
});
