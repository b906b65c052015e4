/** The user guide's examples of what stands between: selectors, sink processors, interceptors. */
import type { Case } from './cases.ts';
import { directory, earlyLines, lines } from './inputs.ts';
import { content, countedUp, type Output, shared, written, writtenAs, writtenLater } from './outputs.ts';

const out = directory('/var/log/flume');
const outs = directory(...['c1', 'c2', 'c3', 'c4', 'k1', 'k2'].map((name) => `/var/log/flume/${name}`));
const sixty = Array.from({ length: 60 }, (_, index) => `line ${index}`);
const k1k2 = ['/var/log/flume/k1', '/var/log/flume/k2'];

/** In the order of the guide. */
export const betweenCases: readonly Case[] = [
  {
    file: 'replicating',
    before: [outs],
    in: [lines('r1', sixty)],
    out: [written('/var/log/flume/c1', sixty), written('/var/log/flume/c2', sixty)],
    says: ['r1: optional channel c3 refused'],
  },
  {
    file: 'load-balancing-selector',
    before: [outs],
    in: [lines('r1', sixty)],
    out: [
      written('/var/log/flume', sixty),
      ...['c1', 'c2', 'c3', 'c4'].map((name) =>
        writtenAs(`/var/log/flume/${name}`, { [name]: 15 }, (each) => ({ [name]: each.length })),
      ),
    ],
  },
  {
    file: 'multiplexing',
    before: [outs],
    in: [lines('r1', ['CZ one', 'US two', 'DE three', 'four'])],
    out: [
      written('/var/log/flume/c1', ['CZ one']),
      written('/var/log/flume/c2', ['US two']),
      written('/var/log/flume/c3', ['US two']),
      written('/var/log/flume/c4', ['DE three', 'four']),
    ],
  },
  {
    file: 'sink-group',
    before: [outs],
    in: [earlyLines('r1', k1k2), lines('r1', sixty)],
    out: [writtenLater('/var/log/flume', sixty), shared(k1k2, 'line ')],
  },
  {
    file: 'failover',
    before: [outs],
    in: [lines('r1', sixty)],
    out: [written('/var/log/flume/k2', sixty), none('/var/log/flume/k1')],
  },
  {
    file: 'load-balance',
    before: [outs],
    in: [earlyLines('r1', k1k2), lines('r1', sixty)],
    out: [writtenLater('/var/log/flume', sixty), shared(k1k2, 'line ')],
  },
  {
    file: 'interceptors',
    before: [out],
    in: [lines('r1', ['one'])],
    out: [
      writtenAs('/var/log/flume', ['{hostname=ADDRESS, timestamp=NOW} one'], (given) =>
        given.map((line) => line.replace(/=[\d.:a-f]*[.:][\d.:a-f]+,/, '=ADDRESS,').replace(/=\d{13}\b/, '=NOW')),
      ),
    ],
    // Not a sink's key, whatever the sink: `hdfs.filePrefix` is meant.
    warnings: ['a1.sinks.k1.filePrefix: is not known here'],
  },
  {
    file: 'timestamp',
    before: [out],
    in: [],
    out: [
      writtenAs('/var/log/flume', true, (given) => given.length > 100 && given.every(isStampedNow)),
      writtenAs('/var/log/flume', true, (given) => given.every((line, index) => line.endsWith(`} ${index}`))),
    ],
  },
  {
    file: 'host',
    before: [out],
    in: [lines('r1', ['one'])],
    out: [
      writtenAs('/var/log/flume', ['{host=ADDRESS} one'], (given) =>
        given.map((line) => line.replace(/=[\d.:a-f]*[.:][\d.:a-f]+\}/, '=ADDRESS}')),
      ),
    ],
  },
  { file: 'static', before: [out], in: [], out: [countedUp('/var/log/flume', '{datacenter=NEW_YORK} ')] },
  {
    file: 'remove-header',
    before: [out],
    in: [lines('r1', ['1 2 3 4 5'])],
    out: [written('/var/log/flume', ['{kept=4} 1 2 3 4 5'])],
  },
  {
    file: 'uuid',
    before: [out],
    in: [lines('r1', ['one', 'two'])],
    out: [
      writtenAs('/var/log/flume', { texts: ['{eventId=ID} one', '{eventId=ID} two'], ids: 2 }, (given) => ({
        texts: given.map((line) => line.replace(identifier, '=ID')),
        ids: new Set(given.map((line) => identifier.exec(line)?.[0])).size,
      })),
    ],
  },
  {
    file: 'search-replace',
    before: [out],
    in: [lines('avroSrc', ['user_1: here', '-- nothing'])],
    out: [written('/var/log/flume', [': here', '-- nothing'])],
    // As in Flume, where it comes to the same.
    warnings: ['a1.sources.avroSrc.interceptors.search-replace.replaceString: is empty, and counts as not set'],
  },
  {
    file: 'search-replace-groups',
    before: [out],
    in: [lines('avroSrc', ['The quick brown fox jumped over the lazy dog', 'The quick brown FOX'])],
    out: [content('/var/log/flume', 'The hungry dog ate the careless fox\nThe quick brown FOX\n')],
  },
  {
    file: 'regex-filter',
    before: [out],
    in: [lines('r1', ['INFO one', 'DEBUG two', 'WARN health check', 'ERROR three', 'health check'])],
    out: [content('/var/log/flume', 'INFO one\nERROR three\n')],
  },
  {
    file: 'regex-extractor',
    before: [out],
    in: [lines('r1', ['1:2:3.4foobar5', 'nothing'])],
    // Headers and text as the guide has them.
    out: [content('/var/log/flume', '{one=1, two=2, three=3} 1:2:3.4foobar5\n{} nothing\n')],
  },
  {
    file: 'regex-extractor-millis',
    // The guide's number is that of a machine in California.
    isProcess: true,
    environment: { TZ: 'America/Los_Angeles' },
    before: [out],
    in: [lines('r1', ['2012-10-18 18:47:57,614 some log line'])],
    out: [written('/var/log/flume', ['{timestamp=1350611220000} 2012-10-18 18:47:57,614 some log line'])],
  },
];

/** Once the preferred one has started. */
function none(path: string): Output {
  return writtenAs(path, [], (given) => given.filter((line) => line.startsWith('line ')));
}

const identifier = /=a1-[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

function isStampedNow(line: string): boolean {
  const stamp = Number(/^\{timestamp=(\d+)\} \d+$/.exec(line)?.[1]);
  return Math.abs(Date.now() - stamp) < 120_000;
}
