/** Figures as a table to read and as JSON to keep. */
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { groundOf, groundText, machineHere } from '../src/cli/bench/machine.ts';

/** What the figures were measured on and with. */
export interface Provenance {
  readonly at: string;
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Load average of the minute before; over about 0.5 others were at work, and the figures are too low. */
  readonly loadBefore: number;
  /** Of the directory measured in; undefined where nothing was measured on a disk. */
  readonly fileSystem: string | undefined;
  /** `-dirty` where files differ from the commit. */
  readonly commit: string;
  readonly seed: number;
  readonly bodyBytes: number;
  readonly windowMs: number;
}

/** Everything about the process and the machine. */
export function provenance(sizes: {
  seed: number;
  bodyBytes: number;
  windowMs: number;
  directory?: string;
}): Provenance {
  const { seed, bodyBytes, windowMs, directory } = sizes;
  const { loadAverage, ...machine } = machineHere();
  return {
    at: new Date().toISOString(),
    ...machine,
    v8: process.versions.v8,
    loadBefore: loadAverage,
    fileSystem: directory === undefined ? undefined : groundText(groundOf(directory)),
    commit: commit(),
    seed,
    bodyBytes,
    windowMs,
  };
}

function commit(): string {
  try {
    const options = { cwd: dirname(fileURLToPath(import.meta.url)), encoding: 'utf8', stdio: 'pipe' } as const;
    const hash = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], options).trim();
    const changed = execFileSync('git', ['status', '--porcelain', '--untracked-files=no'], options).trim();
    return changed === '' ? hash : `${hash}-dirty`;
  } catch {
    return 'unknown';
  }
}

/** Columns as wide as they need to be; the first one to the left, the others to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [line(heads), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
