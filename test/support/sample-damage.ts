/**
 * The samples by name: the story of sample-channels.ts, told for each purpose, and what a bad night does to it. What
 * the damage costs goes by what the test itself had put there, never by what forebay says of it.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { numbers, type Sample, type SampleEvent, type Story, tellStory } from './sample-channels.ts';

/** What the samples are called, and how each is made below a fresh directory. */
export const samples: Readonly<Record<string, (home: string) => Promise<Sample>>> = {
  healthy: (home) => tellStory(home, { isCheckpointed: true }),
  empty: (home) => tellStory(home, { puts: 0 }),
  prepared: (home) => tellStory(home, { isPreparing: true }),
  killed: (home) => tellStory(home, { isKilled: true }),
  'torn-tail': async (home) => tearTail(await tellStory(home, { isKilled: true })),
  'bit-flip': async (home) => flipBit(await tellStory(home)),
  'missing-segment': async (home) => loseSegment(await tellStory(home)),
  'damaged-checkpoint': async (home) => damageCheckpoint(await tellStory(home, { isCheckpointed: true })),
  'foreign-checkpoint': foreignCheckpoint,
  encrypted,
  directories: (home) => tellStory(home, { options: directoriesIn(home) }),
  'missing-directory': async (home) => loseDirectory(await tellStory(home, { options: directoriesIn(home) })),
};

const pageBytes = 4096;
/** In the second segment, and waiting. */
const flipped = 61;

/** As a key file holds it. */
const sampleKey: Buffer = Buffer.from(numbers(0, 31));

function bodyText(sequence: number): string {
  return `/page/${sequence}. `;
}

async function segmentFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^[0-9a-f]{16}\.seg$/.test(name)).map((name) => join(directory, name));
}

/** The segment that holds it, and where. */
async function find({ directory }: Sample, sequence: number): Promise<{ path: string; bytes: Buffer; at: number }> {
  for (const path of await segmentFiles(directory)) {
    const bytes = await readFile(path);
    const at = bytes.indexOf(bodyText(sequence));
    if (at >= 0) return { path, bytes, at };
  }
  throw new Error(`no segment holds event ${sequence}`);
}

/** With the loss by its own books: those of `gone` that were not acknowledged. */
function without(sample: Sample, gone: readonly SampleEvent[]): Sample {
  const { oracle } = sample;
  const lost = gone.map(({ sequence }) => sequence).filter((sequence) => !oracle.acked.includes(sequence));
  return { ...sample, oracle: { ...oracle, lost } };
}

function putOf({ oracle: { events } }: Sample, sequence: number): SampleEvent[] {
  const { timeMs } = events[sequence - 1] as SampleEvent;
  return events.filter((other) => other.timeMs === timeMs);
}

/** The power went while the last group was written: from the middle of its first page on, nothing arrived. */
async function tearTail(sample: Sample): Promise<Sample> {
  const last = sample.oracle.events.length;
  const { path, bytes, at } = await find(sample, last);
  bytes.fill(0, at, Math.ceil(at / pageBytes) * pageBytes);
  await writeFile(path, bytes);
  return { ...sample, oracle: { ...sample.oracle, cutOff: putOf(sample, last).map(({ sequence }) => sequence) } };
}

async function flipBit(sample: Sample): Promise<Sample> {
  const { path, bytes, at } = await find(sample, flipped);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  await writeFile(path, bytes);
  const damaged = without(sample, putOf(sample, flipped));
  return { ...damaged, oracle: { ...damaged.oracle, isHidden: true } };
}

async function loseSegment(sample: Sample): Promise<Sample> {
  const { path, bytes } = await find(sample, flipped);
  await rm(path);
  return without(sample, eventsIn(sample, bytes));
}

/** Those whose body, or one of the same put, stands in `bytes`: some bodies are no text. */
function eventsIn(sample: Sample, bytes: Buffer): SampleEvent[] {
  const { events } = sample.oracle;
  const there = events.filter(({ sequence }) => bytes.includes(bodyText(sequence)));
  return events.filter(({ timeMs }) => there.some((other) => other.timeMs === timeMs));
}

async function damageCheckpoint(sample: Sample): Promise<Sample> {
  const path = join(sample.directory, 'checkpoint', 'data.mdb');
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xa5, 0, 2 * pageBytes));
  return sample;
}

/** Restored from the wrong backup. */
async function foreignCheckpoint(home: string): Promise<Sample> {
  const otherHome = join(home, 'other');
  await mkdir(otherHome);
  const [sample, other] = [
    await tellStory(home, { isCheckpointed: true }),
    await tellStory(otherHome, { isCheckpointed: true, puts: 24, seed: 2 }),
  ];
  const data = (directory: string): string => join(directory, 'checkpoint', 'data.mdb');
  await copyFile(data(other.directory), data(sample.directory));
  return sample;
}

async function encrypted(home: string): Promise<Sample> {
  const keyFile = join(home, 'key');
  await writeFile(keyFile, sampleKey);
  const story: Story = { isPreparing: true, options: { encryption: { activeKey: 1, keys: { 1: keyFile } } } };
  const sample = await tellStory(home, story);
  return { ...sample, args: [...sample.args, '--key', `1=${keyFile}`] };
}

function directoriesIn(home: string): { dataDirs: string[]; checkpointDir: string } {
  return { dataDirs: [join(home, 'd1'), join(home, 'd2')], checkpointDir: join(home, 'checkpoint') };
}

/** A volume that is not mounted: the empty mount point stands there. */
async function loseDirectory(sample: Sample): Promise<Sample> {
  const [first = '', second = ''] = sample.directories;
  const left = await sequencesIn(sample, first);
  const gone = await sequencesIn(sample, second);
  await rm(second, { recursive: true });
  await mkdir(second);
  const end = Math.max(...left);
  const lost = gone.filter((sequence) => sequence < end);
  return { ...sample, oracle: { ...sample.oracle, lost, cutOff: gone.filter((sequence) => sequence > end) } };
}

async function sequencesIn(sample: Sample, directory: string): Promise<number[]> {
  const files = await Promise.all((await segmentFiles(directory)).map((path) => readFile(path)));
  return files.flatMap((bytes) => eventsIn(sample, bytes)).map(({ sequence }) => sequence);
}
