/**
 * Builds what is measured, and says how each of it is started. Everything that is not forebay's is downloaded, in the
 * versions that the files beside this one name, by its own tool (npm, go, Maven) into .bench-data/peers.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buildFlume, flumeProgram } from '../flume-channel/flume-jvm.ts';
import { buildJavaServer, sharedSources } from '../jvm/build.ts';
import type { Contender, ContenderName } from './contenders.ts';
import type { LineProgram } from './line-process.ts';

/** How one is started, and what it is. */
export interface Program extends LineProgram {
  readonly version: string;
}

/** What Chronicle Queue wants of a JVM of 17 and later, and no report to its makers. */
const chronicleOptions: readonly string[] = [
  ...['jdk.internal.ref', 'sun.nio.ch'].map((name) => `--add-exports=java.base/${name}=ALL-UNNAMED`),
  '--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED',
  '--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED',
  '--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED',
  ...['java.lang', 'java.lang.reflect', 'java.io', 'java.util', 'sun.nio.ch', 'java.nio'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
  '-Dchronicle.analytics.disable=true',
  '-Xmx2g',
];

const bench = '.bench-data/peers';
const here = 'tools/peers';

/** The builder for one repository. */
export class Programs {
  readonly #root: string;
  /** Of this process alone: another run must not change what this one measures. */
  readonly #build: string = `build-${process.pid}`;
  readonly #warn: (line: string) => void;

  /** `root`: the repository's top folder. `warn` is told what is not as it should be. */
  constructor(root: string, warn: (line: string) => void) {
    this.#root = root;
    this.#warn = warn;
  }

  /** Compiles forebay and the drivers that run in Node. @throws {Error} With what the compiler says. */
  compile(): void {
    mkdirSync(this.#path(bench), { recursive: true });
    for (const name of readdirSync(this.#path(bench))) {
      const pid = /^build-(\d+)$/.exec(name)?.[1];
      if (pid === undefined || (pid !== `${process.pid}` && existsSync(`/proc/${pid}`))) continue;
      rmSync(this.#path(bench, name), { recursive: true, force: true });
    }
    const project = this.#path(here, 'tsconfig.json');
    this.#run(this.#path('node_modules/.bin/tsc'), ['-p', project, '--outDir', this.#path(bench, this.#build)]);
  }

  /** Removes what was compiled. */
  close(): void {
    rmSync(this.#path(bench, this.#build), { recursive: true, force: true });
  }

  /** Of everything that drives: results of other drivers are not to be mixed with those of these. */
  harness(): string {
    const folders = [this.#path(bench, this.#build, 'tools'), this.#path(here, 'go'), this.#path(here, 'chronicle')];
    const flume = this.#path('tools/flume-channel/FlumeChannelServer.java');
    return hashOf([...folders.flatMap(filesBelow), flume, ...sharedSources(this.#root)]);
  }

  /** Builds what `contender` needs. After `compile`. @throws {Error} Where it cannot be built; the message says why. */
  prepare({ name, title }: Contender): Program {
    return { name: title, ...this.#programs[name]() };
  }

  readonly #programs: { readonly [name in ContenderName]: () => Omit<Program, 'name'> } = {
    forebay: () => this.#driver('forebay', `${this.#versionIn('package.json')} (code ${this.#codeHash()})`),
    flume: () => ({ ...flumeProgram(buildFlume()), version: this.#pomVersion('tools/flume-channel', 'flume') }),
    lmdb: () => this.#driver('lmdb', `lmdb ${this.#versionIn('node_modules/lmdb/package.json')}`),
    sqlite: () => this.#sqlite(),
    'raft-wal': () => this.#go('raft-wal', 'hashicorp/raft-wal'),
    'tidwall-wal': () => this.#go('tidwall-wal', 'tidwall/wal'),
    nats: () => this.#go('nats', 'nats-io/nats-server/v2'),
    diskqueue: () => this.#go('diskqueue', 'nsqio/go-diskqueue'),
    chronicle: () => {
      const server = 'ChronicleQueueServer';
      const classPath = buildJavaServer(join(here, 'chronicle'), join(bench, 'chronicle'), server);
      const args = [...chronicleOptions, '-cp', classPath, server];
      return { command: 'java', args, version: this.#pomVersion(join(here, 'chronicle'), 'chronicle') };
    },
  };

  #driver(name: string, version: string, args: readonly string[] = []): Omit<Program, 'name'> {
    const script = this.#path(bench, this.#build, 'tools/peers/drivers', `${name}.js`);
    return { command: process.execPath, args: [script, ...args], version };
  }

  /** One installation for each ABI of Node: better-sqlite3 is compiled for one. */
  #sqlite(): Omit<Program, 'name'> {
    const modules = this.#path(bench, `node-${process.versions.modules}`);
    try {
      this.#install(modules);
    } catch (error) {
      this.#warn(`better-sqlite3 is not installed: ${messageOf(error)}`);
    }
    const { command, args } = this.#driver('sqlite', '', [modules]);
    const version = this.#run(command, [...args, '--version']).trim();
    if (!version.startsWith('better-sqlite3')) {
      this.#warn(`better-sqlite3 is not there or does not load in this Node: ${version} in its place`);
    }
    return { command, args, version };
  }

  #install(modules: string): void {
    const asked = hashOf([this.#path(here, 'node/package-lock.json')]);
    const note = join(modules, 'installed');
    if (existsSync(note) && readFileSync(note, 'utf8') === asked) return;
    mkdirSync(modules, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) {
      copyFileSync(this.#path(here, 'node', name), join(modules, name));
    }
    // npm's own Node has to be the one that will load what it compiles.
    const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
    this.#run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: modules, env: { ...process.env, PATH: path } });
    writeFileSync(note, asked);
  }

  #go(backend: string, module: string): Omit<Program, 'name'> {
    const folder = this.#path(here, 'go');
    const command = this.#path(bench, 'go/peer');
    this.#run('go', ['build', '-o', command, '.'], { cwd: folder });
    const line = new RegExp(`github\\.com/${module} v(\\S+)`).exec(readFileSync(join(folder, 'go.mod'), 'utf8'));
    return { command, args: [backend], version: line?.[1] ?? 'unknown' };
  }

  #pomVersion(folder: string, property: string): string {
    const pom = readFileSync(this.#path(folder, 'pom.xml'), 'utf8');
    return new RegExp(`<${property}\\.version>([^<]+)<`).exec(pom)?.[1] ?? 'unknown';
  }

  #versionIn(path: string): string {
    const { version } = JSON.parse(readFileSync(this.#path(path), 'utf8')) as { version: string };
    return version;
  }

  #codeHash(): string {
    return hashOf(filesBelow(this.#path(bench, this.#build, 'src')));
  }

  #path(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }

  #run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
    } catch (error) {
      const said = error as { stdout?: string; stderr?: string };
      throw new Error([messageOf(error), said.stdout, said.stderr].filter(Boolean).join('\n').slice(0, 2000));
    }
  }
}

/** The first line says which command. */
function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Of the contents, in the order of the names. */
function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}
