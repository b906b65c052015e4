/** What the spooldir source makes of files: names, orders, headers, charsets, cut lines, and what it leaves behind. */
import avro from 'avsc';
import { type AgedFile, type FlumeCase, sortHeaders } from './flume-case.ts';
import { files, spooldir } from './flume-settings.ts';
import { hasBlock, withoutMarker } from './flume-written.ts';

const shown = { k: files('k', 'header_and_text') };
const named = [...spooldir, 'basenameHeader = true'];

function aged(minutes: number, content: string): AgedFile {
  return { minutes, content };
}

const ages = { 'in/c': aged(0, 'c\n'), 'in/b': aged(5, 'b\n'), 'in/a': aged(5, 'a\n'), 'in/d': aged(2, 'd\n') };
const tree = {
  'in/a.log': 'a\n',
  'in/b.txt': 'not included\n',
  'in/c.log': 'ignored\n',
  'in/.hidden.log': 'hidden\n',
  'in/done.log.DONE': 'done before\n',
  'in/sub/d.log': 'd\n',
  'in/sub/deep/e.log': 'e\n',
  'in/skipped/f.log': 'in an ignored directory\n',
};

/** By Java's names; each file has two lines. */
const encoded: Readonly<Record<string, Buffer>> = {
  ISO8859_1: Buffer.from('zwölf\nBoxkämpfer\n', 'latin1'),
  'windows-1252': Buffer.from('\x80 uro\n\x93quoted\x94\n', 'latin1'),
  GBK: Buffer.from('\xc4\xe3\xba\xc3\n\xca\xc0\xbd\xe7\n', 'latin1'),
  Shift_JIS: Buffer.from('\x93\xfa\x96\x7b\n\x83\x5c\n', 'latin1'),
  'UTF-16LE': Buffer.from('ü one\nĊ two\n', 'utf16le'),
  'UTF-16BE': Buffer.from('ü one\nĊ two\n', 'utf16le').swap16(),
  'UTF-16': Buffer.from('\ufeffü one\nĊ two\n', 'utf16le'),
  // With a mark that is none of Flume's business.
  UTF8: Buffer.from('\ufeffü one\n\ufeffĊ two\n'),
};
const charsets: readonly FlumeCase[] = Object.entries(encoded).map(([charset, content]) => ({
  name: `charset${charset.replace(/\W/g, '')}`,
  files: { 'in/one': content },
  source: [...spooldir, `inputCharset = ${charset}`],
  sinks: { k: files('k', 'text') },
  lines: 2,
}));

const spooled: readonly FlumeCase[] = [
  { name: 'oldest', files: ages, source: named, sinks: shown, lines: 4 },
  { name: 'youngest', files: ages, source: [...named, 'consumeOrder = youngest'], sinks: shown, lines: 4 },
  {
    name: 'fileheaders',
    files: { 'in/one': 'a\n', 'in/sub/two': 'b\n' },
    source: [
      ...spooldir,
      'fileHeader = true',
      'fileHeaderKey = path',
      'basenameHeader = true',
      'basenameHeaderKey = name',
      'recursiveDirectorySearch = true',
    ],
    sinks: shown,
    lines: 2,
    compared: ['in', 'out'],
    normalize: sortHeaders,
  },
  {
    name: 'patterns',
    files: tree,
    source: [
      ...named,
      'includePattern = .*\\\\.log',
      'ignorePattern = c.*|skipped',
      'fileSuffix = .DONE',
      'recursiveDirectorySearch = true',
    ],
    sinks: shown,
    lines: 3,
    compared: ['in', 'out'],
  },
  {
    name: 'flat',
    files: tree,
    source: [...named, 'includePattern = ^a.*$'],
    sinks: shown,
    lines: 1,
    compared: ['in', 'out'],
  },
  {
    name: 'tracked',
    files: { 'in/one': 'a\n', 'in/sub/two': 'b\n' },
    source: [...named, 'trackingPolicy = tracker_dir', 'trackerDir = @dir@/tracker', 'recursiveDirectorySearch = true'],
    sinks: shown,
    lines: 2,
    // Not the tracker directory's hidden file: Flume leaves in it where it was in the last file, which is done.
    compared: ['in', 'tracker', 'out'],
  },
  {
    name: 'deleted',
    files: { 'in/one': 'a\n' },
    source: [...named, 'deletePolicy = immediate'],
    sinks: shown,
    lines: 1,
    compared: ['in', 'out'],
  },
  {
    name: 'cut',
    files: { 'in/one': '0123456789\n0123456789ab\nä123456789ö12345678\n012345678\n\n日本語日本語日本語日本語' },
    source: [...spooldir, 'deserializer.maxLineLength = 10'],
    sinks: shown,
    lines: 10,
  },
  {
    name: 'cutearlier',
    files: { 'in/one': '0123456789\n' },
    source: [...spooldir, 'bufferMaxLineLength = 7'],
    sinks: shown,
    lines: 2,
  },
  ...charsets,
  {
    name: 'outlatin',
    files: { 'in/one': 'zwölf Boxkämpfer 日本\n' },
    source: [...spooldir, 'deserializer.outputCharset = ISO-8859-1'],
    sinks: { k: files('k', 'text') },
    lines: 1,
  },
  ...['REPLACE', 'IGNORE'].map((policy) => ({
    name: policy.toLowerCase(),
    files: {
      'in/one': Buffer.from('a\xffb\nc\xe2\x82d\n\xf0\x9f\x92\ne\xc0\x80f\xed\xa0\x80g\nfine\nlast', 'latin1'),
    },
    source: [...spooldir, `decodeErrorPolicy = ${policy}`],
    sinks: { k: files('k', 'text') },
    lines: 6,
  })),
];

async function avroFile(): Promise<Buffer> {
  // As Java writes it: Flume's header with the schema is not the file's text, but its own.
  const schema = '{"type":"record","name":"Line","fields":[{"name":"n","type":"int"}]}';
  const encoder = new avro.streams.BlockEncoder(JSON.parse(schema), { blockSize: 16 });
  for (let n = 40; n < 80; n += 1) encoder.write({ n });
  encoder.end();
  return Buffer.concat(await encoder.toArray());
}

async function avroCases(): Promise<FlumeCase[]> {
  const input = { 'in/one.avro': await avroFile() };
  const source = [...spooldir, 'deserializer = AVRO'];
  const literal = [...source, 'deserializer.schemaType = LITERAL'];
  const bodies = 'org.apache.flume.sink.hdfs.AvroEventSerializer$Builder';
  return [
    { name: 'avrohash', files: input, source, sinks: shown, lines: 40 },
    { name: 'avroliteral', files: input, source: literal, sinks: shown, lines: 40 },
    {
      name: 'avrobody',
      files: input,
      source: literal,
      sinks: {
        k: files('k', bodies),
        deflated: files('deflated', bodies, 'sink.serializer.compressionCodec = deflate'),
        done: files('done', 'text'),
      },
      lines: 40,
      isWhole: hasBlock,
      normalize: withoutMarker,
    },
  ];
}

/** All of them; their Avro files are made here. */
export async function spooledCases(): Promise<FlumeCase[]> {
  return [...spooled, ...(await avroCases())];
}
