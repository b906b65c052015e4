/**
 * Java programs with jars from Maven, for tests: built once for each state of their sources, kept in the user's cache,
 * run with lines in and lines out.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Outside the tree: the jars are large, and the same in every clone. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'forebay-interop');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const buildTimeoutMs = 150_000;
const runTimeoutMs = 60_000;

function isAsked(): boolean {
  return process.env['FOREBAY_INTEROP'] === '1';
}

/** Why Java programs cannot be built here. Undefined where they can, or where FOREBAY_INTEROP=1 asks for them. */
export function javaMissing(): string | undefined {
  if (isAsked()) return undefined;
  const missing = ['java', 'javac', 'mvn'].filter((tool) => spawnSync(tool, ['-version']).error !== undefined);
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}: install a JDK from 17 on, and Maven`;
}

/**
 * Builds the folder's pom.xml and *.java, unless that was done. Resolves to the class path. Where that fails and nobody
 * asked for it, `test` is skipped and there is none.
 */
export async function buildJava(folder: URL, test: TestContext): Promise<string | undefined> {
  try {
    return await buildOnce(folder);
  } catch (error) {
    if (isAsked()) throw error;
    test.skip(`cannot be built; FOREBAY_INTEROP=1 makes that a failure: ${String(error).slice(0, 1000)}`);
    return undefined;
  }
}

async function buildOnce(folder: URL): Promise<string> {
  const source = fileURLToPath(folder);
  const files = (await readdir(source)).sort();
  const digest = createHash('sha256');
  for (const file of files) digest.update(file).update(await readFile(join(source, file)));
  const built = join(cache, digest.digest('hex').slice(0, 16));
  if (!existsSync(built)) await build(source, files, built);
  return `${built}:${join(built, 'lib')}/*`;
}

/** In a directory of its own first: another test may be building the same. */
async function build(source: string, files: readonly string[], built: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'building-'));
  const options = { timeout: buildTimeoutMs };
  try {
    const lib = join(scratch, 'lib');
    const pom = ['-f', join(source, 'pom.xml'), copyDependencies, `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-ntp', ...pom], options).catch((error: Error & { stdout?: string }) => {
      // Maven says what is wrong on its standard output.
      throw new Error(`${error.message}${error.stdout ?? ''}`, { cause: error });
    });
    const classes = files.filter((file) => file.endsWith('.java')).map((file) => join(source, file));
    await run('javac', ['-nowarn', '-cp', `${lib}/*`, '-d', scratch, ...classes], options);
    await rename(scratch, built).catch((error: unknown) => {
      if (!existsSync(built)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Gives `lines` to the program's standard input. @returns the lines that it answers. */
export async function runJava(classPath: string, mainClass: string, lines: readonly string[]): Promise<string[]> {
  const args = ['-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', classPath, mainClass];
  const running = run('java', args, { timeout: runTimeoutMs, maxBuffer: 2 ** 26 });
  running.child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  const { stdout } = await running;
  return stdout.split('\n').slice(0, -1);
}
