/** Small parts of the hdfs sink: where a path leads, which keys exclude each other, what the protocol decides. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { fileNoteOf, noteValueOf } from '../../../../src/adapters/sinks/hdfs/file-note.ts';
import { hdfsSink } from '../../../../src/adapters/sinks/hdfs/hdfs-sink.ts';
import { Limit } from '../../../../src/adapters/sinks/hdfs/limit.ts';
import {
  begunRows,
  cutRows,
  decide,
  failedRows,
  fenceRows,
  finishedRows,
  type Row,
  standingOf,
} from '../../../../src/adapters/sinks/hdfs/protocol-table.ts';
import { RangeList } from '../../../../src/adapters/sinks/hdfs/range-list.ts';
import { localPathOf, targetPath } from '../../../../src/adapters/sinks/hdfs/target-path.ts';
import type { NoteValue } from '../../../../src/engine.ts';
import { problemsOf, valuesOf } from '../../contexts.ts';

const eventAt = (sequence: number) => ({ sequence, headers: {}, body: Buffer.alloc(0) });

/** Each combination of facts is in one row, or in the first of several where a table says so. */
function checkTable<Facts extends Readonly<Record<string, string>>>(
  rows: readonly Row<Facts, string>[],
  facts: { readonly [Fact in keyof Facts]: readonly Facts[Fact][] },
): void {
  const used = new Set<Row<Facts, string>>();
  let all: Record<string, string>[] = [{}];
  for (const [fact, values] of Object.entries(facts)) {
    all = all.flatMap((one) => values.map((value: string) => ({ ...one, [fact]: value })));
  }
  for (const one of all) {
    const found = rows.find(({ when }) =>
      Object.entries(when).every(([fact, values]) => values === undefined || values.includes(one[fact] ?? '')),
    );
    assert.ok(found !== undefined, JSON.stringify(one));
    assert.equal(decide(rows, one as Facts), found.action);
    used.add(found);
  }
  assert.equal(used.size, rows.length, 'rows that never come up');
}

test('whatever is known of a file, one row of the protocol says what is done', () => {
  const temporary = ['ours', 'other', 'directory', 'nothing'] as const;
  const known = ['unsure', 'sure', 'proven'] as const;
  checkTable(finishedRows, { temporary, final: [...temporary, 'inside'], known, side: ['here', 'far'] });
  const names = ['ours', 'anothers'] as const;
  const late = ['possible', 'impossible'] as const;
  checkTable(begunRows, { name: names, deleted: ['notAsked', 'true', 'false'], late });
  const why = ['exists', 'unsupported', 'lost', 'held', 'other'] as const;
  const bucket = ['goesOn', 'isOver'] as const;
  checkTable(failedRows, { note: ['none', 'begun', 'suspended'], why, name: ['own', 'shared'], bucket });
  checkTable(fenceRows, { at: ['formerName', 'newName', 'nowhere'], known });
  checkTable(cutRows, { answer: ['true', 'false', 'unsupported', 'unclear'] });
  const taken = { temporary: 'ours', final: 'directory', known: 'unsure', side: 'far' } as const;
  assert.equal(decide(finishedRows, taken), 'nextName');
  const gone = { temporary: 'nothing', final: 'other', side: 'far' } as const;
  assert.equal(decide(finishedRows, { ...gone, known: 'unsure' }), 'prove');
  assert.equal(decide(finishedRows, { ...gone, known: 'proven' }), 'inDoubt');
});

test('a file is ours by its identity and its length', () => {
  const file = { fileId: 'a', lengthBytes: 3 };
  assert.equal(standingOf({ fileId: 'a', kind: 'file', lengthBytes: 3 }, file), 'ours');
  assert.equal(standingOf({ fileId: 'a', kind: 'file', lengthBytes: 4 }, file), 'other');
  assert.equal(standingOf({ fileId: 'b', kind: 'file', lengthBytes: 3 }, file), 'other');
  assert.equal(standingOf({ fileId: 'a', kind: 'directory', lengthBytes: 3 }, file), 'directory');
  assert.equal(standingOf(undefined, file), 'nothing');
});

test('a list of ranges holds what was added to it, ascending, neighbours as one', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), fc.nat(20), (sequences, at) => {
      const list = new RangeList();
      const other = new RangeList();
      list.add(sequences.slice(0, at).map(eventAt));
      other.add(sequences.slice(at).map(eventAt));
      list.addAll(other);
      const ranges = list.ranges();
      const found = ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      assert.deepEqual(
        found,
        [...sequences].sort((one, two) => one - two),
      );
      assert.equal(list.eventCount, sequences.length);
      assert.ok(list.rangeCount <= Math.max(1, sequences.length));
    }),
  );
});

test('200,000 events of 200 buckets in turn cost a few megabytes', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const lists = Array.from({ length: 200 }, () => new RangeList());
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let batch = 0; batch < 200; batch += 1) {
    for (const [bucket, list] of lists.entries()) {
      list.add(Array.from({ length: 5 }, (_, index) => eventAt(1 + batch * 1000 + index * 200 + bucket)));
    }
  }
  collect();
  const grownBytes = process.memoryUsage().heapUsed - before;
  assert.equal(
    lists.reduce((sum, { rangeCount }) => sum + rangeCount, 0),
    200_000,
  );
  assert.ok(grownBytes < 8 * 1024 * 1024, `${grownBytes} bytes`);
});

test('events in a row are one range, however many', () => {
  const list = new RangeList();
  list.add(Array.from({ length: 1000 }, (_, index) => eventAt(5 + index)));
  list.add([eventAt(1005), eventAt(1006)]);
  assert.deepEqual(list.ranges(), [{ first: 5, last: 1006 }]);
});

test('hdfs.path: what is local, what is HDFS, and what is neither', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/logs/%Y', '/logs/%Y'],
    ['/logs//', '/logs'],
    ['/', ''],
    ['file:///logs/%{host}/', '/logs/%{host}'],
    ['FILE:/logs', '/logs'],
    ['logs', `${process.cwd().replaceAll('%', '%%')}/logs`],
  ];
  for (const [text, path] of cases) {
    assert.deepEqual(targetPath.parse(text), { value: text });
    assert.equal(localPathOf(text), path, text);
  }
  for (const value of ['hdfs://nn:8020/logs/%Y', 'webhdfs://nn/%{host}', 'swebhdfs://u:p@knox/gateway/default/logs']) {
    assert.deepEqual(targetPath.parse(value), { value });
  }
  const problem = (text: string): string => problemsOf(hdfsSink, { 'hdfs.path': text }).join();
  assert.match(problem('s3a://bucket/logs'), /'s3a:' is not written to: hdfs:, webhdfs:, swebhdfs: or file:/);
  assert.match(problem('hdfs:///logs'), /names no host/);
  assert.match(problem('hdfs://nn:8020'), /has no path/);
  assert.match(problem('hdfs://nn:8020/%[nowhere]'), /is not known/);
  assert.match(problem('file://logs/x'), /names a host, 'logs'/);
  assert.match(problem('file:logs'), /is relative/);
  assert.match(problem('/logs/%[nowhere]'), /is not known/);
});

test('keys that exclude each other, or miss one another', () => {
  const check = (texts: Readonly<Record<string, string>>): string => {
    const problems = hdfsSink.check?.(valuesOf(hdfsSink, { 'hdfs.path': '/x', ...texts })) ?? [];
    return problems.map(({ key, message }) => `${key} ${message}`).join();
  };
  assert.equal(check({}), '');
  assert.equal(check({ 'hdfs.fileType': 'CompressedStream', 'hdfs.codeC': 'gzip' }), '');
  assert.match(check({ 'hdfs.fileType': 'CompressedStream' }), /hdfs.codeC is missing/);
  assert.match(check({ 'hdfs.fileType': 'DataStream', 'hdfs.codeC': 'gzip' }), /hdfs.codeC compresses nothing/);
  assert.match(check({ 'hdfs.roundUnit': 'hour', 'hdfs.roundValue': '25' }), /at most 24/);
  assert.match(check({ 'hdfs.inUsePrefix': 'a/b' }), /hdfs.inUsePrefix is part of a name/);
});

test('a note that is none of a file reads as none', () => {
  const named = { bucket: '/a/b', suffix: '', temporary: 'file:///a/b.1.tmp', final: 'file:///a/b.1' };
  const written = { fileId: '1', lengthBytes: 2, events: 3, bodyBytes: 4 };
  const notes = [
    { state: 'begun', ...named },
    { state: 'suspended', ...named, ...written, continuation: '', style: 's', begunAtMs: 5 },
    { state: 'suspended', ...named, ...written, continuation: '', style: 's', begunAtMs: 5, former: ['file:///b'] },
    { state: 'prepared', ...named, ...written, preparedEvents: 1 },
  ] as const;
  for (const note of notes) {
    assert.deepEqual(fileNoteOf(noteValueOf(note)), note);
    for (const key of Object.keys(note)) {
      const broken: Record<string, NoteValue> = { ...note, [key]: -1.5 };
      if (key === 'begunAtMs') broken[key] = 'soon';
      assert.equal(fileNoteOf(broken), undefined, `${note.state} ${key}`);
    }
  }
  for (const value of [undefined, null, 1, [], {}]) assert.equal(fileNoteOf(value), undefined);
});

test('so many jobs run at a time, also where some fail', async () => {
  const limit = new Limit(3);
  let running = 0;
  let most = 0;
  const job = async (number: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (number % 4 === 0) throw new Error('a job');
    return number;
  };
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => limit.run(() => job(number))));
  assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 15);
  assert.equal(most, 3);
});
