/** The keys of the spooldir source and of its deserializers. */
import { type Charset, charset, type DecodeErrorPolicy } from '../../../agent/contracts/java/charset.ts';
import { compileJavaPattern, type JavaPattern, javaRegex } from '../../../agent/contracts/java/java-pattern.ts';
import {
  boolean,
  integer,
  type Key,
  type KeyType,
  oneOf,
  optional,
  required,
  text,
  unset,
} from '../../../agent/contracts/keys.ts';
import type { SchemaHeader } from './avro-deserializer.ts';
import { utf8 } from './file-charset.ts';

/** How files become events. */
type DeserializerName = 'LINE' | 'AVRO' | 'BLOB';

const deserializers: Readonly<Record<string, DeserializerName>> = {
  line: 'LINE',
  'org.apache.flume.serialization.linedeserializer$builder': 'LINE',
  avro: 'AVRO',
  'org.apache.flume.serialization.avroeventdeserializer$builder': 'AVRO',
  blob: 'BLOB',
  'org.apache.flume.sink.solr.morphline.blobdeserializer$builder': 'BLOB',
};

const deserializerType: KeyType<DeserializerName> = {
  name: 'LINE, AVRO, BLOB or the class of one of them',
  parse: (given) => {
    const value = deserializers[given.toLowerCase()];
    return value === undefined ? { problem: `'${given}' is not allowed: LINE, AVRO or BLOB` } : { value };
  },
};

const deletePolicy: KeyType<'never' | 'immediate'> = oneOf('never', 'immediate');
const trackingPolicy: KeyType<'rename' | 'tracker_dir'> = oneOf('rename', 'tracker_dir');
const consumeOrder: KeyType<'oldest' | 'youngest' | 'random'> = oneOf('oldest', 'youngest', 'random');
const decodeErrorPolicy: KeyType<DecodeErrorPolicy> = oneOf('FAIL', 'REPLACE', 'IGNORE');
const schemaType: KeyType<SchemaHeader> = oneOf('HASH', 'LITERAL');

function preset(source: string): JavaPattern {
  const compiled = compileJavaPattern(source);
  if ('problem' in compiled) throw new Error(compiled.problem.message);
  return compiled.pattern;
}

const keptNotFatal =
  'a file that is changed while it is read, or whose new name exists, is kept and named, and the others go on; ' +
  'Flume stops the source';

/** By the name of each. */
export const spooldirKeys: {
  readonly spoolDir: Key<string>;
  readonly fileSuffix: Key<string>;
  readonly deletePolicy: Key<'never' | 'immediate'>;
  readonly trackingPolicy: Key<'rename' | 'tracker_dir'>;
  readonly fileHeader: Key<boolean>;
  readonly fileHeaderKey: Key<string>;
  readonly basenameHeader: Key<boolean>;
  readonly basenameHeaderKey: Key<string>;
  readonly includePattern: Key<JavaPattern>;
  readonly ignorePattern: Key<JavaPattern>;
  readonly trackerDir: Key<string>;
  readonly consumeOrder: Key<'oldest' | 'youngest' | 'random'>;
  readonly pollDelay: Key<number>;
  readonly recursiveDirectorySearch: Key<boolean>;
  readonly maxBackoff: Key<number>;
  readonly batchSize: Key<number>;
  readonly inputCharset: Key<Charset>;
  readonly decodeErrorPolicy: Key<DecodeErrorPolicy>;
  readonly deserializer: Key<DeserializerName>;
  readonly 'deserializer.maxLineLength': Key<number>;
  readonly 'deserializer.outputCharset': Key<Charset>;
  readonly 'deserializer.schemaType': Key<SchemaHeader>;
  readonly 'deserializer.maxBlobLength': Key<number>;
  readonly bufferMaxLines: Key<number | undefined>;
  readonly bufferMaxLineLength: Key<number | undefined>;
} = {
  spoolDir: required(text, { does: 'the directory that finished files are put into' }),
  fileSuffix: optional(text, '.COMPLETED', {
    does: 'what the name of a file that is done gets behind it; files that end in it are passed over',
    standing: { differs: keptNotFatal },
  }),
  deletePolicy: optional(deletePolicy, 'never', { does: 'whether a file that is done is deleted' }),
  trackingPolicy: optional(trackingPolicy, 'rename', {
    does: 'files that are done are renamed, or remembered by an empty file in trackerDir; not where they are deleted',
  }),
  fileHeader: optional(boolean, false, { does: 'whether events get a header with the absolute path of their file' }),
  fileHeaderKey: optional(text, 'file', { does: 'the name of that header' }),
  basenameHeader: optional(boolean, false, { does: 'whether events get a header with the name of their file' }),
  basenameHeaderKey: optional(text, 'basename', { does: 'the name of that header' }),
  includePattern: optional(javaRegex, preset('^.*$'), { does: 'the file names that are spooled, as a whole' }),
  ignorePattern: optional(javaRegex, preset('^$'), {
    does: 'the names of files and of directories below that are not; wins over includePattern',
  }),
  trackerDir: optional(text, '.flumespool', { does: 'where Flume keeps its place; below spoolDir where relative' }),
  consumeOrder: optional(consumeOrder, 'oldest', {
    does: 'which file is next, by time of change; of the same age the smaller name',
    standing: {
      differs:
        'the directory is listed again every pollDelay at most, not for each file, so a thousand files are quick',
    },
  }),
  pollDelay: optional(integer(1), 500, { unit: 'ms', does: 'how long to wait before looking for new files' }),
  recursiveDirectorySearch: optional(boolean, false, { does: 'whether directories below are spooled too' }),
  maxBackoff: optional(integer(1), 4000, {
    unit: 'ms',
    does: 'the longest wait before events are offered again to a channel that was full; the first is 250 ms',
  }),
  batchSize: optional(integer(1), 100, {
    unit: 'events',
    does: 'events of one transaction; fewer where they have more than 2 MiB together. Sixteen are under way at a time',
  }),
  inputCharset: optional(charset, utf8, { does: 'the charset of the files' }),
  decodeErrorPolicy: optional(decodeErrorPolicy, 'FAIL', {
    does: 'of bytes that are no text in inputCharset: FAIL keeps the file, REPLACE puts U+FFFD, IGNORE drops them',
    standing: {
      differs:
        'with FAIL, what is before them is delivered, and the other files go on; Flume stops the source. A character ' +
        'that the end of the file cuts off is no text either; Flume drops it without a word',
    },
  }),
  deserializer: optional(deserializerType, 'LINE', {
    does: 'how a file becomes events: its lines, the records of an Avro file, or all of it',
    standing: {
      differs:
        'Avro files with the codecs null, deflate and snappy only, continued behind the last record, not at its block',
    },
  }),
  'deserializer.maxLineLength': optional(integer(1), 2048, {
    unit: 'characters',
    does: 'longer lines are cut, and the rest is the next event; named once a file',
    standing: { differs: 'no cut goes through a pair of surrogates, of which Flume makes two question marks' },
  }),
  'deserializer.outputCharset': optional(charset, utf8, { does: 'the charset of the bodies of LINE' }),
  'deserializer.schemaType': optional(schemaType, 'HASH', {
    does: 'AVRO: the header flume.avro.schema.hash (CRC-64-AVRO) or flume.avro.schema.literal',
    standing: { differs: 'LITERAL is the schema as the file has it; in Flume as Java writes it anew' },
  }),
  'deserializer.maxBlobLength': optional(integer(1, 512 * 1024 * 1024), 100_000_000, {
    unit: 'bytes',
    does: 'BLOB: the longest event; what is longer becomes several',
  }),
  bufferMaxLines: unset(integer(), { does: 'nothing', standing: { needless: 'Flume does not use it either' } }),
  bufferMaxLineLength: unset(integer(1), { unit: 'characters', does: 'the older name of deserializer.maxLineLength' }),
};
