/**
 * The one quality command, `npm run check`: format and lint, types, the rules, unused code, the build and the
 * package's shape; under 60 s. Stops at the first red. Each step must also have seen files: a tool that looks
 * at nothing reports green (dependency-cruiser under TypeScript 7 did).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const dist = join(root, 'dist');
/** A step that takes longer hangs. */
const stepTimeoutMs = 120_000;

interface Step {
  readonly name: string;
  /** Program and arguments; a bare name is one of node_modules/.bin. */
  readonly command: readonly [string, ...string[]];
  /** From the output of a green run, how much was looked at; fewer than `seenMin` is red. */
  readonly seen: (output: string) => number;
  readonly seenMin: number;
  readonly what: string;
  /** Done first. */
  readonly prepare?: () => void;
  /** Checked after a green run: what is wrong all the same. */
  readonly verify?: () => string | undefined;
}

function filesBelow(folder: string, suffix: string): string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries.filter((name) => name.endsWith(suffix)).sort();
}

function firstNumber(pattern: RegExp): (output: string) => number {
  return (output) => Number(pattern.exec(output)?.[1] ?? 0);
}

const isListedFile = (line: string): boolean => line.startsWith(root) && !line.includes('(');

/** Every source has its code, types and map, and the command starts. A declaration of a foreign module has none. */
function verifyBuild(): string | undefined {
  const sources = filesBelow(join(root, 'src'), '.ts').filter((name) => !name.endsWith('.d.ts'));
  const names = sources.map((name) => name.slice(0, -'.ts'.length));
  const expected = names.flatMap((name) => [`${name}.js`, `${name}.d.ts`, `${name}.js.map`]);
  const missing = expected.filter((name) => !existsSync(join(dist, name)));
  if (missing.length > 0) return `dist/ lacks ${missing.join(', ')}`;
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { stdout, stderr } = spawnSync(process.execPath, [join(dist, 'cli/main.js'), '--version'], {
    encoding: 'utf8',
  });
  return stdout === `${manifest.version}\n` ? undefined : `dist/cli/main.js --version says: ${stdout}${stderr}`;
}

const steps: readonly Step[] = [
  {
    name: 'format and lint',
    command: ['biome', 'check', '--error-on-warnings'],
    seen: firstNumber(/Checked (\d+) files/),
    seenMin: 20,
    what: 'files',
  },
  {
    name: 'types',
    command: ['tsc', '-p', 'tsconfig.json', '--listFiles'],
    seen: (output) => output.split('\n').filter((line) => isListedFile(line) && !line.includes('node_modules')).length,
    seenMin: 20,
    what: 'files',
  },
  {
    name: 'rooms, tidiness, exports',
    command: [
      process.execPath,
      '--import=tsx',
      'tools/test.ts',
      'test/rooms.test.ts',
      'test/tidy.test.ts',
      'test/exports.test.ts',
    ],
    seen: firstNumber(/^(\d+) passed/m),
    seenMin: 15,
    what: 'tests',
  },
  {
    name: 'unused code and dependencies',
    command: ['knip', '--no-config-hints', '--reporter', 'symbols', '--reporter', './tools/knip-seen.ts'],
    seen: firstNumber(/knip saw (\d+) files/),
    seenMin: 20,
    what: 'files',
  },
  {
    name: 'build',
    command: ['tsc', '-p', 'tools/tsconfig.build.json'],
    seen: () => filesBelow(dist, '.js').length,
    seenMin: 12,
    what: 'modules',
    prepare: () => rmSync(dist, { recursive: true, force: true }),
    verify: verifyBuild,
  },
  {
    name: 'package (publint)',
    command: ['publint', '--strict'],
    seen: (output) => (output.includes('All good!') ? 1 : 0),
    seenMin: 1,
    what: 'package',
  },
  {
    name: 'types of the package (attw)',
    command: ['attw', '--pack', '.', '--profile', 'esm-only', '--format', 'table', '--no-color', '--no-emoji'],
    seen: (output) => new Set(output.match(/"forebay[^"]*"/g)).size,
    seenMin: 2,
    what: 'entry points',
  },
];

/** Runs one step; undefined where it is green, else why not. Prints a red one's output. */
function runStep(step: Step): string | undefined {
  step.prepare?.();
  const [program, ...args] = step.command;
  const path = program.includes('/') ? program : join(root, 'node_modules/.bin', program);
  const started = performance.now();
  const child = spawnSync(path, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: stepTimeoutMs,
    maxBuffer: 1 << 26,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const output = `${child.stdout ?? ''}${child.stderr ?? ''}`;
  if (child.error !== undefined || child.status !== 0) {
    const lines = output.split('\n').filter((line) => !isListedFile(line));
    console.log(lines.join('\n'));
    return child.error?.message ?? `exit ${child.status ?? child.signal}`;
  }
  const seen = step.seen(output);
  if (seen < step.seenMin) return `saw ${seen} ${step.what}, fewer than ${step.seenMin}`;
  const wrong = step.verify?.();
  if (wrong !== undefined) return wrong;
  console.log(`ok  ${step.name}: ${seen} ${step.what}, ${Math.round(performance.now() - started)} ms`);
  return undefined;
}

function main(): number {
  const started = performance.now();
  for (const step of steps) {
    const wrong = runStep(step);
    if (wrong !== undefined) {
      console.log(`check: RED at ${step.name}: ${wrong}`);
      return 1;
    }
  }
  console.log(`check: ${steps.length} steps green in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

process.exitCode = main();
