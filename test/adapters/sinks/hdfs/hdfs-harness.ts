/** An hdfs sink over a real channel and real files, and what came of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { textSerializer } from '../../../../src/adapters/serializers/text.ts';
import type { FileSystem } from '../../../../src/adapters/sinks/hdfs/file-system.ts';
import { HdfsSink, hdfsSink } from '../../../../src/adapters/sinks/hdfs/hdfs-sink.ts';
import { localFileSystem } from '../../../../src/adapters/sinks/hdfs/local-file-system.ts';
import { localPathOf } from '../../../../src/adapters/sinks/hdfs/target-path.ts';
import type { Serializer, SinkContext } from '../../../../src/agent/contracts/components.ts';
import { type Channel, type Clock, FileChannel, type Headers, MemoryChannel } from '../../../../src/engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { sinkOn, valuesOf, type Watched } from '../../contexts.ts';

/** Some day in 2026, where a ManualClock begins. */
export const startMs = 1_790_000_000_000;
/** Is never aborted. */
export const never: AbortSignal = new AbortController().signal;

const { context: anyContext } = sinkOn(await MemoryChannel.open());

/** A serializer of lines. */
function makeText(): Serializer {
  return textSerializer.create(valuesOf(textSerializer), anyContext);
}

/** Nothing rolls by itself. */
const plain = {
  'hdfs.fileType': 'DataStream',
  'hdfs.rollInterval': '0',
  'hdfs.rollSize': '0',
  'hdfs.rollCount': '0',
} as const;

/** How a sink is made for a test. */
export interface SinkOptions {
  readonly texts?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly fileSystem?: FileSystem;
  readonly make?: () => Serializer;
  readonly undeliverable?: SinkContext['undeliverable'];
  readonly stopLimitMs?: number;
}

/** A sink that writes lines below `directory`, one file a bucket where `texts` says nothing else. Not started. */
export function makeSink(
  directory: string,
  channel: Channel,
  {
    texts = {},
    clock = new ManualClock(),
    fileSystem = localFileSystem(),
    make = makeText,
    undeliverable,
    stopLimitMs,
  }: SinkOptions,
): Watched<SinkContext> & { readonly sink: HdfsSink } {
  const watched = sinkOn(channel, make, clock);
  const context = undeliverable === undefined ? watched.context : { ...watched.context, undeliverable };
  const values = valuesOf(hdfsSink, { 'hdfs.path': directory, ...plain, ...texts });
  const target = { fileSystem, web: undefined, directory: localPathOf(values['hdfs.path']), openStreamsPreset: 512 };
  return { ...watched, sink: new HdfsSink(values, context, async () => target, stopLimitMs) };
}

/** A channel that is fast: what it has promised is durable when it was closed. */
export function openChannel(directory: string): Promise<FileChannel> {
  const fsync = { intervalMs: 60_000 };
  return FileChannel.open(directory, { checkpoint: 'memory', segmentBytes: 256 * 1024, minimumFreeBytes: 0, fsync });
}

/** Puts bodies `from`, `from + 1`, … */
export async function putNumbers(
  channel: Channel,
  from: number,
  count: number,
  headersOf: (number: number) => Headers = () => ({}),
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => from + index);
  for (let at = 0; at < count; at += 10_000) {
    const some = numbers.slice(at, at + 10_000);
    await channel.put(some.map((number) => ({ headers: headersOf(number), body: Buffer.from(String(number)) })));
  }
}

/** Calls `process` as long as the channel has events that nobody holds. */
export async function drainInto(sink: HdfsSink, channel: Channel): Promise<void> {
  for (;;) {
    const { depthEvents, leasedEvents, preparedEvents } = channel.stats();
    if (depthEvents - leasedEvents - preparedEvents <= 0) return;
    await sink.process(never);
  }
}

/** Lets time pass, a second each 2 ms, until `promise` is settled or `isDead`. */
export async function whileTimePasses(
  clock: ManualClock,
  promise: Promise<unknown>,
  isDead: () => boolean = () => false,
): Promise<void> {
  let isOver = false;
  const settled = (): void => {
    isOver = true;
  };
  promise.then(settled, settled);
  while (!isOver && !isDead()) {
    await setTimeout(2);
    clock.advance(1000);
  }
}

/** Texts by path, relative. A file that is renamed under the look makes it look again. */
export async function filesIn(directory: string): Promise<Record<string, string>> {
  for (;;) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(paths.sort().map((path) => textOf(path)));
    if (texts.every((text) => text !== undefined)) {
      return Object.fromEntries(paths.map((path, index) => [relative(directory, path), texts[index] ?? '']));
    }
  }
}

/** Undefined where the file is not there. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The numbers in files of lines, ascending. */
export function numbersIn(files: Readonly<Record<string, string>>): number[] {
  const lines = Object.values(files).flatMap((text) => text.split('\n').slice(0, -1));
  return lines.map(Number).sort((one, other) => one - other);
}
