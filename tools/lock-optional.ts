/**
 * Completes package-lock.json after `npm install`: adds each optional platform package that a registry did not
 * have. Without them npm writes a lock that `npm ci` then refuses ("Missing: … from lock file").
 *
 *     tsx tools/lock-optional.ts
 *
 * What such a package is for stands in its name (`…-linux-x64-musl`), so nothing is looked up. Changes nothing
 * where nothing is missing. Also drops `resolved`: the lock names no host.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface LockedPackage {
  version?: string;
  resolved?: string;
  cpu?: string[];
  os?: string[];
  libc?: string[];
  dev?: true;
  optional?: true;
  optionalDependencies?: Record<string, string>;
}

interface Lock {
  packages: Record<string, LockedPackage>;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** `@a/b-linux-arm-musleabihf` → linux, arm, musl. */
function platformOf(name: string): Pick<LockedPackage, 'cpu' | 'libc' | 'os'> {
  const words = name.split(/[/-]/);
  const cpu = processors.filter((word) => words.includes(word));
  const os = systems.filter((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  if (cpu.length !== 1 || os.length !== 1) throw new Error(`cannot tell from its name what ${name} is for`);
  return { cpu, os, ...(libc.length > 0 ? { libc } : {}) };
}

/** The one version that `range` names; platform packages are asked for exactly. */
function versionOf(name: string, range: string): string {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(range)) throw new Error(`${name} is wanted as ${range}, not as one version`);
  return range;
}

/** Where node would find `name` from the package at `from`: nested, beside it, or further up. */
function isLocked(lock: Lock, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]?.version !== undefined) return true;
    if (folder === '') return false;
  }
}

function missingIn(lock: Lock): [path: string, entry: LockedPackage][] {
  return Object.entries(lock.packages).flatMap(([from, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !isLocked(lock, from, name))
      .map(([name, range]): [string, LockedPackage] => {
        const dev = parent.dev === true ? { dev: true as const } : {};
        const entry = { version: versionOf(name, range), ...platformOf(name), ...dev, optional: true as const };
        return [`node_modules/${name}`, entry];
      }),
  );
}

const path = resolve(fileURLToPath(import.meta.url), '../../package-lock.json');
const before = readFileSync(path, 'utf8');
const lock: Lock = JSON.parse(before);
if (Object.keys(lock.packages).length < 2) throw new Error('the lock holds no packages');

const added = missingIn(lock);
for (const [name, entry] of added) lock.packages[name] = entry;
for (const entry of Object.values(lock.packages)) delete entry.resolved;
// npm's own order.
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(sorted);
const after = `${JSON.stringify(lock, null, 2)}\n`;
if (after !== before) writeFileSync(path, after);
for (const [name, { version }] of added) console.log(`added ${name} ${version}`);
console.log(`${added.length} optional packages added`);
