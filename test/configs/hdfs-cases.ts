/** Configurations with the hdfs sink, which here writes to local directories. */
import type { Case } from './cases.ts';
import { avroRecords, filesNamed, sequenced, unzipped } from './hdfs-outputs.ts';
import { appended, directory, file, lines } from './inputs.ts';
import { names, written } from './outputs.ts';

const numbered = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `line ${first + index}`);
const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const twenty = numbered(1, 20);
/** What is left as it is by the guide, and hurts later. */
const smallFiles = (sink: string): string[] =>
  ['hdfs.rollCount: is left at 10', 'hdfs.rollSize: is left at 1024', 'hdfs.inUsePrefix: does not begin with'].map(
    (text) => `${sink}.${text}`,
  );
const schema = JSON.stringify({ type: 'record', name: 'Line', fields: [{ name: 'text', type: 'string' }] });

/** The guide's in its order, then whole agents as operators have them. */
export const hdfsCases: readonly Case[] = [
  {
    file: 'flow',
    agent: 'agent_foo',
    in: [lines('avro-appserver-src-1', twenty)],
    out: [written('/flume/webdata', twenty), filesNamed('/flume/webdata', /^\/flume\/webdata\/FlumeData\.\d{13}$/, 2)],
    warnings: smallFiles('agent_foo.sinks.hdfs-sink-1'),
  },
  {
    file: 'two-flows',
    agent: 'agent_foo',
    before: [directory('/var/log/flume'), file('/var/log/secure', 'one\n')],
    in: [lines('avro-AppSrv-source1', numbered(1, 9)), appended('/var/log/secure', 'two\n')],
    out: [
      written('/flume/webdata', numbered(1, 9)),
      filesNamed('/flume/webdata', /^\/flume\/webdata\/FlumeData\.\d{13}$/, 1),
      written('/var/log/flume', ['one', 'two']),
    ],
    warnings: smallFiles('agent_foo.sinks.hdfs-Cluster1-sink1'),
  },
  {
    file: 'hdfs',
    in: [lines('r1', numbered(1, 10))],
    out: [
      sequenced('/flume/events', numbered(1, 10)),
      filesNamed('/flume/events', /^\/flume\/events\/\d{4}-\d\d-\d\d\/\d{3}0\/00\/events-\.\d{13}$/, 1),
    ],
    warnings: smallFiles('a1.sinks.k1'),
  },
  {
    file: 'avro-event-serializer',
    in: [lines('r1', twenty)],
    out: [
      avroRecords(
        '/flume/events',
        twenty.map((line) => `timestamp ${line}`),
        ({ headers, body }: { headers: object; body: Buffer }) => `${Object.keys(headers)} ${body}`,
      ),
    ],
    warnings: smallFiles('a1.sinks.k1'),
  },
  {
    file: 'avro-schema-serializer',
    before: [file('/path/to/schema.avsc', schema)],
    // Avro's binary form of the text: its length, twice, and its bytes.
    in: [lines('r1', ['\x06one', '\x06two'])],
    out: [avroRecords('/flume/events', ['one', 'two'], ({ text }: { text: string }) => text)],
    warnings: smallFiles('a1.sinks.k1'),
  },
  {
    file: 'classic-spooldir-hdfs',
    agent: 'spool-agent',
    isProcess: true,
    before: [file('/var/spool/flume/a', textOf(numbered(1, 3000)))],
    in: [file('/var/spool/flume/b', textOf(numbered(3001, 4000)))],
    out: [
      written('/flume/access', numbered(1, 4000)),
      names('/var/spool/flume', []),
      filesNamed('/flume/access', /^\/flume\/access\/dt=\d{4}-\d\d-\d\d\/[ab]\.\d{13}\.log$/, 2),
    ],
  },
  {
    file: 'classic-tail-hdfs',
    before: [file('/var/log/nginx/access.log', textOf(numbered(1, 150)))],
    in: [appended('/var/log/nginx/access.log', textOf(numbered(151, 250)))],
    out: [
      unzipped('/flume/logs', numbered(1, 250)),
      filesNamed('/flume/logs', /^\/flume\/logs\/\d{8}\/\d\d\/access-\.\d{13}\.gz$/, 3),
    ],
    warnings: ['a1.sinks.k1.hdfs.inUsePrefix: does not begin with'],
  },
];
