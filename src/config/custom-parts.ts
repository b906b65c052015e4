/** Parts of an operator's own: a `type` that is the path of a module or the name of a package. docs/custom-parts.md. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What a module exports by default, or what is wrong with it. */
export type CustomPart = { readonly definition: unknown } | { readonly problem: string };

/**
 * Loads the module that `type` names; undefined where it names none. A path (`./my-sink.mjs`) is relative to the
 * configuration; a package is looked up from there, then from forebay.
 */
export async function loadCustomPart(type: string, file: string): Promise<CustomPart | undefined> {
  const path = modulePath(type, resolve(file));
  if (path === undefined) return undefined;
  if (!existsSync(path)) return { problem: `there is no module ${path}` };
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = /Cannot find package 'forebay'/.test(message) ? '; `npm install forebay` beside it' : '';
    return { problem: `module ${path} cannot be loaded: ${message}${hint}` };
  }
  const problem = definitionProblem(loaded.default);
  return problem === undefined ? { definition: loaded.default } : { problem: `module ${path} ${problem}` };
}

function modulePath(type: string, file: string): string | undefined {
  if (type.startsWith('file:')) return pathOfUrl(type);
  if (/^(?:\.{0,2}\/)/.test(type)) return resolve(dirname(file), type);
  if (!/^(?:@[\w.-]+\/)?[\w.-]+(?:\/[\w./-]+)?$/.test(type)) return undefined;
  for (const from of [file, fileURLToPath(import.meta.url)]) {
    const require = createRequire(from);
    try {
      const found = require.resolve(type);
      // A built-in module has no path, and is no part.
      if (found.startsWith('/')) return found;
    } catch {
      const entry = importEntry(type, require.resolve.paths(type) ?? []);
      if (entry !== undefined) return entry;
    }
  }
  return undefined;
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** The module of a package that has one for `import` only, which `require.resolve` does not give. */
function importEntry(name: string, folders: readonly string[]): string | undefined {
  const folder = folders.map((one) => join(one, name)).find((one) => existsSync(join(one, 'package.json')));
  if (folder === undefined) return undefined;
  let manifest: { exports?: unknown; main?: unknown };
  try {
    manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
  const entry = importTarget(manifest.exports) ?? manifest.main;
  return typeof entry === 'string' ? join(folder, entry) : undefined;
}

/** What `exports` says for `import` of the package itself. */
function importTarget(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported;
  if (typeof exported !== 'object' || exported === null) return undefined;
  const conditions = exported as Readonly<Record<string, unknown>>;
  for (const name of ['.', 'node', 'import', 'default']) {
    const target = importTarget(conditions[name]);
    if (target !== undefined) return target;
  }
  return undefined;
}

function definitionProblem(exported: unknown): string | undefined {
  if (typeof exported !== 'object' || exported === null) return 'has no default export that is a definition';
  const { types, keys, create } = exported as Readonly<Record<string, unknown>>;
  const isNamed = Array.isArray(types) && types.length > 0 && types.every((one) => typeof one === 'string');
  if (!isNamed) return "exports a definition whose 'types' are not a list of names";
  const isKey = (key: unknown) => typeof key === 'object' && key !== null && 'type' in key && 'standing' in key;
  const hasKeys = typeof keys === 'object' && keys !== null && Object.values(keys).every(isKey);
  if (!hasKeys) return "exports a definition whose 'keys' are not made with optional, unset, required and prefixed";
  return typeof create === 'function' ? undefined : "exports a definition without the function 'create'";
}
