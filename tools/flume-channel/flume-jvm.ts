/** Apache Flume's file channel in a JVM of its own: built once, then told what to do line by line. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineProcess, type LineProgram } from '../peers/line-process.ts';

const serverName = 'FlumeChannelServer';
const mavenGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';
/** Enough for a million events waiting; the same as in the figures that the targets come from. */
const heap: readonly string[] = ['-Xms2g', '-Xmx4g'];

/** What a JVM is started with. */
export interface FlumeBuild {
  readonly classPath: string;
}

/** Downloads what Maven does not have yet and compiles; nothing where that was done before. */
export function buildFlume(): FlumeBuild {
  return { classPath: buildJavaServer('tools/flume-channel', '.bench-data/flume-channel', serverName) };
}

/** The class path of the class `name` in `folder` (with a pom.xml), built below `target`; both in the repository. */
export function buildJavaServer(folder: string, target: string, name: string): string {
  const root = repositoryRoot();
  const source = join(root, folder, `${name}.java`);
  const classes = join(root, target, 'classes');
  mkdirSync(classes, { recursive: true });
  const libraries = mavenClassPath(join(root, folder, 'pom.xml'), join(root, target));
  const built = join(classes, `${name}.class`);
  if (!existsSync(built) || statSync(built).mtimeMs < statSync(source).mtimeMs) {
    execFileSync('javac', ['-cp', libraries, '-d', classes, source], { stdio: ['ignore', 2, 2] });
  }
  return `${classes}:${libraries}`;
}

/** The class path of what a pom.xml names; Maven is asked where `target` has no answer that is newer than the file. */
export function mavenClassPath(pom: string, target: string): string {
  const paths = join(target, 'classpath.txt');
  if (!existsSync(paths) || statSync(paths).mtimeMs < statSync(pom).mtimeMs) {
    mkdirSync(target, { recursive: true });
    const options = [`-Dbench.target=${target}`, `-Dmdep.outputFile=${paths}`];
    execFileSync('mvn', ['-q', '-B', '-f', pom, mavenGoal, ...options], { stdio: ['ignore', 2, 2] });
  }
  return readFileSync(paths, 'utf8').trim();
}

/** How the server is started: see FlumeChannelServer.java for its commands. */
export function flumeProgram({ classPath }: FlumeBuild): LineProgram {
  return { name: 'Flume', command: 'java', args: [...heap, '-cp', classPath, serverName] };
}

/** A running server. */
export class FlumeJvm extends LineProcess {
  constructor(build: FlumeBuild) {
    super(flumeProgram(build));
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
