/** Compiles the servers that are written in Java, with the classes beside this file, which they share. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mavenGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';

/** The files that each server is compiled with. `root`: the repository's top folder. */
export function sharedSources(root: string): string[] {
  const folder = join(root, 'tools/jvm');
  const names = readdirSync(folder).filter((name) => name.endsWith('.java'));
  return names.sort().map((name) => join(folder, name));
}

/** The class path of the class `name` in `folder` (with a pom.xml), built below `target`; both in the repository. */
export function buildJavaServer(folder: string, target: string, name: string): string {
  const root = repositoryRoot();
  const sources = [join(root, folder, `${name}.java`), ...sharedSources(root)];
  const classes = join(root, target, 'classes');
  mkdirSync(classes, { recursive: true });
  const libraries = mavenClassPath(join(root, folder, 'pom.xml'), join(root, target));
  const built = join(classes, `${name}.class`);
  const builtMs = existsSync(built) ? statSync(built).mtimeMs : 0;
  if (sources.some((source) => statSync(source).mtimeMs > builtMs)) {
    execFileSync('javac', ['-cp', libraries, '-d', classes, ...sources], { stdio: ['ignore', 2, 2] });
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
