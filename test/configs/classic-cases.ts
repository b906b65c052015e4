/** Whole agents as operators have them. */
import type { Case } from './cases.ts';
import { appended, directory, earlyLines, file, filled, lines, renamed } from './inputs.ts';
import { content, logged, names, shared, written, writtenAs, writtenLater } from './outputs.ts';

const numbered = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `line ${first + index}`);
const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const sixty = numbered(1, 60);

/** See above. */
export const classicCases: readonly Case[] = [
  {
    file: 'classic-tail',
    agent: 'agent',
    isProcess: true,
    before: [directory('/data/events'), file('/var/log/httpd/access_log', textOf(numbered(1, 200)))],
    in: [
      appended('/var/log/httpd/access_log', textOf(numbered(201, 300))),
      // Rotated once all of it has been read, or tail itself may lose some.
      filled('/data/events', 300),
      renamed('/var/log/httpd/access_log', '/var/log/httpd/access_log.1'),
      file('/var/log/httpd/access_log', textOf(numbered(301, 400))),
    ],
    out: [written('/data/events', numbered(1, 400))],
  },
  {
    file: 'classic-spooldir',
    agent: 'spool-agent',
    isProcess: true,
    before: [
      directory('/data/events'),
      file('/var/spool/flume/a.log', textOf(numbered(1, 300))),
      file('/var/spool/flume/b.tmp', 'not yet\n'),
    ],
    in: [file('/var/spool/flume/c.log', textOf(numbered(301, 400)))],
    out: [
      written('/data/events', [
        ...numbered(1, 300).map((line) => `{basename=a.log} ${line}`),
        ...numbered(301, 400).map((line) => `{basename=c.log} ${line}`),
      ]),
      names('/var/spool/flume', ['a.log.COMPLETED', 'b.tmp', 'c.log.COMPLETED']),
    ],
  },
  {
    file: 'classic-taildir',
    isProcess: true,
    before: [
      directory('/data/events'),
      file('/var/log/app/app.log', textOf(numbered(1, 200))),
      file('/var/log/nginx/access.log', textOf(numbered(201, 300))),
    ],
    in: [
      appended('/var/log/app/app.log', textOf(numbered(301, 400))),
      file('/var/log/nginx/error.log', textOf(numbered(401, 450))),
      // A file that was renamed before it was ever seen is nobody's.
      filled('/data/events', 450),
      // Its name is no longer one of the pattern's, and it is not read again under the other one.
      renamed('/var/log/nginx/access.log', '/var/log/nginx/access.log.1'),
    ],
    out: [
      written('/data/events', [
        ...[...numbered(1, 200), ...numbered(301, 400)].map((line) => `{kind=app} ${line}`),
        ...[...numbered(201, 300), ...numbered(401, 450)].map((line) => `{kind=nginx} ${line}`),
      ]),
      names('/var/lib/flume', ['checkpoint', 'data', 'taildir_position.json']),
    ],
  },
  {
    file: 'classic-replicating',
    isProcess: true,
    before: [directory('/data/events')],
    in: [lines('r1', ['one', 'two', 'three'])],
    out: [
      content('/data/events', 'one\ntwo\nthree\n'),
      logged('k2', [
        '{ headers:{} body: 6F 6E 65                                        one }',
        '{ headers:{} body: 74 77 6F                                        two }',
        '{ headers:{} body: 74 68 72 65 65                                  three }',
      ]),
    ],
  },
  {
    file: 'classic-multiplexing',
    isProcess: true,
    before: [directory('/data/events/access', '/data/events/error', '/data/events/other')],
    in: [lines('access', ['GET /', 'GET /a']), lines('error', ['no such file']), lines('other', ['something'])],
    out: [
      written('/data/events/access', ['GET /', 'GET /a']),
      written('/data/events/error', ['no such file']),
      written('/data/events/other', ['something']),
    ],
  },
  {
    file: 'classic-failover',
    isProcess: true,
    // The first place is not there yet.
    before: [directory('/mnt/local')],
    in: [
      lines('r1', numbered(1, 30)),
      filled('/mnt/local', 30),
      directory('/mnt/nas'),
      earlyLines('r1', ['/mnt/nas']),
      lines('r1', numbered(31, 60)),
    ],
    out: [
      writtenLater('/mnt', sixty),
      writtenAs('/mnt/local', numbered(1, 30).sort(), (given) =>
        given.filter((line) => line.startsWith('line ')).sort(),
      ),
    ],
    says: ['primary: cannot start, and will try again', 'g1: a sink of the group failed'],
  },
  {
    file: 'classic-load-balance',
    isProcess: true,
    before: [directory('/mnt/disk1', '/mnt/disk2')],
    in: [earlyLines('r1', ['/mnt/disk1', '/mnt/disk2']), lines('r1', sixty)],
    out: [writtenLater('/mnt', sixty), shared(['/mnt/disk1', '/mnt/disk2'], 'line ')],
  },
  {
    file: 'classic-custom',
    isProcess: true,
    before: [directory('/data/events')],
    in: [],
    // Every third of 500.
    out: [
      written(
        '/data/events',
        numbered(1, 500)
          .filter((_, index) => index % 3 === 2)
          .map((line) => `${line.slice('line '.length)} ${line}`),
      ),
    ],
  },
];
