/**
 * A thousand random damages to the live log or its identity, in this process; and twenty by the command line, on a real
 * disk with a checkpoint in LMDB. `verify` finds each, `repair --apply` leaves a channel that opens and verifies, and
 * the loss it reports is what is missing of what was put.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { expand, rangesOf } from '../../damage/expectation.ts';
import { readFiles } from '../../damage/reference-log.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { root } from '../../support/source.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { damageAtRandom } from './random-damage.ts';
import { type Oracle, work } from './sample.ts';
import { drain } from './trial.ts';
import { runTrials } from './trials.ts';

const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
const runsByCommand = 20;

test('a thousand random damages', { timeout: 600_000 }, async () => {
  await runTrials(seed, 1000, 20);
});

const options = { segmentBytes: 65_536, minimumFreeBytes: 0 };

interface Printed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function forebay(...args: string[]): Promise<Printed> {
  const command = ['--import=tsx', join(root, 'src/cli/main.ts'), 'channel', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { encoding: 'utf8', timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

interface Damages {
  readonly ok: boolean;
  readonly damages: readonly { eventsLost: number; sequences: { first: number; last: number }[] }[];
}

/** Damages a copy of the channel in `from`, repairs it by the command line; resolves to the events that are lost. */
async function runByCommand(from: string, directory: string, oracle: Oracle, random: SeededRandom): Promise<number> {
  await cp(from, directory, { recursive: true });
  // Its identity says where it lies now.
  await (await FileChannel.open(directory, options)).close();
  const disk = nodeDisk();
  const view = await viewChannel(directory, {}, { disk, clock: systemClock });
  const files = await readFiles(disk, directory);
  const damage = damageAtRandom(files, view.segments, random);
  for (const [path, bytes] of damage.files) if (files.get(path) !== bytes) await writeFile(path, bytes);
  const where = `${damage.name}, FOREBAY_SEED=${seed}`;

  const found = await forebay('verify', directory, '--json');
  assert.equal(found.status, 2, `${where}: ${found.stderr}`);
  const repaired = await forebay('repair', directory, '--apply', '--json');
  assert.equal(repaired.status, 0, `${where}: ${repaired.stdout}${repaired.stderr}`);
  const result: Damages & { applied: boolean; eventsLost: number } = JSON.parse(repaired.stdout);
  assert.deepEqual([result.ok, result.applied], [true, true], where);
  const after = await forebay('verify', directory, '--json');
  assert.deepEqual([after.status, (JSON.parse(after.stdout) as Damages).damages], [0, []], where);

  const channel = await FileChannel.open(directory, options);
  const delivered = await drain(channel, oracle);
  assert.deepEqual(channel.damages, [], where);
  await channel.close();
  const lost = [...oracle.bodies.keys()].filter((one) => !delivered.has(one) && !oracle.settled.has(one));
  const told = result.damages.flatMap(({ eventsLost, sequences }) => (eventsLost > 0 ? sequences.flatMap(expand) : []));
  assert.deepEqual(rangesOf([...new Set(told)]), rangesOf(lost), where);
  assert.equal(result.eventsLost, lost.length, where);
  return lost.length;
}

test('twenty by the command line', { timeout: 600_000 }, async (t) => {
  const directory = await tempDir(t);
  const from = join(directory, 'c1');
  const random = new SeededRandom(seed);
  const oracle: Oracle = { bodies: new Map(), settled: new Set() };
  for (const life of [1, 2]) {
    await using channel = await FileChannel.open(from, options);
    for (let step = 0; step < 30; step++) await work(channel, oracle, random, `${life}.${step}`);
  }
  let lost = 0;
  const lane = async (name: string) => {
    for (let run = 0; run < runsByCommand / 2; run++) {
      lost += await runByCommand(from, join(directory, `${name}${run}`), oracle, random);
    }
  };
  await Promise.all([lane('a'), lane('b')]);
  console.log(
    `shows: repair: ${runsByCommand} damages by the command line: all found, all repaired, ${lost} events lost`,
  );
});

test('a checkpoint that ends its reader is set aside and made anew', { timeout: 120_000 }, async (t) => {
  const directory = join(await tempDir(t), 'c1');
  const random = new SeededRandom(seed);
  const oracle: Oracle = { bodies: new Map(), settled: new Set() };
  const made = await FileChannel.open(directory, options);
  for (let step = 0; step < 20; step++) await work(made, oracle, random, `1.${step}`);
  await made.close();
  const path = join(directory, 'checkpoint', 'data.mdb');
  const { length } = await readFile(path);
  for (const bytes of [random.bytes(length), (await readFile(path)).subarray(0, 5000)]) {
    await writeFile(path, bytes);
    const found = await forebay('verify', directory, '--json');
    assert.deepEqual([found.status, (JSON.parse(found.stdout) as Damages).damages.length], [2, 1]);
    const repaired = await forebay('repair', directory, '--apply', '--json');
    assert.deepEqual([repaired.status, JSON.parse(repaired.stdout).eventsLost], [0, 0], repaired.stdout);
    assert.equal((await forebay('verify', directory)).status, 0);
  }
  await using channel = await FileChannel.open(directory, options);
  const delivered = await drain(channel, oracle);
  assert.equal(delivered.size, oracle.bodies.size - oracle.settled.size);
});
