/** `forebay channel import`: each event once, whatever cuts it off; files that are bad or mean harm. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { AvroEventFile } from '../../src/cli/channel/avro-event-file.ts';
import { type AvroImport, importAvro } from '../../src/cli/channel/avro-import.ts';
import { avroFile, numberedEvents } from '../support/avro-events.ts';
import { badAvroFiles } from '../support/bad-avro-files.ts';
import { forebay } from '../support/forebay-here.ts';
import { KilledDisk } from '../support/killed-disk.ts';
import { samples } from '../support/sample-damage.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';

const plain = { minimumFreeBytes: 0, checkpoint: 'memory', segmentBytes: 65_536 } as const;

/** The bodies of all that waits, in order. */
async function bodiesIn(directory: string): Promise<string[]> {
  const { status, stdout, stderr } = await forebay('channel', 'dump', directory, '--format', 'raw', '--state', 'all');
  assert.equal(status, 0, stderr);
  return stdout.split('\n').slice(0, -1);
}

/** An empty channel of small files: those of the usual size take their time. */
async function smallChannel(home: string, name = 'c1'): Promise<string> {
  const directory = join(home, name);
  await (await FileChannel.open(directory, plain)).close();
  return directory;
}

/** 0 where there is no channel yet. */
async function depthOf(directory: string): Promise<number> {
  const { stdout } = await forebay('channel', 'stats', directory, '--json');
  return stdout === '' ? 0 : JSON.parse(stdout).depthEvents;
}

function bodies(from: number, to: number): string[] {
  return numberedEvents(from, to).map(({ body }) => Buffer.from(body).toString());
}

async function importOf(path: string, directory: string, ...options: string[]) {
  return await forebay('channel', 'import', directory, path, ...options);
}

/** As the verb does, on a disk that may be killed. */
async function importOn(killed: KilledDisk, directory: string, path: string): Promise<AvroImport> {
  const done: AvroImport = { events: 0, eventsBefore: 0, doneBeforeMs: undefined };
  try {
    await using file = await AvroEventFile.open(path);
    const channel = await FileChannel.open(directory, plain, { disk: killed.disk });
    const { wallMs } = systemClock;
    const { signal } = new AbortController();
    await importAvro(file, channel, done, { isAgain: false, wallMs, signal, onProgress: () => undefined });
    await channel.close();
  } catch (error) {
    if (!killed.wasKilled) throw error;
  }
  await killed.end();
  return done;
}

test('killed at one step or another, the next run puts what is missing, and each event is there once', async (t) => {
  const home = await tempDir(t);
  const path = join(home, 'in.avro');
  const count = 3500;
  await writeFile(path, avroFile(numberedEvents(0, count), { blockEvents: 900, codec: 'deflate' }).bytes);
  const whole = new KilledDisk(nodeDisk(), Number.POSITIVE_INFINITY);
  await importOn(whole, await smallChannel(home, 'whole'), path);
  let halves = 0;
  let kills = 0;
  for (let at = 0; at < whole.steps.length; at += 3) {
    const directory = await smallChannel(home, `${at}`);
    await importOn(new KilledDisk(nodeDisk(), at + 1), directory, path);
    const { eventsBefore } = await importOn(new KilledDisk(nodeDisk(), Number.POSITIVE_INFINITY), directory, path);
    if (eventsBefore > 0 && eventsBefore < count) halves += 1;
    assert.deepEqual(await bodiesIn(directory), bodies(0, count), `killed before ${whole.steps[at]}`);
    kills += 1;
  }
  assert.ok(halves > 0, 'some runs were killed in the middle of the events');
  console.log(`shows: import killed ${kills} times, ${halves} imports gone on with in their middle: each event once`);
});

/** Runs the command, kills it once it has put something, and tells how much. */
async function killedImport(path: string, directory: string): Promise<number> {
  const args = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', 'import', directory, path];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
  const exited = once(child, 'exit');
  while ((await depthOf(directory)) === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGKILL');
  await exited;
  return await depthOf(directory);
}

test('a kill -9 in the middle and a Ctrl-C: the same command goes on', { timeout: 60_000 }, async (t) => {
  const home = await tempDir(t);
  const path = join(home, 'in.avro');
  const count = 30_000;
  await writeFile(path, avroFile(numberedEvents(0, count), { blockEvents: 700, codec: 'snappy' }).bytes);
  const killAndStop = async (directory: string) => {
    const afterKill = await killedImport(path, directory);
    const run = importOf(path, directory);
    while ((await depthOf(directory)) <= afterKill && afterKill < count) await new Promise(setImmediate);
    process.emit('SIGINT');
    return { directory, afterKill, stopped: await run };
  };
  // On a slow machine either may be through before anybody has looked.
  let round = 0;
  let tried = await killAndStop(await smallChannel(home, 'c0'));
  while (tried.stopped.status === 0 && round < 30) {
    assert.equal((await bodiesIn(tried.directory)).length, count);
    round += 1;
    tried = await killAndStop(await smallChannel(home, `c${round}`));
  }
  const { directory, afterKill, stopped } = tried;
  assert.equal(stopped.status, 130, stopped.stderr);
  assert.match(stopped.stderr, /interrupted; the same command goes on/);
  const afterStop = (await bodiesIn(directory)).length;
  assert.ok(afterStop > afterKill && afterStop < count, `${afterStop}`);
  const last = await importOf(path, directory, '--json');
  assert.equal(last.status, 0, last.stderr);
  assert.deepEqual(
    [JSON.parse(last.stdout).eventsBefore, JSON.parse(last.stdout).events],
    [afterStop, count - afterStop],
  );
  assert.deepEqual(await bodiesIn(directory), bodies(0, count));
  console.log(`shows: import of ${count} events: killed at ${afterKill}, Ctrl-C at ${afterStop}, each once at the end`);
});

test('a file is imported once, under any name, with what was added since; --again puts it again', async (t) => {
  const home = await tempDir(t);
  const [path, other, directory] = [join(home, 'in.avro'), join(home, 'other.avro'), await smallChannel(home)];
  const { bytes, blocksAt } = avroFile(numberedEvents(0, 40), { blockEvents: 10 });
  const grownAt = blocksAt[3] ?? 0;
  await writeFile(path, bytes.subarray(0, grownAt));
  assert.equal((await importOf(path, directory)).stdout, `30 events imported into ${directory}\n`);
  await copyFile(path, other);
  const again = await importOf(other, directory);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /30 events of .*other\.avro were imported before, at 20.*: nothing is done; --again puts/);
  assert.ok(JSON.parse((await importOf(path, directory, '--json')).stdout).doneBefore.startsWith('20'));
  assert.deepEqual(await bodiesIn(directory), bodies(0, 30));
  await appendFile(path, bytes.subarray(grownAt));
  assert.match((await importOf(path, directory)).stdout, /^10 events imported into .*, behind 30 of an earlier run\n$/);
  assert.deepEqual(await bodiesIn(directory), bodies(0, 40));
  assert.equal((await importOf(path, directory, '--again')).stdout, `40 events imported into ${directory}\n`);
  assert.deepEqual(await bodiesIn(directory), [...bodies(0, 40), ...bodies(0, 40)]);
  // Shorter than it was: it cannot be told what was done with it.
  await writeFile(path, bytes.subarray(0, grownAt + 5));
  const shorter = await importOf(path, directory);
  assert.equal(shorter.status, 1, shorter.stdout);
  assert.match(shorter.stderr, /is not as it was when 40 events of it were imported: no block ends at byte \d+/);
});

test('while an agent has the channel it is left alone', async (t) => {
  const home = await tempDir(t);
  const [path, directory] = [join(home, 'in.avro'), join(home, 'c1')];
  await writeFile(path, avroFile(numberedEvents(0, 40), { blockEvents: 10 }).bytes);
  await using channel = await FileChannel.open(directory, plain);
  const { status, stdout, stderr } = await importOf(path, directory);
  assert.deepEqual([status, stdout], [75, ''], stderr);
  assert.equal(channel.stats().depthEvents, 0);
});

test('where a channel cannot be, or cannot be read, nothing is made or changed', async (t) => {
  const home = await tempDir(t);
  const path = join(home, 'in.avro');
  await writeFile(path, avroFile(numberedEvents(0, 40), { blockEvents: 10 }).bytes);
  await mkdir(join(home, 'other'));
  await writeFile(join(home, 'other/channel.json'), '{"channels":["tv","radio"]}');
  await mkdir(join(home, 'full'));
  await writeFile(join(home, 'full/letter.txt'), 'Dear');
  await writeFile(join(home, 'wrong'), Buffer.alloc(32, 7));
  const secret = await samples['encrypted']?.(home);
  assert.ok(secret);
  const places: [string[], number, RegExp][] = [
    [[path], 1, /not a directory|a file stands|cannot be used/],
    [[join(home, 'other')], 1, /channel\.json does not hold/],
    [[join(home, 'full')], 1, /letter\.txt/],
    [[secret.directory], 1, /key 1 is not given/],
    [[secret.directory, '--key', `1=${join(home, 'wrong')}`], 1, /key 1 is another key/],
    [[secret.directory, '--key', 'x'], 64, /ID=FILE is due/],
  ];
  const before = await snapshotOf(home);
  for (const [[directory = '', ...options], status, told] of places) {
    const ran = await importOf(path, directory, ...options);
    assert.deepEqual([ran.status, ran.stdout], [status, ''], `${directory}: ${ran.stderr}`);
    assert.match(ran.stderr, told, directory);
  }
  assert.deepEqual(await snapshotOf(home), before);
  const [directory = '', ...key] = secret.args;
  assert.equal((await importOf(path, directory, ...key)).status, 0);
  const { stdout } = await forebay('channel', 'stats', directory, ...key, '--json');
  assert.equal(JSON.parse(stdout).counters.put, secret.oracle.events.length + 40);
});

test('with a configuration the channel is made as the agent makes it, however little its capacity is', async (t) => {
  const home = await tempDir(t);
  const [path, file, one, two] = ['in.avro', 'a.properties', 'd1', 'd2'].map((name) => join(home, name)) as string[];
  const lines = [
    'channels = c1',
    'channels.c1.type = file',
    `channels.c1.dataDirs = ${one},${two}`,
    'sinks = k1',
    'sinks.k1.type = file_roll',
    `sinks.k1.sink.directory = ${home}`,
    'sinks.k1.channel = c1',
    `channels.c1.checkpointDir = ${join(home, 'check')}`,
    'channels.c1.maxFileSize = 65536',
    'channels.c1.capacity = 100',
    'channels.c1.transactionCapacity = 100',
    'channels.c1.minimumRequiredSpace = 1048576',
  ];
  await writeFile(file ?? '', lines.map((line) => `a1.${line}\n`).join(''));
  await writeFile(path ?? '', avroFile(numberedEvents(0, 3000), { blockEvents: 1000 }).bytes);
  const place = ['-f', file ?? '', '-n', 'a1', '--channel', 'c1'];
  const imported = await forebay('channel', 'import', ...place, path ?? '');
  assert.equal(imported.status, 0, imported.stderr);
  assert.ok(existsSync(join(two ?? '', 'channel.json')) && existsSync(join(home, 'check/channel.json')));
  assert.deepEqual(await bodiesIn(two ?? ''), bodies(0, 3000));
  const out = join(home, 'out.avro');
  const exported = await forebay('channel', 'export', ...place, out);
  assert.match(exported.stdout, /^3,000 events exported to .*out\.avro, sequences 1…3000\n$/);
  // What Flume left there is not lost sight of.
  await mkdir(join(home, 'flume'));
  await writeFile(join(home, 'flume/log-1'), 'Flume');
  const refused = await importOf(path ?? '', join(home, 'flume'));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /import-flume/);
});

test('only so many files are remembered: notes are for everybody', async (t) => {
  const home = await tempDir(t);
  const path = join(home, 'in.avro');
  await writeFile(path, avroFile(numberedEvents(0, 40), { blockEvents: 10 }).bytes);
  await using channel = await FileChannel.open(join(home, 'c1'), plain);
  const noteOf = (at: number) => ({ name: 'x', offset: 1, record: 0, events: 1, isDone: at !== 0, timeMs: at });
  const notes = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`import/${at}`, noteOf(at)]));
  await channel.put([], { notes: { ...notes, 'a source': 1 } });
  await using file = await AvroEventFile.open(path);
  const done: AvroImport = { events: 0, eventsBefore: 0, doneBeforeMs: undefined };
  const { signal } = new AbortController();
  await importAvro(file, channel, done, { isAgain: false, wallMs: Date.now, signal, onProgress: () => undefined });
  const keys = channel.notes.keys();
  const kept = keys.filter((key) => key.startsWith('import/'));
  assert.equal(kept.length, 200);
  // The one that is not done, the latest, and this one.
  for (const key of ['import/0', 'import/249', `import/${file.identity}`]) assert.ok(kept.includes(key), key);
  assert.ok(!kept.includes('import/1') && keys.includes('a source'));
});

test('what is bad in a file is told with its place; what was before it is put, and not again', async (t) => {
  const home = await tempDir(t);
  let count = 0;
  for (const [name, { bytes, told, good }] of Object.entries(badAvroFiles())) {
    const own = join(home, `${count}`);
    await mkdir(own);
    const [path, directory] = [join(own, 'in.avro'), join(own, 'c1')];
    await writeFile(path, bytes);
    if (good !== undefined) await smallChannel(own);
    for (const run of good === undefined ? [1] : [1, 2]) {
      const { status, stdout, stderr } = await importOf(path, directory);
      assert.deepEqual([status, stdout], [1, ''], `${name}: ${stderr}`);
      assert.match(stderr, told, `${name}, run ${run}`);
      if (good === undefined) {
        assert.deepEqual(existsSync(directory), false, `${name}: no channel is made`);
        continue;
      }
      assert.match(
        stderr,
        new RegExp(`^${good} events? of .*in\\.avro are in the channel; the same command goes on`),
        name,
      );
      const found = await bodiesIn(directory);
      assert.deepEqual([found.length, found.slice(0, 20)], [good, bodies(0, Math.min(good, 20))], name);
    }
    count += 1;
  }
  console.log(`shows: import: ${count} bad files refused, each with its place; what was before is put once`);
});

test('a copy that was cut off is gone on with once it is whole', async (t) => {
  const home = await tempDir(t);
  const [path, directory] = [join(home, 'in.avro'), await smallChannel(home)];
  const { bytes, blocksAt } = avroFile(numberedEvents(0, 40), { blockEvents: 10 });
  for (const cut of [(blocksAt[1] ?? 0) + 9, (blocksAt[3] ?? 0) + 1]) {
    await writeFile(path, bytes.subarray(0, cut));
    assert.equal((await importOf(path, directory)).status, 1);
  }
  assert.deepEqual(await bodiesIn(directory), bodies(0, 30));
  await writeFile(path, bytes);
  assert.match((await importOf(path, directory)).stdout, /^10 events imported into .*, behind 30 of an earlier run/);
  assert.deepEqual(await bodiesIn(directory), bodies(0, 40));
  const before = await snapshotOf(home);
  const missing = await importOf(join(home, 'nowhere.avro'), directory);
  assert.deepEqual([missing.status, missing.stdout], [1, '']);
  assert.match(missing.stderr, /ENOENT/);
  assert.match((await importOf(home, directory)).stderr, /is no file/);
  assert.deepEqual(await snapshotOf(home), before);
  assert.equal((await readFile(path)).equals(bytes), true);
});
