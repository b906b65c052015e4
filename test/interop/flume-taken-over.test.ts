/**
 * A whole agent of Apache Flume is killed in the middle of its work; its file channels are imported in place, by the
 * commands that our agent names; and the unchanged configuration goes on with us. What comes out then is what comes out
 * where Flume itself goes on.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { eventText } from '../support/flume-samples.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';
import { type Agent, flumeFolder, startFlume, startForebay, until } from './agents.ts';
import { type ChannelSettings, drainFlume } from './flume-file-channel.ts';
import {
  channelSettings,
  configurationText,
  type Flow,
  flows,
  hasNoted,
  linesBefore,
  linesOf,
  sourceBatchEvents,
  type TakenOver,
  takenOver,
  writeFlows,
  writeRest,
  writtenTo,
} from './flume-taken-over-cases.ts';
import { type Imported, importAsTold } from './flume-taken-over-import.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `Flume cannot be asked: ${missing}`;
const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
const random = new SeededRandom(seed);
const limitMs = 90_000;
/** So long without a line: all has come. */
const quietMs = 2000;

/** Where it all is, and what Flume left there. */
interface Killed {
  readonly top: string;
  readonly file: string;
  readonly again: string;
  readonly saved: string;
}

/** A sink that has written so many lines has more before it. */
function begunLines({ isLate }: TakenOver): number {
  return (isLate ? linesBefore : 0) + sourceBatchEvents;
}

/** Runs Flume until a sink has written so much, and kills it. A copy of all is kept but for files that are tailed. */
async function killFlume(t: TestContext, classPath: string, one: TakenOver): Promise<Killed> {
  const parent = await tempDir(t);
  const [top, saved] = [join(parent, 'top'), join(parent, 'saved')];
  await writeFlows(top, one);
  const [file, again] = [join(parent, 'agent.properties'), join(parent, 'again.properties')];
  await writeFile(file, configurationText(top, one, 'out'));
  await writeFile(again, configurationText(top, one, 'again'));
  const flume = startFlume(t, classPath, file);
  const flow = random.pick(flows);
  const untilCame = async (lines: number): Promise<void> => {
    const came = (of: Flow): number => writtenTo(join(top, of, 'out')).lines.length;
    // Of the other flow as well: on a slow day nothing of it would be in its channel yet.
    const isThere = (of: Flow): boolean => came(of) >= (of === flow ? lines : Math.min(lines, begunLines(one)));
    const what = (): string => flows.map((of) => `${came(of)} lines of ${of}`).join(', ');
    await until(flume, limitMs, () => flows.every(isThere), what);
  };
  if (one.isLate) {
    await untilCame(linesBefore);
    await until(
      flume,
      limitMs,
      () => hasNoted(top),
      () => 'no position',
    );
    await writeRest(top);
    await untilCame(linesBefore + 300 + random.below(2000));
  } else await untilCame(500 + random.below(5000));
  await flume.kill();
  await cp(top, saved, { recursive: true, preserveTimestamps: true });
  return { top, file, again, saved };
}

/** Runs the agent until nothing has come for a while, and all lines are there. */
async function runToEnd(agent: Agent, top: string, out: 'out' | 'again', before: Before): Promise<void> {
  let came = -1;
  let changedMs = performance.now();
  const isOver = (): boolean => {
    const written = flows.map((flow) => writtenTo(join(top, flow, out), before[flow].names).lines);
    const count = written.reduce((sum, lines) => sum + lines.length, 0);
    if (count !== came) changedMs = performance.now();
    came = count;
    if (performance.now() - changedMs < quietMs) return false;
    return flows.every((flow, index) => {
      const there = new Set([...before[flow].lines, ...(written[index] ?? [])]);
      return linesOf(flow).every((line) => there.has(line));
    });
  };
  await until(agent, limitMs, isOver, () => `${came} lines came`);
}

type Before = Readonly<Record<Flow, { readonly names: readonly string[]; readonly lines: readonly string[] }>>;

/** What Flume had written before it was killed. */
function beforeKill(directory: string): Before {
  const of = (flow: Flow) => {
    const written = writtenTo(join(directory, flow, 'out'));
    const all = linesOf(flow);
    for (const torn of written.torn)
      assert.ok(
        all.some((line) => line.startsWith(torn)),
        torn,
      );
    return written;
  };
  return { spooled: of('spooled'), tailed: of('tailed') };
}

/** What was imported is what Flume's channels give by themselves, opened on copies. */
async function assertImported(
  classPath: string,
  one: TakenOver,
  killed: Killed,
  held: Imported['held'],
): Promise<void> {
  const copies = flows.flatMap((flow) => ['replayed', 'checkpointed'].map((name) => ({ flow, name })));
  const channels: ChannelSettings[] = [];
  for (const { flow, name } of copies) {
    const copy = join(killed.top, '..', `${flow}-${name}`);
    const settings = channelSettings(one, copy);
    await cp(join(killed.saved, flow, 'channel'), join(copy, 'channel'), { recursive: true });
    const { checkpointDir, backupCheckpointDir } = settings;
    for (const path of name === 'replayed' ? [checkpointDir, backupCheckpointDir] : []) {
      if (path !== undefined) await rm(path, { recursive: true, force: true });
    }
    channels.push(settings);
  }
  const delivered = await drainFlume(classPath, channels);
  for (const [index, { flow, name }] of copies.entries()) {
    const ours = held[flow].map((line) => eventText({}, Buffer.from(line)));
    const theirs = delivered[index]?.events ?? [];
    if (name === 'replayed') assert.deepEqual(ours, theirs, 'the sequence of its full replay');
    else assert.deepEqual(ours.toSorted(), theirs.toSorted(), 'all that it delivers with its checkpoint');
  }
}

/** Lets Flume go on where it was killed, in the place of what we did. What it writes goes to `again`. */
async function letFlumeGoOn(t: TestContext, classPath: string, killed: Killed, before: Before): Promise<void> {
  const { top, saved, again } = killed;
  for (const flow of flows) {
    // What is tailed is known by its inode.
    const kept = flow === 'tailed' ? 'in' : '';
    for (const name of readdirSync(join(top, flow))) {
      if (name !== kept && name !== 'out') await rm(join(top, flow, name), { recursive: true });
    }
    for (const name of readdirSync(join(saved, flow))) {
      if (name !== kept && name !== 'out') await rename(join(saved, flow, name), join(top, flow, name));
    }
  }
  const none: Before = {
    spooled: { ...before.spooled, names: [] },
    tailed: { ...before.tailed, names: [] },
  };
  const flume = startFlume(t, classPath, again);
  await runToEnd(flume, top, 'again', none);
  await flume.kill();
}

interface Counts {
  readonly waiting: number;
  /** Lines that Flume's sink had written and not yet committed. */
  readonly sinkRepeats: number;
  /** Lines that Flume's source had put, and not yet written down. */
  readonly sourceRepeats: number;
}

/** Compares what came out of one flow. */
function assertTakenOver(
  { top, flow, sinkBatchEvents, isLate }: { top: string; flow: Flow } & TakenOver,
  before: Before,
  held: readonly string[],
): Counts {
  const ours = writtenTo(join(top, flow, 'out'), before[flow].names);
  const flumes = writtenTo(join(top, flow, 'again'));
  assert.deepEqual(ours.torn, []);
  assert.deepEqual(ours.lines.toSorted(), flumes.lines.toSorted(), 'what Flume itself delivers when it goes on');
  assert.equal(new Set(held).size, held.length, 'nothing is imported twice');
  assert.ok(held.length > 300, `${held.length} waited`);
  assert.deepEqual(ours.lines.slice(0, held.length), held, 'what was imported comes first, in its order');
  const read = ours.lines.slice(held.length);
  assert.equal(new Set(read).size, read.length, 'nothing is read twice');
  assert.ok(read.length > sourceBatchEvents, 'Flume was killed in the middle of the files');
  const [delivered, put] = [new Set(before[flow].lines), new Set([...before[flow].lines, ...held])];
  assert.equal(delivered.size, before[flow].lines.length);
  const sinkRepeats = held.filter((line) => delivered.has(line)).length;
  const sourceRepeats = read.filter((line) => put.has(line)).length;
  assert.ok(sinkRepeats <= sinkBatchEvents, `${sinkRepeats} lines of the sink`);
  if (flow === 'spooled') assert.ok(sourceRepeats <= sourceBatchEvents, `${sourceRepeats} lines of the source`);
  // Without a note of Flume's all that was read is read again.
  if (isLate) assert.ok(sourceRepeats <= put.size - linesBefore, `${sourceRepeats} lines of the source`);
  const all = [...before[flow].lines, ...ours.lines];
  assert.equal(all.length, linesOf(flow).length + sinkRepeats + sourceRepeats);
  assert.deepEqual([...new Set(all)].toSorted(), linesOf(flow).toSorted());
  return { waiting: held.length, sinkRepeats, sourceRepeats };
}

for (const one of takenOver) {
  const { name } = one;
  test(`an agent of Flume is killed, and we go on as it would: ${name}`, { skip }, async (t) => {
    const classPath = await buildJava(flumeFolder, t);
    if (classPath === undefined) return;
    t.diagnostic(`FOREBAY_SEED=${seed}`);
    const killed = await killFlume(t, classPath, one);
    const { top, file } = killed;
    const before = beforeKill(top);
    const written = await snapshotOf(join(top, 'spooled', 'out'));
    const { held, kills } = await importAsTold(t, killed, name.startsWith('two'));
    await assertImported(classPath, one, killed, held);
    const agent = startForebay(t, file);
    await runToEnd(agent, top, 'out', before);
    assert.equal(await agent.stop(), 0);
    const now = await snapshotOf(join(top, 'spooled', 'out'));
    assert.deepEqual(
      written.slice(1).filter((line) => !now.includes(line)),
      [],
      "Flume's files have changed",
    );
    await letFlumeGoOn(t, classPath, killed, before);
    for (const flow of flows) {
      const counts = assertTakenOver({ top, flow, ...one }, before, held[flow]);
      const { waiting, sinkRepeats, sourceRepeats } = counts;
      const repeats = `${sinkRepeats} lines repeated by Flume's sink, ${sourceRepeats} by its source, none by us`;
      const doubt = `${waiting} of ${linesOf(flow).length} lines in the channel`;
      t.diagnostic(`shows: Flume killed (${name}, ${flow}), ${doubt}, taken over in place: ${repeats}`);
    }
    if (kills > 0)
      t.diagnostic(`shows: import-flume --in-place killed ${kills} times before it ended, and finished then`);
  });
}
