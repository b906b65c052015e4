/**
 * First import of every benchmark: no native add-on can be loaded behind it. What is measured here is what the
 * engine does in JavaScript and through Node's own bindings, and it must not come to depend on more.
 *
 * A throw alone could be caught by a package that has a fallback, so attempts are kept as well; and what is mapped
 * into the process is looked at, which no package can get around.
 */
import { readFileSync } from 'node:fs';

const attempts: string[] = [];

process.dlopen = (_module: object, filename: string): never => {
  attempts.push(filename);
  throw new Error(`native add-on refused by the benchmark's guard: ${filename}`);
};

/** Native add-ons that were asked for and refused, and those that are in this process all the same. */
export function nativeAddons(): readonly string[] {
  return [...attempts, ...mappedAddons()];
}

/** Add-ons mapped into this process, by path; nothing where the system does not tell. */
function mappedAddons(): string[] {
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return [];
  }
  const paths = maps.split('\n').flatMap((line) => /\S+\.node$/.exec(line)?.[0] ?? []);
  return [...new Set(paths)];
}
