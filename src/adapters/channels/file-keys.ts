/** The keys of Flume's file channel, and what they are to the engine's. */
import type { KeyProblem } from '../../agent/contracts/components.ts';
import {
  boolean,
  integer,
  type Key,
  type KeyType,
  oneOf,
  optional,
  prefixed,
  text,
  unset,
  type ValuesOf,
} from '../../agent/contracts/keys.ts';
import type { ChannelOptions } from '../../engine.ts';
import { count, keepAliveSecondsMax, transactionCount } from './limits.ts';

const mib = 2 ** 20;
const kib = 2 ** 10;
const segmentBytes = 64 * mib;
const segmentBytesMin = 64 * kib;
/** Flume's: 2^31 − 1 less 500 MiB. */
const fileBytesMax = 1_623_195_647;
const minimumFreeBytesMin = mib;
const checkpointIntervalMsMin = 1000;
const delayMsMax = 2 ** 31 - 1;
const keyIdMax = 2 ** 32 - 1;

const segments = 'a segment always ends at 64 MiB, so that space comes back in small steps';

/** All but the two that set the capacity: spillablememory has those under other names. */
export interface FileKeys extends Record<string, Key<unknown>> {
  readonly checkpointDir: Key<string | undefined>;
  readonly dataDirs: Key<readonly string[] | undefined>;
  readonly transactionCapacity: Key<number>;
  readonly checkpointInterval: Key<number>;
  readonly maxFileSize: Key<number>;
  readonly minimumRequiredSpace: Key<number>;
  readonly capacityBytes: Key<number | undefined>;
  readonly maxDiskBytes: Key<number | undefined>;
  readonly retentionHours: Key<number>;
  readonly retentionBytes: Key<number>;
  readonly compression: Key<'none' | 'zstd' | 'deflate'>;
  readonly missingDir: Key<'fail' | 'continue'>;
  readonly 'encryption.activeKey': Key<string | undefined>;
  readonly 'encryption.keys.': Key<ReadonlyMap<string, string>>;
  readonly 'encryption.cipherProvider': Key<string | undefined>;
  readonly 'encryption.keyProvider': Key<string | undefined>;
  readonly 'encryption.keyProvider.': Key<ReadonlyMap<string, string>>;
}

const needlessKeys = {
  useDualCheckpoints: needless(boolean, 'the log alone is the truth: a lost checkpoint costs nothing'),
  backupCheckpointDir: needless(text, 'there is no second checkpoint: the log alone is the truth'),
  compressBackupCheckpoint: needless(boolean, 'there is no second checkpoint'),
  'use-log-replay-v1': needless(boolean, 'there is one way to recover, and it needs no choice'),
  'use-fast-replay': needless(boolean, 'recovery without a checkpoint is always fast'),
  fsyncInterval: needless(integer(), 'every commit is durable before it is acknowledged'),
  checkpointOnClose: needless(boolean, 'a checkpoint is always saved on closing'),
};

const encryptionKeys = {
  'encryption.activeKey': unset(text, {
    does: 'the number of the key, in encryption.keys, that new events are written with',
    standing: { differs: "a number, and the key is in a file; Flume's is an alias in a JCEKS key store" },
  }),
  'encryption.keys.': prefixed(text, {
    does: 'encryption.keys.NUMBER: the file of a key, 32 bytes or 64 hex digits; each the channel was written with',
    standing: 'ours',
  }),
  'encryption.cipherProvider': unset(text, {
    does: 'the cipher',
    standing: { needless: 'there is one cipher, AES-256-GCM' },
  }),
  'encryption.keyProvider': unset(text, {
    does: 'where Flume finds its keys',
    standing: { differs: 'JCEKS key stores cannot be read yet, and are refused: use encryption.keys.NUMBER' },
  }),
  'encryption.keyProvider.': prefixed(text, {
    does: "the key store's file, password file and aliases",
    standing: { differs: 'refused, as encryption.keyProvider is' },
  }),
};

/** See FileKeys; with those that have no effect. */
export const fileKeys: FileKeys = {
  checkpointDir: unset(path(), { does: 'where the checkpoint is; by default ~/.flume/file-channel/checkpoint' }),
  dataDirs: unset(pathList(), {
    does: 'where the events are, separated by commas; by default ~/.flume/file-channel/data',
  }),
  transactionCapacity: optional(transactionCount(10_000), 10_000, {
    unit: 'events',
    does: 'events of one transaction at most',
  }),
  checkpointInterval: optional(raised(count(30_000, { max: delayMsMax }), checkpointIntervalMsMin), 30_000, {
    unit: 'ms',
    does: 'time between two checkpoints',
  }),
  maxFileSize: optional(raised(count(fileBytesMax), segmentBytesMin), fileBytesMax, {
    unit: 'bytes',
    does: 'a file of the log is no larger than this',
    standing: { differs: `an upper bound only: ${segments}` },
  }),
  minimumRequiredSpace: optional(raised(integer(), minimumFreeBytesMin), 500 * mib, {
    unit: 'bytes',
    does: 'puts wait where the disk has less room than this; at least 1 MiB',
    standing: {
      differs: 'asked for when the log begins another file, besides its room; also at the start none is needed',
    },
  }),
  fsyncPerTransaction: optional(alwaysSynced(), true, {
    does: 'whether a commit waits until its events are durable',
    standing: { differs: 'it always does: false is accepted with a warning' },
  }),
  capacityBytes: unset(integer(1), { unit: 'bytes', does: 'bytes of the events that no sink holds', standing: 'ours' }),
  maxDiskBytes: unset(integer(6 * segmentBytesMin), {
    unit: 'bytes',
    does: 'the files of the log take no more than this',
    standing: 'ours',
  }),
  retentionHours: optional(integer(0), 0, { unit: 'h', does: 'keeps delivered events for replay', standing: 'ours' }),
  retentionBytes: optional(integer(0), 0, {
    unit: 'bytes',
    does: 'keeps so many bytes of delivered events for replay',
    standing: 'ours',
  }),
  compression: optional(oneOf('none', 'zstd', 'deflate'), 'none', {
    does: 'how events are compressed on the disk; zstd needs Node 22.15',
    standing: 'ours',
  }),
  missingDir: optional(oneOf('fail', 'continue'), 'fail', {
    does: 'what to do where a data directory is absent: wait for it, or go on with the others',
    standing: 'ours',
  }),
  ...encryptionKeys,
  ...needlessKeys,
};

/** The engine's options. */
export function fileOptions(values: ValuesOf<FileKeys>): ChannelOptions {
  const active = values['encryption.activeKey'];
  const keys = Object.fromEntries(values['encryption.keys.']);
  return {
    transactionCapacity: values.transactionCapacity,
    checkpointIntervalMs: values.checkpointInterval,
    segmentBytes: Math.min(segmentBytes, values.maxFileSize),
    minimumFreeBytes: values.minimumRequiredSpace,
    capacityBytes: values.capacityBytes,
    maxDiskBytes: values.maxDiskBytes,
    retentionHours: values.retentionHours,
    retentionBytes: values.retentionBytes,
    compression: values.compression,
    missingDir: values.missingDir,
    encryption: active === undefined ? undefined : { activeKey: Number(active), keys },
  };
}

/** How long a put waits, for both channels that write files. */
export const keepAliveType: KeyType<number> = integer(0, keepAliveSecondsMax);

/** What is wrong with the encryption's keys, together. */
export function checkEncryption(values: ValuesOf<FileKeys>): readonly KeyProblem[] {
  const jceks = values['encryption.keyProvider'] ?? [...values['encryption.keyProvider.'].values()][0];
  if (jceks !== undefined) {
    const message =
      `'${jceks}' is not allowed: JCEKS key stores cannot be read yet; put each key (32 bytes) into a file of its ` +
      'own, name it with encryption.keys.NUMBER = FILE, and the number with encryption.activeKey';
    return [{ key: 'encryption.keyProvider', message }];
  }
  const active = values['encryption.activeKey'];
  const given = values['encryption.keys.'];
  const wrong = [...given.keys()].filter((id) => !isKeyId(id));
  if (wrong.length > 0) {
    const message = `is not allowed: encryption.keys. is followed by a number from 1 to ${keyIdMax}`;
    return wrong.map((id) => ({ key: `encryption.keys.${id}`, message }));
  }
  if (active === undefined) {
    if (given.size === 0) return [];
    return [{ key: 'encryption.activeKey', message: 'is missing: the number of the key that is to be written with' }];
  }
  if (given.has(active)) return [];
  const known = given.size === 0 ? 'there is no encryption.keys.NUMBER' : `one of ${[...given.keys()].join(', ')}`;
  return [{ key: 'encryption.activeKey', message: `'${active}' is not the number of a key: ${known}` }];
}

function isKeyId(text: string): boolean {
  return /^[1-9]\d{0,9}$/.test(text) && Number(text) <= keyIdMax;
}

function needless(type: KeyType<unknown>, why: string): Key<unknown> {
  return unset(type, { does: 'accepted, without an effect', standing: { needless: why } });
}

function path(): KeyType<string> {
  return { name: 'path', parse: (value) => ({ value, ...tildeWarning([value]) }) };
}

/** Empty entries are left out, as Flume does. */
function pathList(): KeyType<readonly string[]> {
  return {
    name: 'paths, separated by commas',
    parse: (given) => {
      const paths = given.split(',').map((one) => one.trim());
      const value = [...new Set(paths.filter((one) => one !== ''))];
      return value.length === 0 ? { problem: `'${given}' names no directory` } : { value, ...tildeWarning(value) };
    },
  };
}

function tildeWarning(paths: readonly string[]): { readonly warning?: string } {
  const tilde = paths.find((one) => one.startsWith('~'));
  if (tilde === undefined) return {};
  return { warning: `'${tilde}' is a directory named ~ in the working directory: as in Flume, ~ is not replaced` };
}

/** Anything below `min` counts as that, with a warning. */
function raised(type: KeyType<number>, min: number): KeyType<number> {
  return {
    name: `integer from ${min}`,
    parse: (given) => {
      const parsed = type.parse(given);
      if ('problem' in parsed || parsed.value >= min) return parsed;
      return { value: min, warning: `${given} is below ${min}, which is used` };
    },
  };
}

function alwaysSynced(): KeyType<boolean> {
  return {
    name: 'boolean',
    parse: (given) => {
      const parsed = boolean.parse(given);
      if ('problem' in parsed || parsed.value) return parsed;
      return { value: false, warning: 'has no effect: every commit stays durable before it is acknowledged' };
    },
  };
}
