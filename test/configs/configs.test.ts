/**
 * Configurations of Apache Flume's, run as they are but for the places in them: the examples of the user guide, and the
 * agents that operators have. For each the table says what goes in and what must come out, each event once.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Agent, startHere, startProcess, until, warningsOf } from './agents.ts';
import { betweenCases } from './between-cases.ts';
import type { Case } from './cases.ts';
import { classicCases } from './classic-cases.ts';
import { hdfsCases } from './hdfs-cases.ts';
import type { Output } from './outputs.ts';
import { partCases } from './part-cases.ts';
import { placeConfiguration } from './places.ts';
import { setupCases } from './setup-cases.ts';

const cases: readonly Case[] = [...setupCases, ...partCases, ...betweenCases, ...classicCases, ...hdfsCases];
/** Most of the time they wait for a process to start, or for a file to be looked at. */
const casesAtOnce = 6;
/** For a client that waits for an answer; all else gives up by itself, and says more. */
const caseTimeoutMs = 50_000;

async function run(t: Parameters<typeof tempDir>[0], row: Case): Promise<void> {
  const dir = await tempDir(t);
  for (const step of row.before ?? []) await step({ dir, log: () => [] });
  const names = row.more === undefined ? [row.file] : [row.file, row.more];
  const files = await Promise.all(names.map((name) => placeConfiguration(name, dir)));
  // A path is below the directory of the test, as those in the files are.
  const environment = Object.fromEntries(
    Object.entries(row.environment ?? {}).map(([key, value]) => [key, value.startsWith('/') ? dir + value : value]),
  );
  const options = { name: row.agent ?? 'a1', files, dir, environment, system: row.system ?? {} };
  assertSaid(await warningsOf(options), row.warnings);
  const agent = await (row.isProcess === true ? startProcess(options) : startHere(options));
  t.after(() => agent.stop());
  for (const step of row.in) await step(agent);
  const sooner = row.out.filter(({ events }) => events === undefined);
  const events = row.out.reduce((sum, output) => sum + (output.events ?? 0), 0);
  const isAllTaken = (): boolean => events === 0 || agent.taken() === events;
  await until(
    async () => isDeepStrictEqual(await readAll(agent, sooner), expectedOf(sooner)) && isAllTaken(),
    async () => `${JSON.stringify(await readAll(agent, sooner), undefined, 1)}\nlog: ${JSON.stringify(agent.log())}`,
  );
  await agent.stop();
  assert.deepEqual(await readAll(agent, row.out), expectedOf(row.out), 'as it was, once it has stopped');
  assertSaid(complaintsOf(agent), row.says);
}

function readAll(agent: Agent, out: readonly Output[]): Promise<unknown[]> {
  return Promise.all(out.map((output) => output.read(agent)));
}

function expectedOf(out: readonly Output[]): unknown[] {
  return out.map(({ expected }) => expected);
}

/** All of `expected` is said, and nothing but that and what `may` be; each by how it begins. */
function assertSaid(said: readonly string[], expected: readonly string[] = []): void {
  const isSaid = expected.every((start) => said.some((line) => line.startsWith(start)));
  const isAll = said.every((line) => expected.some((start) => line.startsWith(start)));
  assert.ok(isSaid && isAll, `said: ${said.join('\n')}; expected: ${expected.join('\n')}`);
}

function complaintsOf(agent: Agent): string[] {
  return agent
    .log()
    .filter(({ level, component }) => level !== 'info' && component !== 'agent')
    .map(({ component, text }) => `${component}: ${text}`);
}

describe('Flume configurations', { concurrency: casesAtOnce }, () => {
  for (const row of cases) test(row.file, { timeout: caseTimeoutMs }, (t) => run(t, row));
});

test('each configuration is in the table, once', () => {
  const known = cases.flatMap(({ file, more }) => (more === undefined ? [file] : [file, more]));
  const present = readdirSync(join(root, 'test/configs')).filter((name) => name.endsWith('.properties'));
  assert.deepEqual(known.sort(), present.map((name) => name.slice(0, -'.properties'.length)).sort());
});
