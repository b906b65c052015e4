/** The parts of tools/scale: a cell is measured on a real disk, and a run that was cut off goes on where it was. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cellsOf, dimensions } from '../../tools/scale/cells.ts';
import { measureCell } from '../../tools/scale/measure.ts';
import { appendEntry, type Entry, isDone, readEntries, scaleSvg, scaleTable } from '../../tools/scale/records.ts';
import { tempDir } from '../support/temp-dir.ts';

test('cells reach as far as they are asked to', () => {
  const sizesOf = (dimension: string, large = false): number[] =>
    cellsOf(dimensions, large, false).flatMap((cell) => (cell.dimension === dimension ? cell.size : []));
  assert.deepEqual(sizesOf('backlog'), [1e4, 1e5, 1e6, 1e7]);
  assert.deepEqual(sizesOf('backlog', true).at(-1), 1e8);
  assert.deepEqual([sizesOf('body').at(0), sizesOf('body').at(-1)], [16, 2 ** 20]);
  assert.deepEqual([sizesOf('producers').at(0), sizesOf('producers').at(-1)], [1, 1024]);
  assert.deepEqual(sizesOf('channels'), [1, 2, 4, 8, 16, 32]);
  assert.equal(cellsOf(['body'], false, true).length, 2);
});

test('a cell is measured, and leaves nothing behind', async (t) => {
  const scratch = await tempDir(t);
  const [, two] = cellsOf(['channels'], false, true);
  assert.ok(two?.channels === 2);
  const both = { kind: 'mixed', producers: 1, consumers: 1, batch: 10 } as const;
  const { works, openMs } = await measureCell({ ...two, works: { both }, backlogEvents: 1000 }, scratch, 20, 1);
  assert.ok(openMs > 0);
  const { eventsPerSecond = 0, megabytesPerSecond = 0, p99Ms = 0 } = works['both'] ?? {};
  assert.ok(eventsPerSecond > 0 && p99Ms > 0, `${eventsPerSecond} events/s`);
  assert.ok(Math.abs(megabytesPerSecond / eventsPerSecond - 500e-6) < 1e-9);
  assert.deepEqual(readdirSync(scratch), []);
});

test('what was measured is not measured again, and a line that was cut off is', async (t) => {
  const path = join(await tempDir(t), 'scale.jsonl');
  const [small, larger] = cellsOf(['body'], false, true);
  assert.ok(small !== undefined && larger !== undefined);
  const entry = (repetition: number, eventsPerSecond: number): Entry => ({
    dimension: 'body',
    size: small.size,
    repetition,
    settings: 's',
    works: { put: { eventsPerSecond, megabytesPerSecond: 1, p99Ms: 2 } },
    rssMiB: 100,
    openMs: 5,
  });
  assert.equal(isDone(readEntries(path), small, 1, 's'), false);
  for (const repetition of [1, 2]) appendEntry(path, entry(repetition, 1000 * repetition));
  appendFileSync(path, JSON.stringify(entry(3, 9000)).slice(0, 40));
  assert.equal(isDone(readEntries(path), small, 2, 's'), true);
  assert.equal(isDone(readEntries(path), small, 3, 's'), false, 'cut off');
  assert.equal(isDone(readEntries(path), small, 2, 'other'), false);
  assert.equal(isDone(readEntries(path), larger, 1, 's'), false);
  appendEntry(path, entry(3, 3000));
  const entries = readEntries(path);
  assert.deepEqual(
    entries.map(({ repetition }) => repetition),
    [1, 2, 3],
  );
  assert.match(scaleTable(entries, 'body') ?? '', /^16 +2,000 +1\.00 +2\.00 +5\.00 +100$/m, 'medians');
  assert.equal(scaleTable(entries, 'producers'), undefined);
  assert.match(scaleSvg(entries, 'body', 'here'), /^<svg .*events\/s/s);
});
