/** What sources other than spooldir bring; and what two sinks make of what they bring: Avro containers and the log. */
import { type FlumeCase, sortHeaders } from './flume-case.ts';
import { files, intercepted, spooldir } from './flume-settings.ts';
import { hasBlock, withoutMarker } from './flume-written.ts';

const shown = { k: files('k', 'header_and_text') };

/** Each file's, in the order of their names. */
function positions(text: string): string {
  const found = JSON.parse(text) as { inode: unknown; pos: unknown; file: string }[];
  return JSON.stringify(found.map(({ pos, file, inode }) => `${file} ${pos} ${typeof inode}`).sort());
}

const tailed: readonly FlumeCase[] = [
  {
    name: 'tailed',
    files: {
      'logs/b.log': 'b first\nb second\r\nheld back',
      'logs/a.log': 'a first\n\nä third\n',
      'logs/a.log.1': 'does not match\n',
      'logs/empty.log': '',
    },
    source: [
      'type = TAILDIR',
      'positionFile = @dir@/positions/here/position.json',
      'filegroups = g1',
      'filegroups.g1 = @dir@/logs/.*\\\\.log',
      'headers.g1.env = test',
      'headers.g1.tier = web',
      'byteOffsetHeader = true',
      'fileHeader = true',
      'fileHeaderKey = path',
    ],
    sinks: shown,
    lines: 5,
    compared: ['positions', 'out'],
    normalize: (text, name) => (name.endsWith('.json') ? positions(text) : sortHeaders(text)),
  },
  {
    name: 'groups',
    files: { 'two/x.txt': 'x\n', 'one/y.txt': 'y\n', 'two/z.txt': 'z\n' },
    source: [
      'type = org.apache.flume.source.taildir.TaildirSource',
      'positionFile = @dir@/position.json',
      'filegroups = g1 g2',
      'filegroups.g1 = @dir@/one/y.txt',
      'filegroups.g2 = @dir@/two/.*txt',
      'headers.g1.group = 1',
      'headers.g2.group = 2',
    ],
    sinks: shown,
    lines: 3,
    // The guide says that the oldest file is read first: here of all, in Flume of each group.
    normalize: (text) => text.split('\n').sort().join('\n'),
  },
  {
    name: 'idle',
    files: { 'logs/a.log': 'whole\nwithout end' },
    source: [
      'type = TAILDIR',
      'positionFile = @dir@/position.json',
      'filegroups = g',
      'filegroups.g = @dir@/logs/a.log',
      'idleTimeout = 500',
    ],
    sinks: shown,
    lines: 2,
  },
];

const others: readonly FlumeCase[] = [
  {
    name: 'command',
    files: { 'in/one': 'first\nreturn\r\nold\rway\n\nlast' },
    source: ['type = exec', 'command = cat @dir@/in/one', 'batchTimeout = 300'],
    sinks: shown,
    lines: 6,
  },
  {
    name: 'shell',
    files: {},
    source: [
      'type = exec',
      'shell = /bin/sh -c',
      'command = for i in 1 2 3; do echo "$i  $i"; done',
      'batchTimeout = 300',
    ],
    sinks: shown,
    lines: 3,
  },
  {
    name: 'netcat',
    files: {},
    source: ['type = netcat', 'bind = 127.0.0.1', 'port = @port@', 'max-line-length = 20'],
    sinks: shown,
    sent: 'first\nwith return\r\n\nzwölf 日本 🦊\n0123456789012345678\nlonger than the twenty that are allowed\nafter\n',
    lines: 5,
  },
  {
    name: 'netcatsilent',
    files: {},
    source: ['type = netcat', 'bind = localhost', 'port = @port@', 'ack-every-event = false', 'encoding = ISO-8859-1'],
    sinks: shown,
    sent: 'ü\nb\n',
    lines: 2,
  },
  { name: 'counted', files: {}, source: ['type = seq', 'totalEvents = 25', 'batchSize = 10'], sinks: shown, lines: 25 },
  {
    name: 'stressed',
    files: {},
    source: ['type = org.apache.flume.source.StressSource', 'size = 20', 'maxTotalEvents = 8', 'batchSize = 3'],
    sinks: shown,
    lines: 8,
  },
  {
    name: 'container',
    files: { 'in/one': 'first\n\nä third\n' },
    source: [...spooldir, ...intercepted(['type = static', 'key = k', 'value = ü'])],
    sinks: {
      plain: files('plain', 'avro_event'),
      cut: files('cut', 'avro_event', 'sink.serializer.syncIntervalBytes = 40'),
      deflated: files('deflated', 'avro_event', 'sink.serializer.compressionCodec = deflate'),
      done: files('done', 'text'),
    },
    lines: 3,
    isWhole: hasBlock,
    normalize: withoutMarker,
  },
];

/**
 * What its logger sink says: the same event twice is two messages. Not with maxBytesToLog: whatever that says, Flume's
 * agent makes the sink without any settings.
 */
export const logged: FlumeCase = {
  name: 'logged',
  files: {
    'in/one':
      'Hello world!\n\n0123456789abcdef\n0123456789abcdef\nü\ttab\x7f\x00 and more than one line of it\nHello world!\n',
  },
  source: [...spooldir, ...intercepted(['type = static', 'key = k', 'value = ü v'])],
  // The file tells nothing but that the case is over.
  sinks: { k: ['type = logger'], done: files('done', 'text') },
  lines: 6,
};
/** Of `logged`. */
export const loggedMessages = 6;

/** All of them. */
export const sourceCases: readonly FlumeCase[] = [...tailed, ...others, logged];
