/**
 * What an operator does who goes over from Flume: starts our agent, which names the commands, and runs them in a shell;
 * and what must hold then of the directories.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { forebay } from '../support/forebay-here.ts';
import { root } from '../support/source.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';
import { startForebay, until } from './agents.ts';
import { type Flow, flows } from './flume-taken-over-cases.ts';

const run = promisify(execFile);
const main = ['--import=tsx', join(root, 'src/cli/main.ts')];
const refusedLimitMs = 60_000;

/** Both flows' directories are in `top`. */
interface Place {
  readonly top: string;
  readonly file: string;
}

/** What came of it. */
export interface Imported {
  /** What waits, in order. */
  readonly held: Readonly<Record<Flow, readonly string[]>>;
  /** How often the command was killed in the middle. */
  readonly kills: number;
}

/** See above. Where `isKilled` says so each command is killed three times before it is let end. */
export async function importAsTold(t: TestContext, place: Place, isKilled: boolean): Promise<Imported> {
  const commands = await refusedWith(t, place);
  const environment = await shellWith(join(place.top, '..'));
  const held: Record<Flow, readonly string[]> = { spooled: [], tailed: [] };
  let kills = 0;
  for (const flow of flows) {
    const command = commands.find((one) => one.includes(` ${flow} `)) ?? '';
    const channel = join(place.top, flow, 'channel');
    const before = await directoriesIn(channel);
    if (isKilled) kills += await killImports(channel, command, 3);
    held[flow] = await imported(channel, command, environment);
    const [old = '', ...others] = readdirSync(channel).filter((name) => name.startsWith('flume-old-'));
    assert.deepEqual(others, []);
    assert.deepEqual(await directoriesIn(join(channel, old)), before, 'the old directories have changed');
  }
  return { held, kills };
}

/** Our agent on Flume's directories: @returns the command that it names for each, and nothing has changed. */
async function refusedWith(t: TestContext, { top, file }: Place): Promise<string[]> {
  const before = await snapshotOf(top);
  const agent = startForebay(t, file);
  const named = /`(forebay channel import-flume .*?)`/g;
  const commands = (): string[] => [...new Set([...agent.log().matchAll(named)].map(([, command]) => command ?? ''))];
  await until(
    agent,
    refusedLimitMs,
    () => commands().length === flows.length,
    () => 'no command is named',
  );
  assert.match(
    agent.log(),
    /holds 'log-\d+' of Apache Flume's file channel: let Flume deliver what is in it, or import/,
  );
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(await snapshotOf(top), before);
  return commands();
}

/** A `forebay` for a shell. */
async function shellWith(directory: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const words = [process.execPath, ...main].map((word) => `'${word}'`).join(' ');
  await writeFile(join(bin, 'forebay'), `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(join(bin, 'forebay'), 0o755);
  return { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
}

/** Kills the command once what it makes is there, a few ms later each time. @returns how often it was still at it. */
async function killImports(channel: string, command: string, kills: number): Promise<number> {
  const words = command.split(' ').slice(1);
  let killed = 0;
  for (let delayMs = 0; killed < kills && delayMs < 10 * kills; delayMs += 5) {
    const child = spawn(process.execPath, [...main, ...words], { cwd: root, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const isAtIt = (): boolean => readdirSync(channel).some((name) => name.includes('.forebay-importing'));
    while (child.exitCode === null && !isAtIt()) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await ended;
    if (child.signalCode !== 'SIGKILL') break;
    killed += 1;
  }
  return killed;
}

/** Runs the command. @returns what waits, in order. */
async function imported(channel: string, command: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  await run('sh', ['-c', command], { cwd: root, env: environment });
  const left = readdirSync(channel).filter((name) => name.includes('forebay-importing'));
  assert.deepEqual(left, []);
  const dumped = await forebay('channel', 'dump', join(channel, 'data1'), '--format', 'raw');
  assert.equal(dumped.status, 0, dumped.stderr);
  return dumped.stdout.split('\n').slice(0, -1);
}

/** Of each directory, with all that is in it. */
async function directoriesIn(directory: string): Promise<Record<string, readonly string[]>> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await snapshotOf(join(directory, name))] as const)),
  );
}
