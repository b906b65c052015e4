/** The documents that print a list of the code's print it as it is, and lead nowhere that is not there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { errorCodes, isForebayError } from '../src/base/errors.ts';
import { optionNames, resolveOptions } from '../src/channel/options.ts';
import { compatPage } from './support/compat-page.ts';
import { withProtocolTables } from './support/protocol-tables.ts';
import { listPaths, root } from './support/source.ts';

/** The rows of the document's tables whose first cell is a name in backticks: cells, trimmed. */
function rowsOf(path: string): string[][] {
  const rows = readFileSync(join(root, path), 'utf8')
    .split('\n')
    .filter((line) => /^\| `\w+` \|/.test(line));
  return rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

test('docs/errors.md lists every error as the code explains it, in its order', () => {
  const printed = rowsOf('docs/errors.md').map(([code, means]) => [code, means]);
  const known = Object.entries(errorCodes).map(([code, means]) => [`\`${code}\``, means]);
  assert.ok(known.length >= 15);
  assert.deepEqual(printed, known);
});

test('docs/errors.md says what to do about each', () => {
  for (const row of rowsOf('docs/errors.md')) assert.ok(row.length === 3 && (row[2] ?? '').length > 10, row.join());
});

test('docs/flume-compat.md is what the components declare', () => {
  const page = compatPage();
  assert.ok(page.split('\n').length > 150);
  assert.equal(readFileSync(join(root, 'docs/flume-compat.md'), 'utf8'), page, 'npm run docs:update');
});

test('docs/hdfs-exactly-once.md prints the tables that the hdfs sink decides by', () => {
  const page = readFileSync(join(root, 'docs/hdfs-exactly-once.md'), 'utf8');
  assert.equal(page, withProtocolTables(page), 'npm run docs:update');
  assert.ok(page.split('\n').filter((line) => /\*\* \| /.test(line)).length >= 25);
});

test('docs/configuration.md lists every option with its default and what is allowed, in its order', () => {
  const defaults: Readonly<Record<string, unknown>> = { ...resolveOptions({}) };
  const known = optionNames.map((name) => [`\`${name}\``, shown(defaults[name]), allowedFor(name)]);
  assert.ok(known.length >= 15);
  assert.deepEqual(
    rowsOf('docs/configuration.md').map((row) => row.slice(0, 3)),
    known,
  );
});

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? `\`'${value}'\`` : `\`${String(value)}\``;
}

/** What the refusal of a value that no option takes says. */
function allowedFor(name: string): string {
  try {
    resolveOptions({ [name]: null });
  } catch (error) {
    if (isForebayError(error)) return String(error.expected);
  }
  assert.fail(`${name}: null was accepted`);
}

/** As GitHub makes them: lower case, without punctuation, spaces as hyphens. */
function anchorsOf(text: string): Set<string> {
  const headings = text.split('\n').filter((line) => line.startsWith('#'));
  return new Set(
    headings.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('links between documents lead to files and headings that are there', () => {
  const documents = listPaths().filter((path) => path.endsWith('.md'));
  assert.ok(documents.length >= 5, documents.join());
  const broken: string[] = [];
  let count = 0;
  for (const path of documents) {
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      count += 1;
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : join(dirname(path), file);
      const exists = existsSync(join(root, linked));
      const isThere =
        exists && (anchor === undefined || anchorsOf(readFileSync(join(root, linked), 'utf8')).has(anchor));
      if (!isThere) broken.push(`${path}: ${target}`);
    }
  }
  assert.ok(count >= 10, `${count} links`);
  assert.deepEqual(broken, []);
});

test('places in documents that comments name are there', () => {
  const named = listPaths(['src', 'test', 'tools'])
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [...readFileSync(join(root, path), 'utf8').matchAll(/docs\/([\w/-]+\.md)(?:#([\w-]+))?/g)]);
  assert.ok(named.length >= 10, `${named.length} places`);
  const missing = named.filter(([, file = '', anchor]) => {
    const path = join(root, 'docs', file);
    return !existsSync(path) || (anchor !== undefined && !anchorsOf(readFileSync(path, 'utf8')).has(anchor));
  });
  assert.deepEqual([...new Set(missing.map(([place]) => place))], []);
});
