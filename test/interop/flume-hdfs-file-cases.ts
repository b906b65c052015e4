/** What is in the files of the hdfs sink, by type, codec and serializer. */
import { type FlumeCase, sortHeaders } from './flume-case.ts';
import { byTime, hdfs, numbered, spooldir, text, timed, unlimited } from './flume-settings.ts';
import { gunzipped, inflated, syncOf, withoutMarker } from './flume-written.ts';

/** All of them. */
export const hdfsFileCases: readonly FlumeCase[] = [
  {
    name: 'hdfsheaders',
    files: timed,
    source: byTime,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'serializer = header_and_text') },
    lines: 10,
    normalize: sortHeaders,
  },
  {
    name: 'hdfsjoined',
    files: { 'in/one': '1\n2\n3' },
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'serializer.appendNewline = false') },
    lines: 0,
    isWhole: (content) => content.toString() === '123',
  },
  {
    name: 'hdfsavro',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', ...text, ...unlimited, 'serializer = avro_event', 'hdfs.fileSuffix = .avro') },
    lines: 0,
    isWhole: (content) => content.includes('44 line'),
    normalize: withoutMarker,
  },
  {
    name: 'hdfsgzip',
    files: numbered,
    source: spooldir,
    sinks: {
      named: hdfs('named', 'hdfs.fileType = CompressedStream', 'hdfs.codeC = gzip', ...unlimited),
      suffixed: hdfs(
        'suffixed',
        ...['hdfs.fileType = CompressedStream', 'hdfs.codeC = GzipCodec', 'hdfs.fileSuffix = .z', ...unlimited],
      ),
    },
    lines: 0,
    isWhole: (content) => gunzipped(content).includes('44 line'),
    normalize: (given) => gunzipped(Buffer.from(given, 'latin1')).toString('latin1'),
  },
  {
    name: 'hdfsdeflate',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', 'hdfs.fileType = CompressedStream', 'hdfs.codeC = DeflateCodec', ...unlimited) },
    lines: 0,
    isWhole: (content) => inflated(content).includes('44 line'),
    normalize: (given) => inflated(Buffer.from(given, 'latin1')).toString('latin1'),
  },
  {
    name: 'hdfsblocks',
    files: numbered,
    source: spooldir,
    sinks: { k: hdfs('k', 'hdfs.codeC = gzip', ...unlimited) },
    lines: 0,
    isWhole: (content) => content.length > 200,
    // The header says how the rest is read; HadoopReader reads it elsewhere.
    normalize: (given) => given.slice(0, given.indexOf(syncOf(given))),
  },
  {
    name: 'hdfssequence',
    files: timed,
    source: byTime,
    sinks: {
      writable: hdfs('writable', ...unlimited),
      text: hdfs('text', ...unlimited, 'hdfs.writeFormat = Text', 'hdfs.fileType = SequenceFile'),
    },
    lines: 0,
    isWhole: (content) => content.includes('long ago'),
    // What is not random of a SequenceFile without compression: the marker comes last in the header.
    normalize: (given) => given.replaceAll(syncOf(given), '<sync>'),
  },
];
