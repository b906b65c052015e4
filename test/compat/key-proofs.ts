/**
 * Which test shows that a key does what Flume's does: for each key whose standing is `same`, the test that fails when
 * the key is ignored. docs/flume-compat.md prints it; key-proofs.long.test.ts proves it, one key at a time.
 */
import type { Registry } from '../../src/agent/contracts/registry.ts';

/** A key by where it is declared. */
export interface KeyName {
  readonly kind: keyof Registry;
  /** The first of the component's types. */
  readonly type: string;
  readonly key: string;
}

/** A key with its test. */
export interface KeyProof extends KeyName {
  /** Below test/. */
  readonly file: string;
  readonly test: string;
  /** Of a key that has to be there, what it reads as when it is ignored: another text that is allowed. */
  readonly instead: string | undefined;
}

/** A test's name, or with what a required key reads as. */
type Shown = string | { readonly test: string; readonly instead: string };

const exec = 'adapters/sources/exec/exec-source.test.ts';
const netcat = 'adapters/sources/netcat/netcat-source.test.ts';
const netcatUdp = 'adapters/sources/netcat/netcat-udp-source.test.ts';
const generators = 'adapters/sources/generators/generators.test.ts';
const spooldir = 'adapters/sources/spooldir/files.test.ts';
const spooldirKeys = 'adapters/sources/spooldir/keys.test.ts';
const taildir = 'adapters/sources/taildir/taildir-source.test.ts';
const taildirKeys = 'adapters/sources/taildir/keys.test.ts';
const fileRoll = 'adapters/sinks/file-roll/file-roll-sink.test.ts';
const hdfs = 'adapters/sinks/hdfs/keys.test.ts';
const fileChannel = 'adapters/channels/file.test.ts';
const fileChannelKeys = 'adapters/channels/file-keys.test.ts';
const sinkSerializers = 'config/sink-serializers.test.ts';
const interceptors = 'adapters/interceptors/interceptors.test.ts';
const stress = 'org.apache.flume.source.StressSource';

const sources = [
  ...proofs('sources', 'exec', exec, {
    command: { test: 'a shell is given the command as one argument', instead: 'true' },
    shell: 'a shell is given the command as one argument',
    restart: 'a command that ends is run again after the throttle, or its end is said',
    restartThrottle: 'a command that ends is run again after the throttle, or its end is said',
    logStdErr: 'errors are logged where that is asked for',
    batchSize: 'batches of batchSize, and after batchTimeout what there is',
    batchTimeout: 'batches of batchSize, and after batchTimeout what there is',
  }),
  ...proofs('sources', 'netcat', netcat, {
    bind: { test: 'bind and port are where it listens', instead: '0.0.0.0' },
    port: { test: 'bind and port are where it listens', instead: '0' },
    'max-line-length': 'a client that never ends its line is found out at the limit',
  }),
  ...proofs('sources', 'netcatudp', netcatUdp, {
    bind: 'bind and port are where it listens',
    port: { test: 'bind and port are where it listens', instead: '0' },
  }),
  ...proofs('sources', 'seq', generators, {
    batchSize: 'seq counts from 0 to totalEvents, in batches',
    totalEvents: 'seq counts from 0 to totalEvents, in batches',
    backoffSleepIncrement: 'seq pauses longer each time it has nothing to do, up to maxBackoffSleep',
    maxBackoffSleep: 'seq pauses longer each time it has nothing to do, up to maxBackoffSleep',
  }),
  ...proofs('sources', stress, generators, {
    size: 'stress makes bodies of size bytes 0x7F, up to maxTotalEvents',
    maxTotalEvents: 'stress makes bodies of size bytes 0x7F, up to maxTotalEvents',
    batchSize: 'stress: what was refused counts for maxTotalEvents, not for maxSuccessfulEvents',
    maxEventsPerSecond: 'stress keeps to maxEventsPerSecond',
    backoffSleepIncrement: 'stress pauses longer each time it has nothing to do, up to maxBackoffSleep',
    maxBackoffSleep: 'stress pauses longer each time it has nothing to do, up to maxBackoffSleep',
  }),
  ...proofs('sources', 'spooldir', spooldir, {
    spoolDir: { test: 'headers say which file an event is from', instead: 'no-such-directory' },
    deletePolicy: 'a done file is renamed, deleted, or tracked',
    trackingPolicy: 'a done file is renamed, deleted, or tracked',
    fileHeader: 'headers say which file an event is from',
    fileHeaderKey: 'headers say which file an event is from',
    basenameHeader: 'headers say which file an event is from',
    basenameHeaderKey: 'headers say which file an event is from',
    includePattern: 'patterns match whole names; dot files, done files and directories are passed over',
    ignorePattern: 'patterns match whole names; dot files, done files and directories are passed over',
    recursiveDirectorySearch: 'patterns match whole names; dot files, done files and directories are passed over',
    inputCharset: 'the keys of the deserializers, the charsets and the policy have their effect',
    'deserializer.outputCharset': 'the keys of the deserializers, the charsets and the policy have their effect',
    'deserializer.maxBlobLength': 'the keys of the deserializers, the charsets and the policy have their effect',
    bufferMaxLineLength: 'the keys of the deserializers, the charsets and the policy have their effect',
  }),
  ...proofs('sources', 'spooldir', spooldirKeys, {
    trackerDir: 'trackerDir is where done files are remembered',
    pollDelay: 'pollDelay is how long it waits before it looks again',
    maxBackoff: 'maxBackoff is the longest wait for a channel that is full',
    batchSize: 'batchSize events go in one transaction',
  }),
  ...proofs('sources', 'TAILDIR', taildir, {
    'headers.': 'headers of the group, the path, and where the line begins',
    byteOffsetHeader: 'headers of the group, the path, and where the line begins',
    fileHeader: 'headers of the group, the path, and where the line begins',
    fileHeaderKey: 'headers of the group, the path, and where the line begins',
    idleTimeout: 'a last line without its end waits until the file is idle',
    batchSize: 'oldest file first, and after maxBatchCount batches the next',
    maxBatchCount: 'oldest file first, and after maxBatchCount batches the next',
  }),
  ...proofs('sources', 'TAILDIR', taildirKeys, {
    writePosInterval: 'writePosInterval is how often the position file is written',
    cachePatternMatching: 'cachePatternMatching spares listings of a directory whose time did not change',
  }),
];

const sinks = [
  ...proofs('sinks', 'file_roll', fileRoll, {
    'sink.directory': {
      test: 'batches go to a file, a new one at each interval, also an empty one',
      instead: 'no-such-directory',
    },
    'sink.pathManager.extension': 'batches go to a file, a new one at each interval, also an empty one',
    'sink.pathManager.prefix': 'batches go to a file, a new one at each interval, also an empty one',
    'sink.rollInterval': 'batches go to a file, a new one at each interval, also an empty one',
  }),
  ...proofs('sinks', 'file_roll', sinkSerializers, {
    'sink.serializer': 'file_roll writes with the serializer that sink.serializer names',
  }),
  ...proofs('sinks', 'hdfs', hdfs, {
    'hdfs.fileSuffix': 'names: the prefix, the suffix, and what they have while they are written',
    'hdfs.inUsePrefix': 'names: the prefix, the suffix, and what they have while they are written',
    'hdfs.inUseSuffix': 'names: the prefix, the suffix, and what they have while they are written',
    'hdfs.emptyInUseSuffix': 'emptyInUseSuffix: a name has no suffix while it is written',
    'hdfs.fileType': 'fileType: the bytes of the serializer, or a SequenceFile',
    'hdfs.round': 'round and roundValue: the time in a path goes down to a multiple',
    'hdfs.roundValue': 'round and roundValue: the time in a path goes down to a multiple',
    'hdfs.timeZone': 'timeZone: the time in a path is that of the zone',
    'hdfs.useLocalTimeStamp': 'useLocalTimeStamp: the time in a path is the clock’s, not the header’s',
    'hdfs.rollCount': 'rollCount: a file has so many events',
    'hdfs.rollSize': 'rollSize: a file ends behind so many bytes of bodies',
    'hdfs.rollInterval': 'rollInterval: a file ends so long after its first event',
    'hdfs.idleTimeout': 'idleTimeout: a file ends so long after its last event',
  }),
  ...proofs('sinks', 'hdfs', sinkSerializers, {
    serializer: 'hdfs writes with the serializer that serializer names',
  }),
  ...proofs('sinks', 'null', 'adapters/sinks/null/null-sink.test.ts', {
    batchSize: 'takes batches of batchSize, counts them, and says so every logEveryNEvents',
    logEveryNEvents: 'takes batches of batchSize, counts them, and says so every logEveryNEvents',
  }),
];

const channels = [
  ...proofs('channels', 'file', fileChannel, {
    checkpointDir: 'dataDirs and checkpointDir are where the channel is, and it can be opened again',
    dataDirs: 'dataDirs and checkpointDir are where the channel is, and it can be opened again',
    capacity: 'capacity, keep-alive and transactionCapacity',
    'keep-alive': 'capacity, keep-alive and transactionCapacity',
  }),
  ...proofs('channels', 'file', fileChannelKeys, {
    checkpointInterval: 'file: a checkpoint each checkpointInterval',
    transactionCapacity: 'file: transactionCapacity is what one transaction takes',
  }),
  ...proofs('channels', 'spillablememory', fileChannelKeys, {
    checkpointDir: 'spillablememory: dataDirs, checkpointDir and transactionCapacity',
    dataDirs: 'spillablememory: dataDirs, checkpointDir and transactionCapacity',
    transactionCapacity: 'spillablememory: dataDirs, checkpointDir and transactionCapacity',
    checkpointInterval: 'spillablememory: a checkpoint each checkpointInterval',
  }),
  ...proofs('channels', 'memory', 'adapters/channels/memory.test.ts', {
    capacity: 'capacity, transactionCapacity and keep-alive in seconds',
    transactionCapacity: 'capacity, transactionCapacity and keep-alive in seconds',
    'keep-alive': 'capacity, transactionCapacity and keep-alive in seconds',
  }),
];

const inBetween = [
  ...proofs('interceptors', 'host', interceptors, {
    hostHeader: 'host: the address, or the name, over what is there',
    preserveExisting: 'host: the address, or the name, over what is there',
  }),
  ...proofs('interceptors', 'regex_extractor', 'adapters/interceptors/regex-extractor.test.ts', {
    regex: { test: 'the example of the user guide', instead: '(never)' },
  }),
  ...proofs('interceptors', 'regex_filter', interceptors, {
    excludeEvents: 'regex_filter: keeps what it finds, or drops it; a body without text counts too',
  }),
  ...proofs('interceptors', 'remove_header', interceptors, {
    withName: 'remove_header: by name, by list, by pattern of the whole name',
    fromList: 'remove_header: by name, by list, by pattern of the whole name',
    fromListSeparator: 'remove_header: by name, by list, by pattern of the whole name',
    matching: 'remove_header: by name, by list, by pattern of the whole name',
  }),
  ...proofs('interceptors', 'search_replace', interceptors, {
    searchPattern: { test: 'search_replace: all matches, with groups, in the charset', instead: '(?<n>never)(more)' },
  }),
  ...proofs('interceptors', 'static', interceptors, {
    key: 'static: keeps what is there, unless told',
    value: 'static: keeps what is there, unless told',
    preserveExisting: 'static: keeps what is there, unless told',
  }),
  ...proofs('interceptors', 'timestamp', interceptors, {
    headerName: 'timestamp: now in ms, over what is there; the header object is shared within a millisecond',
    preserveExisting: 'timestamp: now in ms, over what is there; the header object is shared within a millisecond',
  }),
  ...proofs('interceptors', 'org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder', interceptors, {
    headerName: 'uuid: a random one each time, behind the prefix',
    preserveExisting: 'uuid: a random one each time, behind the prefix',
    prefix: 'uuid: a random one each time, behind the prefix',
  }),
  ...proofs('selectors', 'load_balancing', 'adapters/selectors/selectors.test.ts', {
    policy: 'load_balancing: one channel each, in turn or by chance',
  }),
  ...proofs('selectors', 'multiplexing', 'adapters/selectors/selectors.test.ts', {
    header: 'multiplexing: by the header’s exact value, else the default',
  }),
  ...proofs('processors', 'failover', 'adapters/processors/failover.test.ts', {
    maxpenalty: 'a failed sink rests 2 s, 4 s, 8 s … up to maxpenalty, and comes back to the front',
    'priority.': 'the largest priority is used, and the next when it fails; the event is not lost',
  }),
  ...proofs('processors', 'load_balance', 'adapters/processors/load-balance.test.ts', {
    backoff: 'backoff: rests 2 s, 4 s, 8 s … up to selector.maxTimeOut',
    'selector.maxTimeOut': 'backoff: rests 2 s, 4 s, 8 s … up to selector.maxTimeOut',
  }),
  ...proofs(
    'serializers',
    'org.apache.flume.sink.hdfs.AvroEventSerializer$Builder',
    'adapters/serializers/avro-body.test.ts',
    {
      syncIntervalBytes: 'blocks end at syncIntervalBytes',
    },
  ),
  ...proofs('serializers', 'avro_event', 'adapters/serializers/serializers.test.ts', {
    syncIntervalBytes: 'avro_event: blocks end at syncIntervalBytes and with each call; deflate and snappy are smaller',
  }),
  ...proofs('serializers', 'text', 'adapters/serializers/serializers.test.ts', {
    appendNewline: 'text: bodies as they are, each with a line feed or none',
  }),
];

/** Of every key that is the same as Flume's. */
export const keyProofs: readonly KeyProof[] = [...sources, ...sinks, ...channels, ...inBetween];

/** The proof of a key; undefined where there is none. */
export function proofOf({ kind, type, key }: KeyName): KeyProof | undefined {
  return keyProofs.find((proof) => proof.kind === kind && proof.type === type && proof.key === key);
}

function proofs(
  kind: KeyName['kind'],
  type: string,
  file: string,
  tests: Readonly<Record<string, Shown>>,
): readonly KeyProof[] {
  return Object.entries(tests).map(([key, shown]) => {
    const { test, instead } = typeof shown === 'string' ? { test: shown, instead: undefined } : shown;
    return { kind, type, key, file, test, instead };
  });
}
