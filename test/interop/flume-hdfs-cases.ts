/** The hdfs sink on a local file system: where files go, what they are called, and when they roll. */
import type { FlumeCase } from './flume-case.ts';
import { byTime, hdfs, intercepted, numbered, spooldir, text, timed, unlimited } from './flume-settings.ts';
import { gunzipped } from './flume-written.ts';

const rolled: readonly FlumeCase[] = [
  {
    name: 'hdfscount',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'hdfs.rollCount = 7') },
    lines: 45,
  },
  {
    name: 'hdfssmallbatch',
    files: numbered,
    source: [...spooldir, 'batchSize = 8'],
    sinks: { k: hdfs('k', ...text, ...unlimited, 'hdfs.rollCount = 7', 'hdfs.batchSize = 3') },
    lines: 45,
  },
  {
    name: 'hdfssize',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'hdfs.rollSize = 100') },
    lines: 45,
  },
  {
    name: 'hdfsexact',
    files: { 'in/one': '0123456789\n'.repeat(10) },
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'hdfs.rollSize = 30') },
    lines: 10,
  },
  {
    name: 'hdfsbodysize',
    files: numbered,
    source: [...spooldir, 'basenameHeader = true'],
    sinks: {
      headers: hdfs('headers', ...text, ...unlimited, 'hdfs.rollSize = 100', 'serializer = header_and_text'),
      gzip: hdfs('gzip', 'hdfs.fileType = CompressedStream', 'hdfs.codeC = gzip', ...unlimited, 'hdfs.rollSize = 100'),
    },
    lines: 45,
    normalize: (given, name) => (name.endsWith('.gz') ? gunzipped(Buffer.from(given, 'latin1')).toString() : given),
  },
  { name: 'hdfspreset', files: numbered, source: spooldir, sinks: { k: hdfs('k', ...text) }, lines: 45 },
  {
    name: 'hdfsboth',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'hdfs.rollCount = 12', 'hdfs.rollSize = 150') },
    lines: 45,
  },
];

const placed: readonly FlumeCase[] = [
  {
    name: 'hdfshours',
    files: timed,
    source: byTime,
    sinks: { k: hdfs('k/%Y/%m-%d/%H', ...text, ...unlimited) },
    lines: 10,
  },
  {
    name: 'hdfshosts',
    files: timed,
    source: byTime,
    sinks: {
      k: hdfs('k/%{host}/%{none}x', ...text, ...unlimited, 'hdfs.filePrefix = %{host}-%y%j', 'hdfs.fileSuffix = .log'),
    },
    lines: 10,
  },
  {
    name: 'hdfsnamed',
    files: numbered,
    source: [...spooldir, ...intercepted(['type = static', 'key = who', "value = \\u00e4 b'c & 日本"])],
    sinks: { k: hdfs('k/%{who}', ...text, ...unlimited, 'hdfs.filePrefix = p %{who}') },
    lines: 45,
  },
  {
    name: 'hdfsrounded',
    files: timed,
    source: byTime,
    sinks: {
      minutes: hdfs(
        'minutes/%H%M%S',
        ...text,
        ...unlimited,
        ...['hdfs.round = true', 'hdfs.roundValue = 20', 'hdfs.roundUnit = minute', 'hdfs.timeZone = Asia/Kolkata'],
      ),
      hours: hdfs(
        'hours/%Y%m%d-%H',
        ...text,
        ...unlimited,
        ...['hdfs.round = true', 'hdfs.roundValue = 6', 'hdfs.roundUnit = hour', 'hdfs.timeZone = UTC'],
      ),
    },
    lines: 20,
  },
  {
    name: 'hdfsnow',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k/%Y', ...text, ...unlimited, 'hdfs.useLocalTimeStamp = true') },
    lines: 45,
  },
  {
    name: 'hdfsinuse',
    files: numbered,
    source: spooldir,
    sinks: {
      named: hdfs('named', ...text, ...unlimited, 'hdfs.inUsePrefix = _', 'hdfs.inUseSuffix = .part'),
      bare: hdfs('bare', ...text, ...unlimited, 'hdfs.inUsePrefix = .', 'hdfs.emptyInUseSuffix = true'),
      same: hdfs('same', ...text, ...unlimited, 'hdfs.emptyInUseSuffix = true', 'hdfs.filePrefix = p'),
    },
    lines: 135,
  },
  {
    name: 'hdfsidle',
    files: numbered,
    source: spooldir,
    sinks: {
      idle: hdfs('idle', ...text, ...unlimited, 'hdfs.idleTimeout = 1'),
      timed: hdfs('timed', ...text, ...unlimited, 'hdfs.rollInterval = 1'),
    },
    lines: 90,
    isClosedByItself: true,
  },
  {
    name: 'hdfsfewopen',
    files: timed,
    source: byTime,
    sinks: { k: hdfs('k/%{host}', ...text, ...unlimited, 'hdfs.filePrefix = %d', 'hdfs.maxOpenFiles = 2') },
    lines: 10,
  },
  {
    name: 'hdfschecked',
    files: numbered,
    source: spooldir,
    // Hadoop then writes a checksum beside each file, and shows what it has in pieces of 512 bytes.
    sinks: {
      k: ['type = hdfs', 'hdfs.path = @dir@/out/k', ...text, ...unlimited, 'hdfs.rollInterval = 1'],
    },
    lines: 45,
    isClosedByItself: true,
  },
];

/** All of them. */
export const hdfsCases: readonly FlumeCase[] = [...rolled, ...placed];
