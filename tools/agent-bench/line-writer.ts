/**
 * The process that writes the tailed file: lines that carry their number and the time at which they were written, at an
 * even rate.
 *
 *     tsx tools/agent-bench/line-writer.ts FILE LINES LINES_PER_SECOND
 *
 * The clock is the system's monotonic one, which is the same in all processes.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineOf } from './stamped-line.ts';

async function main(path: string, lines: number, linesPerSecond: number): Promise<void> {
  const file = openSync(path, 'a');
  const startMs = performance.now();
  for (let number = 0; number < lines; ) {
    const dueMs = performance.now() - startMs;
    // Each in a write of its own, also where the timer was late.
    for (; number < lines && (number * 1000) / linesPerSecond <= dueMs; number += 1) {
      writeSync(file, lineOf(number, process.hrtime.bigint()));
    }
    await sleep(1);
  }
  closeSync(file);
}

const [path = '', lines = '', linesPerSecond = ''] = process.argv.slice(2);
await main(path, Number(lines), Number(linesPerSecond));
