/**
 * `npm run bench:guard`: has the channel become slower? Rates say little on another day or machine; the share of what
 * the disk does by itself, measured in the same run, says more. Each is compared with the one last recorded.
 *
 *     tsx tools/bench-guard.ts [--dir DIR] [--rounds N] [--record]
 *
 * Needs `npm run build`. What is too low is measured twice more, for a bad minute is no regression. `--record` writes
 * what was measured over tools/bench-guard.json. Exits 1 where a share fell by more than a quarter.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fallen, type Share, sharesOf } from './bench-guard/shares.ts';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const recordPath = join(root, 'tools/bench-guard.json');
const command = join(root, 'dist/cli/main.js');
const triesMax = 3;

/** What was measured, and on what. */
interface GuardRecord {
  readonly at: string;
  readonly node: string;
  readonly cpu: string;
  readonly fileSystem: string | undefined;
  readonly rounds: number;
  readonly shares: readonly Share[];
}

/** The document of `bench channel`, as far as it is used. */
interface BenchDocument {
  readonly at: string;
  readonly machine: { readonly node: string; readonly cpu: string };
  readonly ground: { readonly fileSystem?: string };
  readonly rows: Parameters<typeof sharesOf>[0];
}

function measure(directory: string, rounds: number): BenchDocument {
  const args = [
    command,
    'bench',
    'channel',
    directory,
    '--work',
    'put,take,both',
    '--rounds',
    String(rounds),
    '--json',
  ];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(100 * share).toFixed(0)} %`;
}

function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: 'string', default: join(root, '.bench-data') },
      rounds: { type: 'string', default: '5' },
      record: { type: 'boolean', default: false },
    },
  });
  if (!existsSync(command)) {
    console.error(`${command} is missing: npm run build`);
    return 64;
  }
  mkdirSync(values.dir, { recursive: true });
  const rounds = Number(values.rounds);
  const recorded: GuardRecord | undefined = existsSync(recordPath)
    ? JSON.parse(readFileSync(recordPath, 'utf8'))
    : undefined;
  let best: readonly Share[] = [];
  let slow: readonly Share[] = [];
  for (let tries = 1; tries <= triesMax; tries++) {
    const { at, machine, ground, rows } = measure(values.dir, rounds);
    best = sharesOf(rows, best);
    const { node, cpu } = machine;
    if (values.record || recorded === undefined) {
      const record: GuardRecord = { at, node, cpu, fileSystem: ground.fileSystem, rounds, shares: best };
      writeFileSync(recordPath, `${JSON.stringify(record, null, 2)}\n`);
      for (const { name, share } of best) console.log(`${name}: ${percent(share)} of the disk's own rate, recorded`);
      return 0;
    }
    slow = fallen(best, recorded.shares);
    if (slow.length === 0) break;
    console.log(`too low, try ${tries} of ${triesMax}: ${slow.map(({ name }) => name).join(', ')}`);
  }
  for (const { name, share } of best) {
    const before = recorded?.shares.find((one) => one.name === name)?.share;
    const verdict = slow.some((one) => one.name === name) ? 'SLOWER' : 'ok';
    console.log(`${name}: ${percent(share)} of the disk's own rate, recorded ${percent(before)}: ${verdict}`);
  }
  return slow.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
