/** Lines over the limit, a file that grows between two reads, and the end of a file. */
import assert from 'node:assert/strict';
import { appendFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { LineReader } from '../../../../src/adapters/sources/taildir/line-reader.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const everywhere = Number.POSITIVE_INFINITY;

test('a line over the limit becomes several, and a growing one is held', async (t) => {
  const path = join(await tempDir(t), 'a');
  await writeFile(path, 'abcdefgh\nxy\nlong');
  const handle = await open(path, 'r');
  t.after(() => handle.close());
  const reader = new LineReader(handle, 0, 5);
  const read = async (withRest: boolean) =>
    (await reader.read(100, everywhere, 16, withRest)).map(({ body, offset }) => `${offset} ${body}`);
  assert.deepEqual(await read(false), ['0 abcde', '5 fgh', '9 xy']);
  assert.equal(reader.cutLines, 1);
  assert.deepEqual([reader.position, reader.readTo], [12, 16]);
  await appendFile(path, 'e\nend');
  assert.deepEqual(await read(false), ['12 longe']);
  assert.deepEqual(await read(true), ['18 end']);
  assert.deepEqual(await read(true), []);
  assert.equal(reader.position, 21);
});

test('what was handed out stays unchanged while the reader goes on', async (t) => {
  const path = join(await tempDir(t), 'a');
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'y'.repeat(index % 97)}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  const handle = await open(path, 'r');
  t.after(() => handle.close());
  const reader = new LineReader(handle, 0);
  const bodies: Buffer[] = [];
  for (;;) {
    const some = await reader.read(7, everywhere, 10, false);
    if (some.length === 0) break;
    bodies.push(...some.map(({ body }) => body));
  }
  assert.deepEqual(bodies.map(String), lines);
});
