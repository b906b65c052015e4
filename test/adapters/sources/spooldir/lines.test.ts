/** What LINE makes of a file's bytes. */
import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { lineKind } from '../../../../src/adapters/sources/spooldir/line-kind.ts';
import { findCharset } from '../../../../src/agent/contracts/java/charset.ts';
import { tempDir } from '../../../support/temp-dir.ts';

interface Options {
  readonly charsMax?: number;
  readonly input?: string;
  readonly output?: string;
  readonly policy?: 'FAIL' | 'REPLACE' | 'IGNORE';
  readonly position?: number;
  readonly events?: number;
}

function charset(name: string) {
  const found = findCharset(name);
  if (found === undefined) throw new Error(`no charset ${name}`);
  return found;
}

/** The bodies, the positions behind the batches, what was said of the file, and the error that ended it. */
async function readLines(t: TestContext, content: Buffer | string, options: Options = {}) {
  const path = join(await tempDir(t), 'file');
  await writeFile(path, content);
  const handle = await open(path, 'r');
  t.after(() => handle.close());
  const { charsMax = 2048, input = 'UTF-8', output = 'UTF-8', policy = 'FAIL', position = 0, events = 100 } = options;
  const kind = lineKind({ charsMax, input: charset(input), output: charset(output), policy });
  const file = { handle, path, sizeBytes: Buffer.byteLength(content), headers: {} };
  const reader = await kind.open(file, position);
  const bodies: Buffer[] = [];
  const ends: number[] = [];
  let error: unknown;
  try {
    const limits = { events, until: Number.POSITIVE_INFINITY };
    for (let batch = await reader.read(limits); batch !== undefined; batch = await reader.read(limits)) {
      bodies.push(...batch.events.map(({ body }) => Buffer.from(body)));
      ends.push(batch.to);
    }
  } catch (caught) {
    error = caught;
  }
  return { bodies, texts: bodies.map(String), ends, notice: reader.notice(), error };
}

test('newlines end lines; carriage returns stay; the last line needs none; positions are byte offsets', async (t) => {
  const content = 'a\r\n\nbé\n\n\nlast';
  const { texts, ends, error } = await readLines(t, content, { events: 1 });
  assert.deepEqual(texts, ['a\r', '', 'bé', '', '', 'last']);
  assert.deepEqual(ends, [3, 4, 8, 9, 10, 14]);
  assert.equal(error, undefined);
  const from = await readLines(t, content, { position: 4 });
  assert.deepEqual(from.texts, ['bé', '', '', 'last']);
  assert.deepEqual((await readLines(t, '\n')).texts, ['']);
});

test('many lines across the edges of chunks', async (t) => {
  const lines = Array.from({ length: 40_000 }, (_, line) => `${line} ${'é'.repeat(line % 120)}`);
  const { texts } = await readLines(t, `${lines.join('\n')}\n`);
  assert.deepEqual(texts, lines);
});

test('a long line is cut as Flume cuts it, and named once', async (t) => {
  const { texts, notice } = await readLines(t, 'abcdefgh\nabcd\nabc\n', { charsMax: 4 });
  // A line of exactly as many leaves its newline for an event of its own.
  assert.deepEqual(texts, ['abcd', 'efgh', '', 'abcd', '', 'abc']);
  assert.match(notice ?? '', /cut 1 times after 4 characters, the first at byte 0/);
  assert.equal((await readLines(t, 'abc\n', { charsMax: 4 })).notice, undefined);
  const pairs = await readLines(t, 'ab😀😀c\n', { charsMax: 3 });
  assert.deepEqual(pairs.texts, ['ab', '😀', '😀c', '']);
  assert.deepEqual((await readLines(t, 'éééé\n', { charsMax: 3, input: 'ISO-8859-1' })).texts.length, 3);
  const gbk = await readLines(t, Buffer.from('c4e3bac3c4e3bac30a41', 'hex'), { charsMax: 3, input: 'GBK' });
  assert.deepEqual(gbk.texts, ['你好你', '好', 'A']);
});

test('a line of 100 MB is one event where it is allowed, and is cut where not', { timeout: 60_000 }, async (t) => {
  const bytes = 100_000_000;
  const content = Buffer.concat([Buffer.alloc(bytes, 'x'), Buffer.from('\nnext')]);
  const whole = await readLines(t, content, { charsMax: 200_000_000 });
  assert.deepEqual(
    whole.bodies.map(({ length }) => length),
    [bytes, 4],
  );
  const cut = await readLines(t, content, { events: 1000 });
  assert.equal(cut.bodies.length, Math.ceil(bytes / 2048) + 1);
  assert.equal(
    cut.bodies.reduce((sum, { length }) => sum + length, 0),
    bytes + 4,
  );
});

test('bytes that are no UTF-8: what is before them comes, then the policy', async (t) => {
  const content = Buffer.concat([Buffer.from('good\nb'), Buffer.from([0xff]), Buffer.from('d\ngood\n')]);
  const failed = await readLines(t, content);
  assert.deepEqual(failed.texts, ['good']);
  assert.match(String(failed.error), /byte 5 of .* is not UTF-8: set inputCharset/);
  assert.deepEqual((await readLines(t, content, { policy: 'REPLACE' })).texts, ['good', 'b\ufffdd', 'good']);
  assert.deepEqual((await readLines(t, content, { policy: 'IGNORE' })).texts, ['good', 'bd', 'good']);
});

test('other charsets in and out', async (t) => {
  const latin = await readLines(t, Buffer.from([0xe9, 0x0a, 0x61]), { input: 'ISO8859_1' });
  assert.deepEqual(latin.texts, ['é', 'a']);
  // U+0A0D and U+0D0A have a byte that looks like a newline.
  const text = 'a\u0a0d\u0d0ab\nc';
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  const big = Buffer.from(little).swap16();
  const lines = ['a\u0a0d\u0d0ab', 'c'];
  assert.deepEqual((await readLines(t, little, { input: 'UTF-16' })).texts, lines);
  assert.deepEqual((await readLines(t, big, { input: 'UTF-16' })).texts, lines);
  assert.deepEqual((await readLines(t, little.subarray(2), { input: 'UTF-16LE' })).texts, lines);
  const written = await readLines(t, 'é\n', { output: 'ISO-8859-1' });
  assert.deepEqual(written.bodies, [Buffer.from([0xe9])]);
  assert.deepEqual((await readLines(t, 'é\n', { output: 'UTF-16' })).bodies, [Buffer.from('feff00e9', 'hex')]);
});
