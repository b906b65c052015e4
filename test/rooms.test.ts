/** The rooms of src/ and who may know whom: imports only go down. Runs first. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import test from 'node:test';
import { codeOf, importsOf, readSources, type SourceFile } from './support/source.ts';

/** Lowest first. A room imports itself and those before it. */
const rooms = [
  'base',
  'event',
  'codec',
  'wal',
  'checkpoint',
  'queue',
  'channel',
  'engine.ts',
  'agent',
  'adapters',
  'config',
  'bench',
  'cli',
  'index.ts',
];
const firstAboveEngine = rooms.indexOf('engine.ts') + 1;
const files = readSources(['src']);

/** `src/wal/segment/frame.ts` → `wal`; `src/engine.ts` → `engine.ts`. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The imported file's path from the top, or undefined for a package or a built-in module. */
function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

function directionProblem(path: string, target: string): string | undefined {
  if (!target.startsWith('src/')) return `imports ${target}, outside src/`;
  const own = rooms.indexOf(roomOf(path));
  const other = rooms.indexOf(roomOf(target));
  if (other < 0) return `imports ${target}, which is in no room`;
  return other > own ? `imports ${target}: ${roomOf(target)} lies above ${roomOf(path)}` : undefined;
}

/** Adapters know the engine's door, the agent's contracts and their own folder. The registry knows the adapters. */
function adapterProblem(path: string, target: string): string | undefined {
  const isRegistry = path === 'src/adapters/registry.ts';
  const isContract = /^src\/agent\/contracts(?:\.ts$|\/)/.test(target);
  // src/adapters/KIND/SYSTEM/, or what of it there is.
  const own = posix.dirname(path).split('/').slice(0, 4).join('/');
  const isOwn = own !== 'src/adapters' && target.startsWith(`${own}/`);
  if (target === 'src/engine.ts' || isContract || isOwn) return undefined;
  if (isRegistry && target.startsWith('src/adapters/')) return undefined;
  return `imports ${target}: an adapter imports engine.ts, the agent's contracts and its own folder`;
}

/** Modules that only some files may name, and why. */
const restrictedModules: { pattern: RegExp; allowed: RegExp; why: string }[] = [
  { pattern: /^lmdb$/, allowed: /^src\/checkpoint\/lmdb[^/]*\.ts$/, why: 'lmdb is named in checkpoint/lmdb*.ts only' },
  { pattern: /^fs-native-extensions$/, allowed: /^src\/base\//, why: 'the lock is behind the disk' },
  { pattern: /^msgpackr$/, allowed: /^$/, why: 'loads a native add-on: import msgpackr/pack or msgpackr/unpack' },
  { pattern: /^commander$/, allowed: /^src\/cli\//, why: 'the command line is cli/' },
];

function moduleProblem(path: string, specifier: string): string | undefined {
  const restricted = restrictedModules.find(({ pattern, allowed }) => pattern.test(specifier) && !allowed.test(path));
  if (restricted !== undefined) return `imports ${specifier}: ${restricted.why}`;
  const isEngine = rooms.indexOf(roomOf(path)) < firstAboveEngine;
  const isFileSystem = /^(?:node:)?fs(?:\/promises)?$/.test(specifier);
  if (isEngine && isFileSystem && !/^src\/base\/disk-node[^/]*\.ts$/.test(path)) {
    return `imports ${specifier}: the engine reaches files through base/disk.ts`;
  }
  return undefined;
}

/** What only the command line may touch. */
const processTokens = [/\bconsole\s*\./, /\bprocess\s*\.\s*argv\b/, /\bprocess\s*\.\s*exit(?:Code)?\b/];

function problemsOf({ path, text }: SourceFile): string[] {
  const room = roomOf(path);
  if (!rooms.includes(room)) return [`${path}: is in no room of src/`];
  const problems = importsOf(text).map(({ specifier }) => {
    const target = targetOf(path, specifier);
    if (target === undefined) return moduleProblem(path, specifier);
    const rule = room === 'adapters' ? adapterProblem(path, target) : undefined;
    return rule ?? directionProblem(path, target);
  });
  const code = codeOf(text);
  if (room !== 'cli') {
    for (const token of processTokens) if (token.test(code)) problems.push(`touches ${token.exec(code)?.[0]}`);
  }
  return problems.flatMap((problem) => (problem === undefined ? [] : [`${path}: ${problem}`]));
}

test('files and imports were seen', () => {
  assert.ok(files.length >= 12, `${files.length} files under src/`);
  const imports = files.flatMap(({ text }) => importsOf(text));
  assert.ok(imports.length >= 10, `${imports.length} imports under src/`);
});

test('rooms import themselves and lower rooms only', () => {
  const problems = files.flatMap(problemsOf);
  if (problems.length > 0) assert.fail(`${problems.length} places:\n${problems.join('\n')}`);
});

test('each rule notices a planted violation', () => {
  const planted: [path: string, text: string, expected: RegExp][] = [
    ['src/base/a.ts', "import { x } from '../wal/frame.ts';", /wal lies above base/],
    ['src/base/a.ts', "import type {\n  X,\n} from '../wal/frame.ts';", /wal lies above base/],
    ['src/codec/a.ts', "export * from '../engine.ts';", /engine\.ts lies above codec/],
    ['src/wal/segment/a.ts', "const x = await import('../../queue/q.ts');", /queue lies above wal/],
    ['src/engine.ts', "export { x } from './agent/run.ts';", /agent lies above engine\.ts/],
    ['src/event/a.ts', "import { x } from '../../test/support/source.ts';", /outside src/],
    ['src/event/a.ts', "import { x } from '../attic/x.ts';", /in no room/],
    ['src/attic/x.ts', '', /in no room/],
    ['src/adapters/sinks/hdfs/a.ts', "import { x } from '../../../base/errors.ts';", /an adapter imports/],
    ['src/adapters/sinks/hdfs/a.ts', "import { x } from '../kafka/x.ts';", /an adapter imports/],
    ['src/adapters/sinks/hdfs/a.ts', "import { x } from '../hdfs-old/x.ts';", /an adapter imports/],
    ['src/adapters/sinks/hdfs/a.ts', "import { x } from '../../../agent/runner.ts';", /an adapter imports/],
    ['src/queue/a.ts', "import { open } from 'lmdb';", /lmdb is named in/],
    ['src/queue/a.ts', "const { open } = await import('lmdb');", /lmdb is named in/],
    ['src/wal/a.ts', "import { readFile } from 'node:fs/promises';", /through base\/disk\.ts/],
    ['src/codec/a.ts', "import { pack } from 'msgpackr';", /native add-on/],
    ['src/channel/a.ts', "console.log('x');", /touches console/],
    ['src/agent/a.ts', 'process.exit(1);', /touches process\.exit/],
    ['src/config/a.ts', 'const name = process.argv[2];', /touches process\.argv/],
  ];
  for (const [path, text, expected] of planted) {
    assert.match(problemsOf({ path, text }).join('\n'), expected, `${path}: ${text}`);
  }
});

test('what the rules allow passes', () => {
  const allowed: [path: string, text: string][] = [
    ['src/wal/segment/a.ts', "import { x } from '../../base/errors.ts';"],
    ['src/wal/a.ts', '// import { x } from \'../channel/x.ts\';\nconst text = "console.log";'],
    ['src/wal/a.ts', "import { pack } from 'msgpackr/pack';"],
    ['src/base/disk-node.ts', "import { open } from 'node:fs';"],
    ['src/base/disk-node-file.ts', "import { open } from 'node:fs';"],
    ['src/checkpoint/lmdb.ts', "const { open } = await import('lmdb');"],
    ['src/adapters/sinks/hdfs/a.ts', "import { x } from './b.ts';\nimport { y } from '../../../engine.ts';"],
    ['src/adapters/sinks/hdfs/a.ts', "import type { Sink } from '../../../agent/contracts.ts';"],
    ['src/adapters/registry.ts', "import { x } from './sinks/hdfs/a.ts';"],
    ['src/cli/main.ts', 'process.exitCode = 64; console.error(process.argv);'],
  ];
  for (const [path, text] of allowed) assert.deepEqual(problemsOf({ path, text }), [], `${path}: ${text}`);
});
