/** Access logs as web servers write them: lines of 499 bytes and a newline, no two the same. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../support/seeded-random.ts';

const lineBytes = 500;
const linesPerWrite = 2000;
const paths = [
  '/',
  '/index.html',
  '/api/v1/users/',
  '/api/v1/orders/',
  '/static/js/app.js?v=',
  '/login?next=',
  '/q?s=',
];
const browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** What to write. */
export interface LogOptions {
  readonly files: number;
  readonly linesPerFile: number;
  readonly seed: number;
  /** Lines begin with `host-0 ` … one after the other, so many hosts; without, with an address. */
  readonly hosts?: number;
}

/** Writes `access-0.log` … into `directory`. */
export function writeAccessLogs(directory: string, { files, linesPerFile, seed, hosts }: LogOptions): void {
  const random = new SeededRandom(seed);
  // One filler for all, each line with another piece of it: real logs repeat themselves too.
  const filler = Array.from({ length: 4000 }, () => random.below(36).toString(36)).join('');
  for (let file = 0; file < files; file += 1) {
    const handle = openSync(join(directory, `access-${file}.log`), 'wx');
    for (let at = 0; at < linesPerFile; at += linesPerWrite) {
      const count = Math.min(linesPerWrite, linesPerFile - at);
      const lines = Array.from({ length: count }, (_, index) => {
        const id = file * linesPerFile + at + index;
        const origin = hosts === undefined ? `10.${random.below(256)}.${random.below(256)}.7` : `host-${id % hosts}`;
        return line(id, origin, random, filler);
      });
      writeSync(handle, `${lines.join('\n')}\n`);
    }
    closeSync(handle);
  }
}

function line(id: number, origin: string, random: SeededRandom, filler: string): string {
  const minute = String(Math.floor(id / 60) % 60).padStart(2, '0');
  const target = `${random.pick(paths)}${random.below(1_000_000)}`;
  const status = random.chance(0.9) ? 200 : 404;
  const text =
    `${origin} - user${random.below(100_000)} [22/Nov/2026:10:${minute}:00 +0000] "GET ${target} HTTP/1.1" ` +
    `${status} ${random.below(100_000)} "https://example.com/${random.below(1_000_000_000)}" "${browser}" ` +
    `rid=${String(id).padStart(9, '0')} trace=`;
  const from = random.below(filler.length - lineBytes);
  return text + filler.slice(from, from + lineBytes - 1 - text.length);
}
