/** The package as npm would install it, beside copies of the examples: built from the source as it stands. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/source.ts';

/** What came of the compiler. */
interface Compiled {
  readonly status: number | null;
  readonly output: string;
}

function tsc(directory: string, ...args: readonly string[]): Compiled {
  const compiler = join(root, 'node_modules/.bin/tsc');
  const { status, stdout, stderr } = spawnSync(compiler, args, { cwd: directory, encoding: 'utf8', timeout: 120_000 });
  return { status, output: `${stdout}${stderr}` };
}

/** Puts `node_modules/forebay` and the files of `examples` into `directory`. Throws where it cannot be built. */
export function installExamples(directory: string, examples: string): void {
  const installed = join(directory, 'node_modules/forebay');
  mkdirSync(installed, { recursive: true });
  const { status, output } = tsc(root, '-p', 'tools/tsconfig.build.json', '--outDir', join(installed, 'dist'));
  if (status !== 0) throw new Error(output);
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  // Its dependencies.
  symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
  cpSync(join(root, examples), directory, { recursive: true });
}

/** Checks modules in JavaScript by their JSDoc types, as strictly as there is. */
export function checkTypes(directory: string, files: readonly string[]): Compiled {
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--noEmit'];
  const modules = ['--allowJs', '--checkJs', '--module', 'nodenext', '--target', 'es2023'];
  // Of the package's own declarations only what is used of them.
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck'];
  return tsc(directory, ...strict, ...modules, ...types, ...files);
}
