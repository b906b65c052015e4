/**
 * Channels on the real disk for tests of the `forebay channel` commands: one story, told with a clock that stands and
 * seeded randomness, so that the bytes are always the same but for the paths in them. Each comes with its oracle: what
 * was put, taken and prepared. What is done to them then: sample-damage.ts.
 */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Disk } from '../../src/base/disk.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { ChannelOptions } from '../../src/channel/options.ts';
import type { Event } from '../../src/event/event.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';

/** What was put, and when. */
export interface SampleEvent {
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeMs: number;
}

/** What is true of a sample by the test's own books. Sequences ascend. */
interface SampleOracle {
  readonly events: readonly SampleEvent[];
  readonly acked: readonly number[];
  readonly prepared: readonly number[];
  /** Put, not acknowledged, and gone by damage or with a directory. */
  readonly lost: readonly number[];
  /** Put, and gone with the end of the log: nothing that is left says that they ever were. */
  readonly cutOff: readonly number[];
  /** What is lost stands where only `verify` and `dump` look. */
  readonly isHidden: boolean;
}

/** One channel. */
export interface Sample {
  /** A data directory. */
  readonly directory: string;
  /** All that belong to it; the checkpoint's is below the first, or the last of them. */
  readonly directories: readonly string[];
  /** On a command line: the directory, and what it takes besides to read it. */
  readonly args: readonly string[];
  readonly options: ChannelOptions;
  readonly oracle: SampleOracle;
  /** When the story ended, wall clock. */
  readonly endMs: number;
}

/** How the story is told. */
export interface Story {
  readonly puts?: number;
  readonly isPreparing?: boolean;
  /** It ends by a kill: nobody closes, and nothing proves the last put. */
  readonly isKilled?: boolean;
  /** The checkpoint is the one that a machine has; else kept in memory, which takes no child to read. */
  readonly isCheckpointed?: boolean;
  readonly options?: ChannelOptions;
  readonly seed?: number;
  readonly disk?: Disk;
}

/** Events of each put: a transaction. */
const eventsPerPut = 3;
const ackedEvents = 30;
const ackedAtOnce = 10;
const putIntervalMs = 1000;

/** Tells the story in `home`, and leaves the channel in `home`/c1 or where `story.options` say. */
export async function tellStory(home: string, story: Story = {}): Promise<Sample> {
  const { puts = 40, isKilled = false, isPreparing = false, isCheckpointed = false, seed = 1 } = story;
  const { disk = nodeDisk() } = story;
  const directory = join(home, 'c1');
  const live = isKilled ? join(home, 'live') : directory;
  const checkpoint = isCheckpointed ? 'lmdb' : 'memory';
  const options: ChannelOptions = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint, ...story.options };
  const clock = new ManualClock();
  const channel = await FileChannel.open(live, options, { disk, clock, random: new SeededRandom(seed) });
  const events: SampleEvent[] = [];
  for (let put = 0; put < puts; put += 1) {
    if (put > 0) clock.advance(putIntervalMs);
    if (put === Math.floor(puts / 2)) await takeSome(channel);
    const made = eventsFrom(1 + put * eventsPerPut);
    const timeMs = clock.wallMs();
    await channel.put(made);
    for (const { headers, body } of made) {
      events.push({ sequence: events.length + 1, headers: { ...headers }, body: Buffer.from(body), timeMs });
    }
  }
  const prepared = isPreparing ? await prepareSome(channel) : [];
  if (isKilled) await cp(live, directory, { recursive: true, filter: (path) => basename(path) !== 'owner.lock' });
  await channel.close();
  const { dataDirs = [directory], checkpointDir = join(directory, 'checkpoint') } = options;
  return {
    directory: dataDirs[0] ?? directory,
    directories: [...dataDirs, checkpointDir],
    args: [dataDirs[0] ?? directory],
    options,
    oracle: { events, acked: puts > 0 ? numbers(1, ackedEvents) : [], prepared, lost: [], cutOff: [], isHidden: false },
    endMs: clock.wallMs(),
  };
}

/** As a web server's: some would steer a terminal, or are no text. */
function eventsFrom(first: number): Event[] {
  return numbers(first, first + eventsPerPut - 1).map((number) => {
    const headers = { host: `web${1 + (number % 3)}` };
    const line = `10.0.0.${number} GET /page/${number}. 200`;
    if (number % 50 === 41)
      return { headers: { ...headers, '\u001b[2J': 'x\ny' }, body: Buffer.from(`\u001b[31m${line}\n`) };
    if (number % 50 === 42) return { headers, body: Buffer.from([0xff, 0xfe, 0, number]) };
    return { headers, body: Buffer.from(line) };
  });
}

async function takeSome(channel: FileChannel): Promise<void> {
  const sink = channel.consumer('sink/k1');
  for (let taken = 0; taken < ackedEvents; taken += ackedAtOnce) {
    await sink.commit((await sink.take(ackedAtOnce)).ranges);
  }
}

/** 31 … 35 by one sink; 36, 37 and 40 by another. */
async function prepareSome(channel: FileChannel): Promise<number[]> {
  const [one, other] = [channel.consumer('sink/k1'), channel.consumer('sink/k2')];
  await one.prepare((await one.take(5)).ranges, { file: '/logs/access.1.tmp' });
  await other.take(5);
  const some = [
    { first: 36, last: 37 },
    { first: 40, last: 40 },
  ];
  await other.prepare(some, { file: '/logs/\u001b[2Jaccess.2.tmp' });
  return [31, 32, 33, 34, 35, 36, 37, 40];
}

/** `first` … `last`. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
