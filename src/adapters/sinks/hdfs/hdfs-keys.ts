/** The keys of the hdfs sink: Flume's, and a few of ours. */
import type { KeyProblem } from '../../../agent/contracts/components.ts';
import { type TimeZone, timeZone } from '../../../agent/contracts/java/time-zone.ts';
import {
  boolean,
  integer,
  type Key,
  oneOf,
  optional,
  required,
  text,
  unset,
  type ValuesOf,
} from '../../../agent/contracts/keys.ts';
import { type Codec, codecType } from './compression.ts';
import { checkFarSideKeys, type FarSideKeys, farSideKeys } from './far-side-keys.ts';
import { doneName, namePrefix, targetPath } from './target-path.ts';

/** Type by key. */
export interface HdfsKeys extends FarSideKeys {
  readonly 'hdfs.path': Key<string>;
  readonly 'hdfs.filePrefix': Key<string>;
  readonly 'hdfs.fileSuffix': Key<string | undefined>;
  readonly 'hdfs.inUsePrefix': Key<string>;
  readonly 'hdfs.inUseSuffix': Key<string>;
  readonly 'hdfs.emptyInUseSuffix': Key<boolean>;
  readonly 'hdfs.rollInterval': Key<number>;
  readonly 'hdfs.rollSize': Key<number>;
  readonly 'hdfs.rollCount': Key<number>;
  readonly 'hdfs.idleTimeout': Key<number>;
  readonly 'hdfs.batchSize': Key<number>;
  readonly 'hdfs.codeC': Key<Codec | undefined>;
  readonly 'hdfs.fileType': Key<'SequenceFile' | 'DataStream' | 'CompressedStream'>;
  readonly 'hdfs.writeFormat': Key<'Writable' | 'Text'>;
  readonly 'hdfs.maxOpenFiles': Key<number>;
  readonly 'hdfs.threadsPoolSize': Key<number>;
  readonly 'hdfs.round': Key<boolean>;
  readonly 'hdfs.roundValue': Key<number>;
  readonly 'hdfs.roundUnit': Key<'second' | 'minute' | 'hour'>;
  readonly 'hdfs.timeZone': Key<TimeZone | undefined>;
  readonly 'hdfs.useLocalTimeStamp': Key<boolean>;
  readonly 'hdfs.delivery': Key<'exactly-once' | 'at-least-once'>;
  readonly 'hdfs.onInDoubt': Key<'commit' | 'redeliver' | 'hold'>;
  readonly 'hdfs.maxPinnedAge': Key<number>;
  readonly 'hdfs.maxOpenStreams': Key<number | undefined>;
  readonly 'hdfs.doneFile': Key<string | undefined>;
  readonly 'hdfs.doneDelay': Key<number>;
}

/** What the texts of a configuration became. */
export type HdfsValues = ValuesOf<HdfsKeys>;

const ofNames: Pick<
  HdfsKeys,
  | 'hdfs.path'
  | 'hdfs.filePrefix'
  | 'hdfs.fileSuffix'
  | 'hdfs.inUsePrefix'
  | 'hdfs.inUseSuffix'
  | 'hdfs.emptyInUseSuffix'
  | 'hdfs.round'
  | 'hdfs.roundValue'
  | 'hdfs.roundUnit'
  | 'hdfs.timeZone'
  | 'hdfs.useLocalTimeStamp'
> = {
  'hdfs.path': required(targetPath, {
    does: 'where the files go; directories are made; escapes are those of BucketPath',
    standing: {
      differs:
        'HDFS is reached by its web interface (WebHDFS, HttpFS, Knox), not by its own protocol; ' +
        'a header that would leave the directory is refused',
    },
  }),
  'hdfs.filePrefix': optional(namePrefix, 'FlumeData', {
    does: 'what each name begins with, before a dot and a number; escapes are allowed',
    standing: {
      differs:
        'the number is one more than the last of the sink, across restarts too, or the time in ms where that is ' +
        'later and the file is the first of its bucket; Flume counts on from that time in each bucket by itself',
    },
  }),
  'hdfs.fileSuffix': unset(text, { does: "what each name ends with, a dot included; the codec's own where not set" }),
  'hdfs.inUsePrefix': optional(text, '', { does: 'what a name begins with while the file is written' }),
  'hdfs.inUseSuffix': optional(text, '.tmp', { does: 'what a name ends with while the file is written' }),
  'hdfs.emptyInUseSuffix': optional(boolean, false, { does: 'no such suffix, whatever hdfs.inUseSuffix says' }),
  'hdfs.round': optional(boolean, false, { does: "rounds the event's time down before the escapes show it" }),
  'hdfs.roundValue': optional(integer(1, 60), 1, { does: 'to a multiple of this; at most 24 for hours' }),
  'hdfs.roundUnit': optional(oneOf('second', 'minute', 'hour'), 'second', {
    does: 'of hdfs.roundValue',
    standing: { differs: 'another unit is refused; Flume then rounds nothing' },
  }),
  'hdfs.timeZone': unset(timeZone, { does: 'in which the escapes show the time; that of the machine where not set' }),
  'hdfs.useLocalTimeStamp': optional(boolean, false, {
    does: "shows the agent's time in place of the event's header timestamp",
  }),
};

const ofFiles: Pick<
  HdfsKeys,
  | 'hdfs.rollInterval'
  | 'hdfs.rollSize'
  | 'hdfs.rollCount'
  | 'hdfs.idleTimeout'
  | 'hdfs.batchSize'
  | 'hdfs.codeC'
  | 'hdfs.fileType'
  | 'hdfs.writeFormat'
  | 'hdfs.maxOpenFiles'
  | 'hdfs.threadsPoolSize'
> = {
  'hdfs.rollInterval': optional(integer(), 30, {
    unit: 's',
    does: 'closes a file this long after its first event; 0: never',
  }),
  'hdfs.rollSize': optional(integer(), 1024, {
    unit: 'bytes',
    does: 'begins another file behind so many bytes of bodies, before compression; 0: never',
  }),
  'hdfs.rollCount': optional(integer(), 10, { unit: 'events', does: 'begins another file behind so many; 0: never' }),
  'hdfs.idleTimeout': optional(integer(0), 0, {
    unit: 's',
    does: 'closes a file this long after its last event; 0: never',
  }),
  'hdfs.batchSize': optional(integer(1), 100, {
    unit: 'events',
    does: 'how many are taken at once',
    standing: { differs: 'they are acknowledged when their file is safe, not batch by batch' },
  }),
  'hdfs.codeC': unset(codecType, {
    does: 'how a SequenceFile or CompressedStream is compressed',
    standing: { differs: 'bzip2, lzo and lzop are not written, zstd by Node 22.15 or newer' },
  }),
  'hdfs.fileType': optional(oneOf('SequenceFile', 'DataStream', 'CompressedStream'), 'SequenceFile', {
    does: "a SequenceFile of Hadoop's, the bytes of the serializer, or these compressed",
  }),
  'hdfs.writeFormat': optional(oneOf('Writable', 'Text'), 'Writable', {
    does: "the class of a SequenceFile's values: BytesWritable or Text",
    standing: { differs: 'no Java class' },
  }),
  'hdfs.maxOpenFiles': optional(integer(1), 5000, {
    unit: 'files',
    does: 'closes the file that has waited longest for an event where more would be open',
    standing: { differs: 'about a thousand are enough for fewer: their state has to fit 512 KiB of notes' },
  }),
  'hdfs.threadsPoolSize': optional(integer(1, 1000), 10, {
    does: 'how many files are closed at a time',
    standing: { differs: 'Flume opens, writes and closes all files with so many threads; here writing needs none' },
  }),
};

const needless = {
  'hdfs.rollTimerPoolSize': unset(integer(), {
    does: 'threads that close files by time',
    standing: { needless: 'closing by time needs no threads' },
  }),
  'hdfs.closeTries': unset(integer(), {
    does: 'how often renaming a file is tried',
    standing: { needless: 'a file is tried until it has its name, also after a restart: none is given up' },
  }),
  'hdfs.retryInterval': unset(integer(), {
    unit: 's',
    does: 'how long between such tries',
    standing: { needless: 'a second at first, then ever longer, up to a minute' },
  }),
  'hdfs.useRawLocalFileSystem': unset(boolean, {
    does: 'local files without .crc files beside them',
    standing: { needless: 'no .crc files are made in any case' },
  }),
};

const ours: Pick<
  HdfsKeys,
  'hdfs.delivery' | 'hdfs.onInDoubt' | 'hdfs.maxPinnedAge' | 'hdfs.maxOpenStreams' | 'hdfs.doneFile' | 'hdfs.doneDelay'
> = {
  'hdfs.delivery': optional(oneOf('exactly-once', 'at-least-once'), 'exactly-once', {
    does: 'when events are acknowledged: when their file is closed, or soon after each batch, and visible then',
    standing: 'ours',
  }),
  'hdfs.onInDoubt': optional(oneOf('commit', 'redeliver', 'hold'), 'commit', {
    does: 'what becomes of the events of a finished file that someone moved away before it had its name',
    standing: 'ours',
  }),
  'hdfs.maxPinnedAge': optional(integer(1), 600, {
    unit: 's',
    does: 'how long a file may stay open before what it holds is made safe and acknowledged',
    standing: 'ours',
  }),
  'hdfs.maxOpenStreams': unset(integer(1), {
    does:
      'how many files are held open for writing; those beyond are made safe and gone on with later; 512 for local ' +
      'files and 256 for HDFS where not set',
    standing: 'ours',
  }),
  'hdfs.doneFile': unset(doneName, {
    does:
      'the name of an empty file, as _SUCCESS, that is made in a directory once nothing came for it for so long and ' +
      'all files of this sink in it have their names; each agent speaks for itself: %[localhost] tells them apart',
    standing: 'ours',
  }),
  'hdfs.doneDelay': optional(integer(1), 300, { unit: 's', does: 'of hdfs.doneFile', standing: 'ours' }),
};

/** All of them. */
export const hdfsKeys: HdfsKeys = { ...ofNames, ...ofFiles, ...farSideKeys, ...needless, ...ours };

/** What no single key can say. */
export function checkHdfsKeys(values: HdfsValues): readonly KeyProblem[] {
  const problems: KeyProblem[] = [...checkFarSideKeys(values)];
  const fileType = values['hdfs.fileType'];
  const codec = values['hdfs.codeC'];
  if (fileType === 'DataStream' && codec !== undefined) {
    const message = 'compresses nothing where hdfs.fileType is DataStream: leave it out, or set CompressedStream';
    problems.push({ key: 'hdfs.codeC', message });
  }
  if (fileType === 'CompressedStream' && codec === undefined) {
    problems.push({ key: 'hdfs.codeC', message: 'is missing: hdfs.fileType is CompressedStream, so name a codec' });
  }
  if (values['hdfs.roundUnit'] === 'hour' && values['hdfs.roundValue'] > 24) {
    problems.push({ key: 'hdfs.roundValue', message: 'is at most 24 where hdfs.roundUnit is hour' });
  }
  const namePieces = ['hdfs.fileSuffix', 'hdfs.inUsePrefix', 'hdfs.inUseSuffix'] as const;
  for (const key of namePieces) {
    if (/[/\0]/.test(values[key] ?? ''))
      problems.push({ key, message: 'is part of a name, which holds no / and no NUL' });
  }
  return problems;
}
