/**
 * The test runner behind `npm test`, `npm run test:long` and `npm run test:interop`.
 *
 *     tsx tools/test.ts [--long | --interop] [FILE or DIR …]
 *
 * Tests beside other programs (Flume, Hadoop: test/interop) are a kind of their own: `npm test` needs Node alone.
 * Node 20 has no glob argument and runs 0 tests with exit 0 where a folder holds none, so the files are listed
 * here, and none found is a failure, as is a file that runs no test. Each file is a process of its own, started
 * with this one's loader and this one's Node. Ends with exactly one line `N passed, N failed` (and
 * `, N skipped`); exits 1 on any failure.
 */
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
/** The rules: fast, so they run before the rest. */
const rules = ['test/rooms.test.ts', 'test/tidy.test.ts', 'test/exports.test.ts'];
/** A file that takes longer hangs: the whole of `npm test` is to stay under six minutes. */
const fileTimeoutMs = 180_000;
const longFileTimeoutMs = 1_800_000;
/** Other programs have to start, fail and come back. */
const interopFileTimeoutMs = 900_000;
/** As many files at once as the smallest machine we promise times for has cores. */
const filesAtOnce = 2;
/** Servers and agents beside a test take the other core, and rates are measured there. */
const interopFilesAtOnce = 1;
/** Lines that begin so, on a test's stdout or among its diagnostics, are printed again at the end. */
const showsPrefix = 'shows: ';

type ResultEvent = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

type Kind = 'quick' | 'long' | 'interop';

const fileTimeouts: Readonly<Record<Kind, number>> = {
  quick: fileTimeoutMs,
  long: longFileTimeoutMs,
  interop: interopFileTimeoutMs,
};

function isTest(path: string, kind: Kind): boolean {
  if (!path.endsWith('.test.ts')) return false;
  if (path.startsWith('test/interop/')) return kind === 'interop';
  return kind === (path.endsWith('.long.test.ts') ? 'long' : 'quick');
}

function testsIn(directory: string, kind: Kind): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(root, join(entry.parentPath, entry.name)));
  return paths.filter((path) => isTest(path, kind)).sort();
}

/** Files as named, directories as what they hold of the kind asked for; without arguments all of test/. */
function listFiles(asked: readonly string[], kind: Kind): string[] {
  if (asked.length === 0) return testsIn(join(root, 'test'), kind);
  const listed = asked.flatMap((path) => {
    const full = resolve(path);
    return statSync(full).isDirectory() ? testsIn(full, kind) : [relative(root, full)];
  });
  return [...new Set(listed)];
}

/** What has been seen so far, over all phases. */
class Tally {
  passed = 0;
  skipped = 0;
  readonly problems: string[] = [];
  readonly shown: string[] = [];
  /** Of each file, the end of its stdout that no newline has closed yet. */
  readonly #unfinished = new Map<string, string>();

  add(event: TestEvent): void {
    if (event.type === 'test:pass' || event.type === 'test:fail') this.#addResult(event);
    else if (event.type === 'test:diagnostic') this.#addLine(event.data.message);
    else if (event.type === 'test:stdout') this.#addOutput(event.data.file ?? '', event.data.message);
  }

  end(): void {
    for (const line of this.#unfinished.values()) this.#addLine(line);
    this.#unfinished.clear();
  }

  /** Suites count only where they fail by themselves: a broken hook or body. */
  #addResult(event: ResultEvent): void {
    const { name, details } = event.data;
    const file = relative(root, event.data.file ?? name);
    const error = event.type === 'test:fail' ? (event.data.details.error as { failureType?: string }) : undefined;
    if (details.type === 'suite' && (error === undefined || error.failureType === 'subtestsFailed')) return;
    // Node reports a file as a test of the file's name where it ran none, or ended badly.
    const isFile = resolve(root, name) === resolve(root, file);
    if (error !== undefined) this.problems.push(`failed: ${file}: ${isFile ? 'ended badly or timed out' : name}`);
    else if (event.data.skip !== undefined || event.data.todo !== undefined) this.skipped += 1;
    else if (isFile) this.problems.push(`ran no test: ${file}`);
    else this.passed += 1;
  }

  #addOutput(file: string, text: string): void {
    const lines = ((this.#unfinished.get(file) ?? '') + text).split('\n');
    this.#unfinished.set(file, lines.pop() ?? '');
    for (const line of lines) this.#addLine(line);
  }

  #addLine(line: string): void {
    if (line.trimStart().startsWith(showsPrefix)) this.shown.push(line.trim());
  }
}

/** Runs the files, some at a time, and passes the readable output through. */
async function runFiles(files: readonly string[], kind: Kind, tally: Tally): Promise<void> {
  const stream = run({
    files: files.map((file) => join(root, file)),
    concurrency: Math.min(kind === 'interop' ? interopFilesAtOnce : filesAtOnce, availableParallelism()),
    timeout: fileTimeouts[kind],
  });
  stream.on('data', (event: TestEvent) => tally.add(event));
  const readable = stream.compose(new spec());
  readable.pipe(process.stdout, { end: false });
  await finished(readable);
  tally.end();
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const kind: Kind = args.includes('--long') ? 'long' : args.includes('--interop') ? 'interop' : 'quick';
  const asked = args.filter((arg) => arg !== '--long' && arg !== '--interop');
  const files = listFiles(asked, kind);
  console.log(`Node ${process.version}, ${files.length} test files`);

  const tally = new Tally();
  const phases = [files.filter((file) => rules.includes(file)), files.filter((file) => !rules.includes(file))];
  for (const phase of phases) {
    if (phase.length > 0) await runFiles(phase, kind, tally);
  }
  if (files.length === 0) tally.problems.push('no test files found');
  else if (tally.passed === 0 && tally.problems.length === 0) tally.problems.push('no test ran');

  for (const line of [...tally.shown, ...tally.problems]) console.log(line);
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  console.log(`${tally.passed} passed, ${tally.problems.length} failed${skipped}`);
  return tally.problems.length > 0 ? 1 : 0;
}

process.exitCode = await main();
