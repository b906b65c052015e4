/** Flume's file channel, and its spillablememory channel, which is a file channel here: what it holds survives. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ChannelContext, ChannelDefinition } from '../../agent/contracts/components.ts';
import { integer, type Key, optional, unset, type ValuesOf } from '../../agent/contracts/keys.ts';
import { type Channel, type ChannelOptions, FileChannel } from '../../engine.ts';
import { checkEncryption, type FileKeys, fileKeys, fileOptions, keepAliveType } from './file-keys.ts';
import { refuseFlumeFiles } from './flume-directories.ts';
import { checkTransaction, count } from './limits.ts';

interface FileChannelKeys extends FileKeys {
  readonly capacity: Key<number>;
  readonly 'keep-alive': Key<number>;
}

/** `type = file`. */
export const fileChannel: ChannelDefinition<FileChannelKeys> = {
  types: ['file', 'org.apache.flume.channel.file.FileChannel'],
  keys: {
    ...fileKeys,
    capacity: optional(count(1_000_000), 1_000_000, {
      unit: 'events',
      does: 'events that no sink holds; a put waits where there are so many',
    }),
    'keep-alive': optional(keepAliveType, 3, { unit: 's', does: 'how long a put waits for room' }),
  },
  check: (values) => [...checkTransaction(values.transactionCapacity, values.capacity), ...checkEncryption(values)],
  create: (values, context) => {
    const options = { capacityEvents: values.capacity, keepAliveMs: values['keep-alive'] * 1000 };
    return { open: () => openFiles(values, options, context) };
  },
};

interface SpillableKeys extends FileKeys {
  readonly memoryCapacity: Key<number>;
  readonly overflowCapacity: Key<number>;
  readonly overflowTimeout: Key<number>;
}

const noMemoryPart = 'the file channel keeps everything, and what was just written is taken from memory anyway';

/** `type = spillablememory`. */
export const spillableMemoryChannel: ChannelDefinition<SpillableKeys> = {
  types: ['spillablememory', 'org.apache.flume.channel.SpillableMemoryChannel'],
  keys: {
    ...fileKeys,
    memoryCapacity: optional(integer(0), 10_000, {
      unit: 'events',
      does: 'added to overflowCapacity: so many events are held in all',
      standing: { differs: `there is no part that is only in memory: ${noMemoryPart}` },
    }),
    overflowCapacity: optional(integer(0), 100_000_000, {
      unit: 'events',
      does: 'added to memoryCapacity: so many events are held in all',
      standing: { differs: '0 does not turn the files off: what is only in memory is lost with the process' },
    }),
    overflowTimeout: optional(keepAliveType, 3, {
      unit: 's',
      does: 'how long a put waits for room',
      standing: { differs: 'nothing overflows; it is the wait for room, as keep-alive of the file channel' },
    }),
    avgEventSize: unset(integer(), { does: 'accepted', standing: { needless: noMemoryPart } }),
    byteCapacity: unset(integer(), { does: 'accepted', standing: { needless: noMemoryPart } }),
    byteCapacityBufferPercentage: unset(integer(), { does: 'accepted', standing: { needless: noMemoryPart } }),
    overflowDeactivationThreshold: unset(integer(), { does: 'accepted', standing: { needless: noMemoryPart } }),
  },
  check: (values) => {
    const capacity = spillableCapacity(values);
    if (capacity > 0) return [...checkTransaction(values.transactionCapacity, capacity), ...checkEncryption(values)];
    return [{ key: 'overflowCapacity', message: '0 is not allowed where memoryCapacity is 0 too: nothing would fit' }];
  },
  create: (values, context) => {
    const options = { capacityEvents: spillableCapacity(values), keepAliveMs: values.overflowTimeout * 1000 };
    return { open: () => openFiles(values, options, context) };
  },
};

function spillableCapacity(values: ValuesOf<SpillableKeys>): number {
  return values.memoryCapacity + values.overflowCapacity;
}

/** Where a file channel lies, and what its files are made of. */
export interface FilePlace {
  readonly dataDirs: readonly string[];
  readonly checkpointDir: string;
  readonly options: ChannelOptions;
}

/** Of either type's values. */
export function filePlaceOf(values: ValuesOf<FileKeys>): FilePlace {
  const base = join(homedir(), '.flume', 'file-channel');
  const dataDirs = values.dataDirs ?? [join(base, 'data')];
  return { dataDirs, checkpointDir: values.checkpointDir ?? join(base, 'checkpoint'), options: fileOptions(values) };
}

/** @throws {ForebayError} as FileChannel.open; NOT_A_CHANNEL also for Flume's own files. */
async function openFiles(
  values: ValuesOf<FileKeys>,
  limits: ChannelOptions,
  context: ChannelContext,
): Promise<Channel> {
  const { dataDirs, checkpointDir, options } = filePlaceOf(values);
  await refuseFlumeFiles(dataDirs, checkpointDir, context);
  const channel = await FileChannel.open(
    dataDirs[0] as string,
    { ...options, ...limits, dataDirs, checkpointDir },
    { clock: context.clock },
  );
  sayRepeats(channel, context);
  return channel;
}

/** A backup holds what the channel it was made of may have delivered since. */
function sayRepeats(channel: FileChannel, { log }: ChannelContext): void {
  const ranges = channel.mayRepeat();
  if (channel.parent === undefined || ranges[0] === undefined) return;
  const events = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  log.warn('this channel is a backup of another, which may have delivered events that wait here: they are sent twice', {
    parentChannelId: channel.parent.channelId,
    fromSequence: ranges[0].first,
    events,
  });
}
