/**
 * `forebay channel import-flume --in-place`: Flume's directories are moved, unchanged, and the configuration starts as
 * it is. Killed at any step of the file system the next run of the same command finishes it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { refuseFlumeFiles } from '../../src/adapters/channels/flume-directories.ts';
import { systemClock } from '../../src/base/clock.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { diskWith } from '../../src/base/disk-with.ts';
import { systemError } from '../../src/base/system-error.ts';
import { findChannel } from '../../src/channel/reader/find-channel.ts';
import { flumePlaceOf } from '../../src/cli/channel/flume-place.ts';
import { importInPlace, removeTree } from '../../src/cli/channel/import-in-place.ts';
import { FileChannel } from '../../src/engine.ts';
import { drain } from '../adapters/contexts.ts';
import { eventText, type FlumeSample, unpackSample } from '../support/flume-samples.ts';
import { forebay } from '../support/forebay-here.ts';
import { KilledDisk } from '../support/killed-disk.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';

type Testing = Parameters<typeof unpackSample>[0];

interface Configured extends FlumeSample {
  readonly file: string;
  readonly command: readonly string[];
}

/** The sample `clean` with a configuration of it, of `lines` for the channel beside its directories. */
async function configured(t: Testing, ...lines: string[]): Promise<Configured> {
  const sample = await unpackSample(t, 'clean');
  const file = join(sample.top, '..', 'agent.properties');
  const channel = [
    'type = file',
    `dataDirs = ${sample.dataDirs.join(', ')}`,
    `checkpointDir = ${sample.top}/checkpoint`,
    'minimumRequiredSpace = 1048576',
    'transactionCapacity = 100',
    'capacity = 2000',
    'maxFileSize = 65536',
    ...lines,
  ].map((line) => `channels.c1.${line}`);
  const sink = ['type = file_roll', `sink.directory = ${sample.top}`, 'channel = c1'].map((line) => `sinks.k1.${line}`);
  const all = ['channels = c1', 'sinks = k1', ...channel, ...sink];
  await writeFile(file, all.map((line) => `a1.${line}\n`).join(''));
  return { ...sample, file, command: ['import-flume', '-f', file, '-n', 'a1', '--channel', 'c1', '--in-place'] };
}

const names = ['data1', 'data2', 'checkpoint'] as const;

/** Of each of Flume's directories below `directory`: all that a move must not change. */
async function directoriesIn(directory: string): Promise<Record<string, readonly string[] | undefined>> {
  const found: Record<string, readonly string[] | undefined> = {};
  for (const name of names) {
    const path = join(directory, name);
    found[name] = existsSync(path) ? await snapshotOf(path) : undefined;
  }
  return found;
}

function oldNames({ top }: FlumeSample): string[] {
  return readdirSync(top).filter((name) => name.startsWith('flume-old-'));
}

/** Nothing of the import is left beside the directories. */
function assertNothingLeft({ top }: FlumeSample): void {
  assert.deepEqual(
    readdirSync(top).filter((name) => name.includes('forebay-importing')),
    [],
  );
}

/** What the configuration's channel holds, as `forebay agent` opens it; all of it is taken. */
async function drained({ dataDirs, top }: FlumeSample): Promise<string[]> {
  const checkpointDir = join(top, 'checkpoint');
  const options = { dataDirs, checkpointDir, checkpoint: 'memory' as const, segmentBytes: 65_536 };
  const channel = await FileChannel.open(dataDirs[0] ?? '', options);
  const events = await drain(channel);
  await channel.close();
  return events.map(({ headers, body }) => eventText(headers, body));
}

const running = async (): Promise<void> => undefined;

/** A run of the command that is killed before the step `killAt` of the file system; the steps that it made. */
async function killedRun(one: Configured, killAt: number): Promise<KilledDisk> {
  const killed = new KilledDisk(nodeDisk(), killAt);
  const place = await flumePlaceOf({ files: [one.file], agent: 'a1', channel: 'c1' });
  const removing = (path: string) => killed.step(`removeTree ${path}`, () => removeTree(path));
  const tools = { wallMs: systemClock.wallMs, refuseRunning: running, onProgress: () => undefined };
  try {
    await importInPlace(place, { ...tools, disk: killed.disk, removeTree: removing });
  } catch (error) {
    if (!killed.wasKilled) throw error;
  }
  await killed.end();
  return killed;
}

/** Undoes a finished import: Flume's directories come back to their names. */
async function moveBack({ top }: Configured, oldName: string): Promise<void> {
  for (const name of names) {
    await rm(join(top, name), { recursive: true });
    await rename(join(top, oldName, name), join(top, name));
  }
  await rm(join(top, oldName), { recursive: true });
}

test('the directories are moved unchanged, and the configuration starts as it is', async (t) => {
  const one = await configured(t);
  // As Flume's integrity tool leaves it.
  await writeFile(join(one.top, 'data1', 'log-1.bak'), '');
  const before = await directoriesIn(one.top);
  assert.ok((before['data1']?.length ?? 0) > 2 && (before['checkpoint']?.length ?? 0) > 2);
  const ran = await forebay('channel', ...one.command, '--json');
  assert.equal(ran.status, 0, ran.stderr);
  const { events, damages, oldPaths, isDone } = JSON.parse(ran.stdout);
  assert.deepEqual([events, damages, isDone], [one.expected.length, [], false]);
  const [oldName = '', ...others] = oldNames(one);
  assert.deepEqual(others, []);
  assert.deepEqual(await directoriesIn(join(one.top, oldName)), before);
  assert.deepEqual([...oldPaths].sort(), names.map((name) => join(one.top, oldName, name)).sort());
  assertNothingLeft(one);
  // Before the first open: whoever looks finds all directories by any one of them.
  const stats = await forebay('channel', 'stats', join(one.top, 'data2'), '--json');
  assert.equal(JSON.parse(stats.stdout).depthEvents, one.expected.length, stats.stderr);
  const again = await forebay('channel', ...one.command);
  assert.deepEqual([again.status, again.stdout.includes('there already; there is nothing to do')], [0, true]);
  assert.deepEqual(await drained(one), one.expected);
});

test('killed at any step, the next run finishes it, and the old directories are not changed', async (t) => {
  const one = await configured(t);
  const before = await directoriesIn(one.top);
  const { steps } = await killedRun(one, Number.POSITIVE_INFINITY);
  await moveBack(one, oldNames(one)[0] ?? '');
  const firstMove = steps.findIndex((step) => step.startsWith('rename') && step.includes('/flume-old-'));
  assert.ok(firstMove > steps.findIndex((step) => step.startsWith('makeDirectory')), steps.join('\n'));
  // Every step of the moves, with those by which all becomes durable; of the building one in eight.
  const kills = steps.map((_, at) => at + 1).filter((at) => at >= firstMove - 12 || at % 8 === 1);
  let refused = 0;
  for (const killAt of kills) {
    await killedRun(one, killAt);
    const what = `killed before step ${killAt}, ${steps[killAt - 1]}`;
    const [isThere, ...moved] = await Promise.all(
      [one.top, ...oldNames(one).map((name) => join(one.top, name))].map(directoriesIn),
    );
    for (const name of names) {
      const copies = [isThere?.[name], ...moved.map((old) => old[name])].map((copy) => JSON.stringify(copy));
      assert.ok(copies.includes(JSON.stringify(before[name])), `${what}: ${name} is neither here nor there`);
    }
    refused += await startsOrRefuses(one, what);
    await killedRun(one, Number.POSITIVE_INFINITY);
    const [oldName = '', ...others] = oldNames(one);
    assert.deepEqual(others, [], what);
    assert.deepEqual(await directoriesIn(join(one.top, oldName)), before, what);
    assertNothingLeft(one);
    assert.deepEqual(await drained(one), one.expected, what);
    await moveBack(one, oldName);
  }
  assert.ok(refused > kills.length / 2 && refused < kills.length, `${refused} of ${kills.length} refused`);
  t.diagnostic(`shows: in place, killed at ${kills.length} of ${steps.length} steps: all finished by the next run`);
});

/** Between runs the agent's channel has all events, or is refused with the command: 1 where it was refused. */
async function startsOrRefuses(one: Configured, what: string): Promise<number> {
  const { dataDirs, top, file } = one;
  const named = { name: 'c1', configuration: { files: [file], agent: 'a1' } };
  try {
    await refuseFlumeFiles(dataDirs, join(top, 'checkpoint'), named);
  } catch (error) {
    assert.match(
      String(error),
      /`forebay channel import-flume -f \/.*agent\.properties -n a1 --channel c1 --in-place`/,
    );
    return 1;
  }
  for (const name of names) assert.ok(existsSync(join(top, name, 'channel.json')), `${what}: starts without ${name}`);
  const { absent } = await findChannel(nodeDisk(), dataDirs[0] ?? '', join(top, 'checkpoint'));
  assert.deepEqual(absent, [], what);
  return 0;
}

test('an import that was cut off before Flume wrote more is begun again', async (t) => {
  const one = await configured(t);
  const { steps } = await killedRun(await configured(t), Number.POSITIVE_INFINITY);
  const firstMove = steps.findIndex((step) => step.startsWith('rename') && step.includes('/flume-old-'));
  for (const killAt of [firstMove - 1, firstMove + 1]) {
    await killedRun(one, killAt);
    const log = join(
      one.dataDirs[0] ?? '',
      readdirSync(one.dataDirs[0] ?? '').find((name) => /^log-\d+$/.test(name)) ?? '',
    );
    await utimes(log, new Date(), new Date(Date.now() + killAt * 1000));
  }
  // What was built is removed first: killed in the middle of that, too.
  for (const killAt of [2, 3, 4, 5, 6, 7, 8, 9]) await killedRun(one, killAt);
  assert.deepEqual(oldNames(one), []);
  const ran = await forebay('channel', ...one.command, '--json');
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual([JSON.parse(ran.stdout).events, JSON.parse(ran.stdout).eventsBefore], [one.expected.length, 0]);
  assertNothingLeft(one);
  assert.deepEqual(await drained(one), one.expected);
});

test('Ctrl-C in the middle undoes it, and says so', async (t) => {
  const one = await configured(t);
  const before = await snapshotOf(one.top);
  const ran = forebay('channel', ...one.command);
  const staged = join(one.top, 'data1.forebay-importing');
  while (!existsSync(staged)) await new Promise((resolve) => setImmediate(resolve));
  process.emit('SIGINT');
  const { status, stderr } = await ran;
  assert.deepEqual([status, stderr], [130, 'error: interrupted; nothing was changed\n']);
  assert.deepEqual((await snapshotOf(one.top)).slice(1), before.slice(1));
});

test('an import that fails is undone', async (t) => {
  const one = await configured(t);
  const before = await snapshotOf(one.top);
  const place = await flumePlaceOf({ files: [one.file], agent: 'a1', channel: 'c1' });
  const real = nodeDisk();
  let opened = 0;
  const disk = diskWith(real, {
    open: async (path, options) => {
      if (path.includes('forebay-importing/') && options.mode === 'create') opened += 1;
      if (opened > 4) throw systemError('ENOSPC', 'no space left on device', path);
      return await real.open(path, options);
    },
  });
  const tools = { wallMs: systemClock.wallMs, refuseRunning: running, onProgress: () => undefined, removeTree };
  await assert.rejects(importInPlace(place, { ...tools, disk }), { code: 'DISK_FULL' });
  assert.deepEqual((await snapshotOf(one.top)).slice(1), before.slice(1));
  await importInPlace(place, { ...tools, disk: real });
  assert.deepEqual(await drained(one), one.expected);
});

test('links are followed, a missing checkpoint is none, and the backup is moved too', async (t) => {
  const one = await configured(t, 'useDualCheckpoints = true', 'backupCheckpointDir = @top@/backup');
  const text = readFileSync(one.file, 'utf8').replaceAll('@top@', one.top);
  await writeFile(one.file, text);
  await mkdir(join(one.top, 'backup'));
  await writeFile(join(one.top, 'backup', 'backupComplete'), '');
  await rm(join(one.top, 'checkpoint'), { recursive: true });
  await mkdir(join(one.top, 'disk'));
  await rename(join(one.top, 'data2'), join(one.top, 'disk', 'd2'));
  await symlink(join(one.top, 'disk', 'd2'), join(one.top, 'data2'));
  const ran = await forebay('channel', ...one.command);
  assert.equal(ran.status, 0, ran.stderr);
  const [oldName = ''] = oldNames(one);
  assert.deepEqual(readdirSync(join(one.top, oldName)).sort(), ['backup', 'data1']);
  assert.deepEqual(readdirSync(join(one.top, 'disk', oldName)), ['d2']);
  assert.ok(existsSync(join(one.top, 'disk', 'd2', 'channel.json')));
  assert.deepEqual(await drained(one), one.expected);
});

test('what cannot be done is refused by name, and changes nothing', async (t) => {
  const one = await configured(t);
  // But for the times of directories, which the test itself changes.
  const files = async (): Promise<readonly string[]> =>
    (await snapshotOf(one.top)).filter((line) => /^\S+ 100/.test(line));
  const before = await files();
  const refused = async (status: number, message: RegExp, command = one.command): Promise<void> => {
    const ran = await forebay('channel', ...command);
    assert.match(ran.stderr, message);
    assert.equal(ran.status, status, ran.stderr);
  };
  const without = (...words: string[]): string[] => one.command.filter((word) => !words.includes(word));
  await refused(64, /DIR and --in-place exclude each other/, [...one.command, '/x']);
  await refused(64, /--in-place needs -f FILE/, ['import-flume', '--in-place']);
  await refused(64, /--conf-file needs --name and --channel too/, without('--channel', 'c1'));
  await refused(64, /DIR is missing/, without('--in-place'));
  await refused(78, /a1 has no channel 'c2': it has c1/, without('c1').toSpliced(-1, 0, 'c2'));
  const data1 = join(one.top, 'data1');
  await writeFile(join(data1, 'notes.txt'), 'x');
  await refused(1, /data1 holds 'notes\.txt', which is not of Flume's file channel/);
  await rm(join(data1, 'notes.txt'));
  const lock = await nodeDisk().lock(join(one.top, 'checkpoint', 'in_use.lock'));
  await refused(75, /in_use\.lock is locked: Flume runs on this channel/);
  await lock?.release();
  await rm(join(one.top, 'checkpoint', 'in_use.lock'));
  await rename(data1, `${data1}.away`);
  await refused(1, /data1 is no directory that can be read: mount it/);
  await rename(`${data1}.away`, data1);
  const text = readFileSync(one.file, 'utf8');
  await writeFile(one.file, text.replace('channels.c1.type = file', 'channels.c1.type = memory'));
  await refused(78, /a1\.channels\.c1 is no file channel: its type is 'memory'/);
  const jceks = ['encryption.activeKey = key-0', 'encryption.keyProvider = JCEKSFILE'];
  const store = ['keyStoreFile = /k', 'keyStorePasswordFile = /p', 'keys = key-0'];
  const keys = [...jceks, ...store.map((line) => `encryption.keyProvider.${line}`)];
  await writeFile(one.file, `${text}${keys.map((line) => `a1.channels.c1.${line}\n`).join('')}`);
  await refused(78, /encryption\.keyProvider: 'JCEKSFILE' is not allowed: JCEKS key stores cannot be read yet/);
  await writeFile(one.file, text);
  assert.deepEqual(await files(), before);
  assert.ok(before.length > 8);
});

test("a configuration's directories and key store are read from it, into a new directory", async (t) => {
  const sample = await unpackSample(t, 'kill9-encrypted');
  const keys = join(sample.top, 'keys');
  const file = join(sample.top, 'agent.properties');
  const lines = [
    'type = file',
    `dataDirs = ${sample.dataDirs.join(',')}`,
    `checkpointDir = ${sample.top}/checkpoint`,
    'encryption.activeKey = key-0',
    'encryption.cipherProvider = AESCTRNOPADDING',
    'encryption.keyProvider = JCEKSFILE',
    `encryption.keyProvider.keyStoreFile = ${keys}/test.keystore`,
    `encryption.keyProvider.keyStorePasswordFile = ${keys}/ks.pw`,
    'encryption.keyProvider.keys = key-0',
    `encryption.keyProvider.keys.key-0.passwordFile = ${keys}/key-0.pw`,
  ];
  await writeFile(file, `a1.channels = c1\n${lines.map((line) => `a1.channels.c1.${line}\n`).join('')}`);
  const before = await directoriesIn(sample.top);
  const target = join(sample.top, 'new');
  const ran = await forebay('channel', 'import-flume', target, '-f', file, '-n', 'a1', '--channel', 'c1', '--json');
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(JSON.parse(ran.stdout).events, sample.expected.length);
  assert.deepEqual(await directoriesIn(sample.top), before);
  const channel = await FileChannel.open(target);
  const events = await drain(channel);
  await channel.close();
  assert.deepEqual(
    events.map(({ headers, body }) => eventText(headers, body)),
    sample.expected,
  );
});
