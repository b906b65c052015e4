/**
 * Files that a job takes away at the worst moment: each hdfs.onInDoubt does what it says, and what became of the lines
 * is what the sink says became of them.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileChannel } from '../../src/engine.ts';
import { startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { AgentCase, type CaseOptions } from './hdfs-case.ts';
import { targetOf } from './hdfs-held.ts';
import { countLines, MoverJob, removeTemporary } from './hdfs-other-hands.ts';

const files = 8;
const linesPerFile = 1000;
/** Of the requests to rename a file, those whose answers are lost while the job takes the file. */
const lostAnswers = [2, 3];
const notedMs = 3000;
const inDoubtText = 'a finished file is at neither of its names';

/** What these are given. */
export interface Doubt {
  readonly test: TestContext;
  readonly main: string;
  /** `127.0.0.1:9870`. */
  readonly address: string;
}

type OnInDoubt = 'commit' | 'redeliver' | 'hold';

/** A job moves finished files away at once; some answers to RENAME are lost meanwhile. */
export async function movedCase(doubt: Doubt, onInDoubt: OnInDoubt): Promise<string> {
  const { address } = doubt;
  const [directory, to] = [`/landing/${onInDoubt}`, `/moved/${onInDoubt}`];
  const proxy = await startFaultProxy(doubt.test, address);
  const mover = await MoverJob.start(address, directory, to);
  for (const nth of lostAnswers) proxy.spoil('RENAME', nth, { after: () => mover.hasAll(), cut: 'answer' });
  const agent = await made(doubt, { target: targetOf(proxy), directory, sink: { onInDoubt } });
  for (let file = 0; file < files; file += 1) agent.feed(linesPerFile);
  agent.start();
  await agent.delivered(address, [directory, to]);
  const isSaid = (): boolean => agent.said(inDoubtText).length >= lostAnswers.length;
  await agent.agent.until(isSaid, 60_000, 'what is in doubt is said');
  const held = onInDoubt === 'hold' ? await heldIn(agent) : '';
  const repeatedLines = (): number => {
    return onInDoubt === 'redeliver' ? sum(agent.said(inDoubtText).map((line) => line.eventsNotAcknowledged)) : 0;
  };
  // What comes again would be in doubt again.
  await mover.hasAll();
  await mover.end();
  if (onInDoubt === 'redeliver') await agent.delivered(address, [directory, to], () => -repeatedLines());
  if (agent.agent.isRunning) assert.equal(await agent.agent.end('SIGTERM'), 0, agent.agent.said());
  assert.equal(proxy.waiting, 0, 'all faults came up');
  const found = await countLines(address, [directory, to]);
  const inDoubt = agent.said(inDoubtText);
  const repeated = repeatedLines();
  assert.equal(found.different, agent.fedLines, `lines are lost:\n${agent.agent.said()}`);
  assert.equal(found.lines, agent.fedLines + repeated, agent.agent.said());
  if (onInDoubt !== 'redeliver') await agent.check(address, [directory, to]);
  return (
    `moved at once, in doubt ${onInDoubt}: ${agent.fedLines} lines, ${mover.moved} files moved, ` +
    `${inDoubt.length} in doubt${held}, ${repeated} lines twice, 0 lost`
  );
}

/** Stops the agent: its channel has the events in doubt, neither delivered nor given back, until a person decides. */
async function heldIn(agent: AgentCase): Promise<string> {
  assert.equal(await agent.agent.end('SIGTERM'), 0, agent.agent.said());
  const told = agent.said(inDoubtText);
  const { channelDirectory, checkpointDirectory } = agent;
  const channel = await FileChannel.open(channelDirectory, { checkpointDir: checkpointDirectory });
  try {
    const { preparedEvents, depthEvents } = channel.stats();
    const expected = sum(told.map((line) => line.eventsNotAcknowledged));
    assert.deepEqual({ preparedEvents, depthEvents }, { preparedEvents: expected, depthEvents: expected });
    const takes = channel.unresolved();
    assert.equal(takes.length, told.length);
    for (const { id } of takes) {
      assert.ok(
        told.some(({ text }) => text.includes(`forebay channel resolve DIR ${id}`)),
        agent.agent.said(),
      );
      await channel.resolve(id, 'commit');
    }
    return `, ${preparedEvents} events held until resolved`;
  } finally {
    await channel.close();
    agent.start();
    await agent.agent.until(() => agent.said('were settled by hand').length > 0, 60_000, 'it saw what was decided');
  }
}

/** A job removes all files in use: one of them is finished and was about to get its name. */
export async function removedCase(doubt: Doubt, onInDoubt: 'commit' | 'redeliver'): Promise<string> {
  const { address } = doubt;
  const directory = `/cleaned/${onInDoubt}`;
  const proxy = await startFaultProxy(doubt.test, address);
  let removed = 0;
  const remove = async (): Promise<void> => {
    removed += await removeTemporary(address, directory);
  };
  proxy.spoil('RENAME', 2, { before: remove });
  const agent = await made(doubt, { target: targetOf(proxy), directory, sink: { onInDoubt } });
  for (let file = 0; file < files; file += 1) agent.feed(linesPerFile);
  agent.start();
  await agent.agent.until(() => agent.said(inDoubtText).length > 0, 60_000, 'what is in doubt is said');
  const lostLines = (): number => {
    return onInDoubt === 'commit' ? sum(agent.said(inDoubtText).map((line) => line.events)) : 0;
  };
  await agent.delivered(address, [directory], lostLines);
  assert.equal(await agent.agent.end('SIGTERM'), 0, agent.agent.said());
  const found = await countLines(address, [directory]);
  const inDoubt = agent.said(inDoubtText);
  const lost = lostLines();
  const expected = agent.fedLines - lost;
  assert.deepEqual(found, { lines: expected, different: expected }, agent.agent.said());
  assert.ok(removed > 0 && inDoubt.length > 0);
  return (
    `.tmp files removed, in doubt ${onInDoubt}: ${removed} removed, ${inDoubt.length} in doubt, ` +
    `${lost} lines lost as said, the other ${found.lines} once`
  );
}

/** The same of one that is not finished, and holds events that were acknowledged: nobody has them any more. */
export async function removedOpenCase(doubt: Doubt): Promise<string> {
  const { address } = doubt;
  const directory = '/cleaned/open';
  const sink = { rollCount: 0, maxPinnedAge: 1, idleTimeout: 20 };
  const agent = await made(doubt, { target: `webhdfs://${address}`, directory, sink });
  agent.feed(linesPerFile);
  agent.start();
  const isSafe = (): Promise<boolean> => agent.holds(address, linesPerFile);
  await agent.agent.until(isSafe, 60_000, 'the first lines are safe in an open file');
  // HDFS shows the length before the agent has its answer, and the note of it.
  await sleep(notedMs);
  const removed = await removeTemporary(address, directory);
  agent.feed(linesPerFile);
  const text = 'an unfinished file was moved or changed';
  await agent.agent.until(() => agent.said(text).length > 0, 60_000, 'it is said');
  const lost = sum(agent.said(text).map(({ events }) => events));
  await agent.delivered(address, [directory], () => lost);
  assert.equal(await agent.agent.end('SIGTERM'), 0, agent.agent.said());
  const expected = agent.fedLines - lost;
  const found = await countLines(address, [directory]);
  assert.deepEqual(
    { ...found, removed, lost },
    { lines: expected, different: expected, removed: 1, lost: linesPerFile },
  );
  return `an open .tmp file removed: said, ${lost} acknowledged lines lost as said, the other ${found.lines} once`;
}

function made({ test, main }: Doubt, options: CaseOptions): Promise<AgentCase> {
  return AgentCase.make(test, main, options);
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, one) => total + (one ?? 0), 0);
}
