/** The user guide's examples of sources, sinks and channels. */
import type { Case } from './cases.ts';
import { appended, datagrams, directory, file, lines } from './inputs.ts';
import { content, countedUp, logged, names, told, written } from './outputs.ts';

const out = directory('/var/log/flume');
const three = ['one', 'two', 'three'];

/** In the order of the guide. */
export const partCases: readonly Case[] = [
  {
    file: 'exec',
    isProcess: true,
    before: [out, file('/var/log/secure', 'one\n')],
    in: [appended('/var/log/secure', 'two\nthr'), appended('/var/log/secure', 'ee\n')],
    out: [written('/var/log/flume', three)],
  },
  {
    file: 'exec-shell',
    before: [out, file('/path/a.txt', 'one\ntwo\n'), file('/path/b.txt', 'three\n'), file('/path/c.log', 'four\n')],
    in: [],
    out: [written('/var/log/flume', three)],
    says: ["tailsource-1: the command 'for i in "],
  },
  {
    file: 'spooldir',
    isProcess: true,
    before: [out, file('/var/log/apache/flumeSpool/a.log', 'one\ntwo\n')],
    in: [file('/var/log/apache/flumeSpool/b.log', 'two\nthree\n')],
    out: [
      written('/var/log/flume', [
        '{file=/var/log/apache/flumeSpool/a.log} one',
        '{file=/var/log/apache/flumeSpool/a.log} two',
        '{file=/var/log/apache/flumeSpool/b.log} two',
        '{file=/var/log/apache/flumeSpool/b.log} three',
      ]),
      names('/var/log/apache/flumeSpool', ['a.log.COMPLETED', 'b.log.COMPLETED']),
    ],
  },
  {
    file: 'taildir',
    isProcess: true,
    before: [
      directory('/out'),
      file('/var/log/test1/example.log', 'one\n'),
      file('/var/log/test2/a.log.1', 'two\n'),
      file('/var/log/test2/a.txt', 'of no group\n'),
    ],
    in: [appended('/var/log/test1/example.log', 'three\n'), file('/var/log/test2/b_log', 'four\n')],
    out: [
      written('/out', [
        '{headerKey1=value1, file=/var/log/test1/example.log} one',
        '{headerKey1=value1, file=/var/log/test1/example.log} three',
        '{headerKey1=value2, headerKey2=value2-2, file=/var/log/test2/a.log.1} two',
        '{headerKey1=value2, headerKey2=value2-2, file=/var/log/test2/b_log} four',
      ]),
      names('/var/log/flume', ['taildir_position.json']),
    ],
    // A slip of the guide's: `ri` where `r1` is meant.
    warnings: ["a1.sources.ri: has no effect: 'ri' is not in a1.sources"],
  },
  {
    file: 'netcat',
    in: [lines('r1', ['one', 'two'])],
    out: [
      logged('k1', [
        '{ headers:{} body: 6F 6E 65                                        one }',
        '{ headers:{} body: 74 77 6F                                        two }',
      ]),
    ],
  },
  {
    file: 'netcatudp',
    before: [out],
    in: [datagrams('r1', ['one', 'two\n', 'three\nand no more\n'])],
    out: [written('/var/log/flume', three)],
  },
  { file: 'seq', before: [out], in: [], out: [countedUp('/var/log/flume')] },
  { file: 'stress', isProcess: true, in: [], out: [told('k1', /null sink k1 has taken \d{5,} events/)] },
  {
    file: 'logger',
    in: [lines('r1', ['a line that is longer than what is shown'])],
    out: [logged('k1', ['{ headers:{} body: 61 20 6C 69 6E 65 20 74 68 61 74 20 69 73 20 6C a line that is l }'])],
  },
  { file: 'file-roll', before: [out], in: [lines('r1', three)], out: [written('/var/log/flume', three)] },
  { file: 'null', in: [lines('r1', three)], out: [told('k1', /null sink k1 has taken 3 events/)] },
  {
    file: 'memory-channel',
    before: [out],
    in: [lines('r1', three)],
    out: [written('/var/log/flume', three)],
    warnings: ['a1.channels.c1.byteCapacityBufferPercentage: has no effect'],
  },
  {
    file: 'file-channel',
    isProcess: true,
    before: [out],
    in: [lines('r1', three)],
    out: [written('/var/log/flume', three), names('/mnt/flume', ['checkpoint', 'data'])],
  },
  {
    file: 'spillable-channel',
    before: [out],
    in: [lines('r1', three)],
    out: [written('/var/log/flume', three), names('/mnt/flume', ['checkpoint', 'data'])],
    warnings: ['a1.channels.c1.byteCapacity: has no effect'],
  },
  {
    file: 'spillable-channel-files-only',
    before: [out],
    in: [lines('r1', three)],
    out: [written('/var/log/flume', three), names('/mnt/flume', ['checkpoint', 'data'])],
  },
  {
    file: 'spillable-channel-memory-only',
    // Without directories of its own it has Flume's, below the home of who runs it.
    isProcess: true,
    environment: { HOME: '/home' },
    before: [out],
    in: [lines('r1', three)],
    out: [written('/var/log/flume', three), names('/home/.flume/file-channel', ['checkpoint', 'data'])],
  },
  {
    file: 'text-serializer',
    before: [out],
    in: [lines('r1', three)],
    out: [content('/var/log/flume', 'onetwothree')],
  },
];
