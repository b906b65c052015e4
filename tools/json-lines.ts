/**
 * Results as they are measured, a line of JSON each, appended and synced: a run that was cut off goes on where it was.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** The whole lines of a file; none where it is not there. A last one that has no end is left out. */
export function wholeLinesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return wholeOf(readFileSync(path, 'utf8')).split('\n').slice(0, -1);
}

/** Cuts off a last line that has no end: it was being written when the run was killed. */
export function cutOffUnfinished(path: string): void {
  if (!existsSync(path)) return;
  const text = readFileSync(path, 'utf8');
  const whole = wholeOf(text);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
}

/** Appends one line; it is on the disk when this returns. */
export function appendLine(path: string, value: object): void {
  const file = openSync(path, 'a');
  try {
    writeSync(file, `${JSON.stringify(value)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function wholeOf(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
