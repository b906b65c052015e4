/** Apache Flume's file channel in a JVM of its own: built once, then told what to do line by line. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const serverName = 'FlumeChannelServer';
const mavenGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';
/** Enough for a million events waiting; the same as in the figures that the targets come from. */
const heap: readonly string[] = ['-Xms2g', '-Xmx4g'];
const errorLinesMax = 20;

/** What a JVM is started with. */
export interface FlumeBuild {
  readonly classPath: string;
}

/** Downloads what Maven does not have yet and compiles; nothing where that was done before. */
export function buildFlume(): FlumeBuild {
  const root = repositoryRoot();
  const source = join(root, `tools/flume-channel/${serverName}.java`);
  const target = join(root, '.bench-data/flume-channel');
  const paths = join(target, 'classpath.txt');
  const classes = join(target, 'classes');
  mkdirSync(classes, { recursive: true });
  if (!existsSync(paths)) {
    const pom = join(root, 'tools/flume-channel/pom.xml');
    const options = [`-Dbench.target=${target}`, `-Dmdep.outputFile=${paths}`];
    execFileSync('mvn', ['-q', '-B', '-f', pom, mavenGoal, ...options], { stdio: ['ignore', 2, 2] });
  }
  const libraries = readFileSync(paths, 'utf8').trim();
  const built = join(classes, `${serverName}.class`);
  if (!existsSync(built) || statSync(built).mtimeMs < statSync(source).mtimeMs) {
    execFileSync('javac', ['-cp', libraries, '-d', classes, source], { stdio: ['ignore', 2, 2] });
  }
  return { classPath: `${classes}:${libraries}` };
}

/** A running server: see FlumeChannelServer.java for its commands. */
export class FlumeJvm {
  readonly #child: ReturnType<typeof spawn>;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<void>;
  readonly #errors: string[] = [];

  constructor({ classPath }: FlumeBuild) {
    const child = spawn('java', [...heap, '-cp', classPath, serverName], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#errors.push(line);
      if (this.#errors.length > errorLinesMax) this.#errors.shift();
    });
  }

  /** Sends one command; resolves to its answer. Commands wait for each other. */
  async ask<Answer>(...words: readonly (string | number)[]): Promise<Answer> {
    this.#child.stdin?.write(`${words.join(' ')}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`Flume ended at '${words.join(' ')}':\n${this.#errors.join('\n')}`);
      // Flume and its libraries write here too.
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}

/** Above this file, whether it runs as it is or compiled. */
function repositoryRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'tools/flume-channel/pom.xml'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('not inside the repository');
    directory = parent;
  }
  return directory;
}
