/** The commands that look, on channels damaged at random: always an answer, never an event that was not put. */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { forebay, type Ran } from '../../support/forebay-here.ts';
import { type Sample, tellStory } from '../../support/sample-channels.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { snapshotOf } from '../../support/tree-snapshot.ts';

const rounds = 20;
const looks = ['stats', 'segments', 'verify', 'unresolved', 'dump', 'dump --frames', 'replay', 'repair'];

type Damage = (files: readonly string[], random: SeededRandom) => Promise<string>;

const damages: readonly Damage[] = [
  async (files, random) => {
    const path = random.pick(files);
    const bytes = await readFile(path);
    const at = random.below(Math.max(1, bytes.length));
    if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    await writeFile(path, bytes);
    return `a bit at ${at} of ${path}`;
  },
  async (files, random) => {
    const path = random.pick(files);
    const bytes = await readFile(path);
    const at = random.below(Math.max(1, bytes.length));
    bytes.fill(random.pick([0, 0xff, 0x5a]), at, Math.min(bytes.length, at + 1 + random.below(20_000)));
    await writeFile(path, bytes);
    return `bytes from ${at} of ${path}`;
  },
  async (files, random) => {
    const path = random.pick(files);
    await truncate(path, random.below(70_000));
    return `the length of ${path}`;
  },
  async (files, random) => {
    const path = random.pick(files);
    await rm(path);
    return `${path} is gone`;
  },
  async (files, random) => {
    const [from, to] = [random.pick(files), random.pick(files)];
    await writeFile(to, await readFile(from));
    return `${from} stands in ${to}`;
  },
];

async function filesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => !name.startsWith('free-') && name !== 'checkpoint')
    .map((name) => join(directory, name));
}

function checkAnswer({ status, stderr, stdout }: Ran, what: string): void {
  assert.ok([0, 1, 2].includes(status), `${what}: exit ${status}`);
  assert.doesNotMatch(stderr, /TypeError|RangeError|SyntaxError|Invariant|is not a function|undefined/, what);
  if (status === 1) assert.match(stderr, /^error: .*(holds no channel|does not hold|newer)/, what);
  else assert.notEqual(stdout + stderr, '', what);
}

/** What is dumped was put, as it is; what is missing is told, but for the end of a log that nothing speaks of. */
async function checkDump({ oracle }: Sample, directory: string, what: string): Promise<void> {
  const { status, stdout } = await forebay('channel', 'dump', directory, '--state', 'all', '--json');
  if (status === 1) return;
  const there = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  for (const { sequence, headers, body, encoding } of there) {
    const put = oracle.events[sequence - 1];
    assert.deepEqual([headers, Buffer.from(body, encoding)], [put?.headers, put?.body], `${what}: event ${sequence}`);
  }
  const sequences = there.map(({ sequence }) => sequence);
  assert.deepEqual(
    [...new Set(sequences)].sort((a, b) => a - b),
    sequences,
    `${what}: in order, each once`,
  );
  const isStart = sequences.every((sequence, at) => sequence === at + 1);
  if (!isStart) assert.equal(status, 2, `${what}: a gap is told`);
}

test('a look at any damage has an answer, and shows what was put', { timeout: 120_000 }, async (t) => {
  const home = await tempDir(t);
  const sample = await tellStory(home, { isPreparing: true });
  const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
  const random = new SeededRandom(seed);
  const statuses = [0, 0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const directory = join(home, `round-${round}`);
    await cp(sample.directory, directory, { recursive: true });
    const done = await random.pick(damages)(await filesOf(directory), random);
    const what = `${done}, FOREBAY_SEED=${seed}`;
    const before = await snapshotOf(directory);
    for (const look of looks) {
      const [verb = '', ...rest] = look.split(' ');
      const ran = await forebay('channel', verb, directory, ...rest);
      checkAnswer(ran, `${look}: ${what}`);
      statuses[ran.status] = (statuses[ran.status] ?? 0) + 1;
    }
    await checkDump(sample, directory, what);
    assert.deepEqual(await snapshotOf(directory), before, what);
    await rm(directory, { recursive: true });
  }
  const [fine, failed, damaged] = statuses;
  console.log(`shows: ${rounds} random damages: ${fine} looks fine, ${damaged} met damage, ${failed} no channel`);
});
