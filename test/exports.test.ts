/** The package as others see it: every entry leads somewhere, and importing it loads no native add-on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from './support/source.ts';

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The file that `target` is built from (the build maps src/ to dist/ one to one), or itself. */
function sourceOf(target: string): string {
  return target.replace(/^\.\/dist\/(.*?)(?:\.d\.ts|\.js)$/, './src/$1.ts');
}

/** Counts what process.dlopen loads while `code` runs in a process of its own: every native add-on passes there. */
function countAddOns(code: string): number {
  const program = `
    let count = 0;
    const load = process.dlopen;
    process.dlopen = (...args) => { count += 1; return load.apply(process, args); };
    ${code}
    process.stdout.write('add-ons: ' + count);
  `;
  const args = ['--import=tsx', '--input-type=module', '--eval', program];
  const child = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  const count = /add-ons: (\d+)$/.exec(child.stdout)?.[1];
  assert.ok(count !== undefined && child.status === 0, `exit ${child.status}: ${child.stderr}`);
  return Number(count);
}

test('every entry of exports and bin has its source', () => {
  const conditions = Object.values(manifest.exports).map((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const targets = [...conditions.flat(), ...Object.values(manifest.bin)];
  assert.ok(targets.length >= 4, `${targets.length} targets`);
  assert.deepEqual(
    targets.filter((target) => !existsSync(join(root, sourceOf(target)))),
    [],
  );
  assert.equal(existsSync(join(root, sourceOf('./dist/no-such-entry.js'))), false);
});

test('importing forebay loads no native add-on', () => {
  assert.equal(
    countAddOns("const door = await import('./src/index.ts'); if (!('ForebayError' in door)) throw door;"),
    0,
  );
});

test('a native add-on would be counted', () => {
  assert.ok(countAddOns("await import('lmdb');") > 0);
  assert.ok(countAddOns("await import('fs-native-extensions');") > 0);
});

test('the msgpackr entries in use load no native add-on', () => {
  assert.equal(countAddOns("await import('msgpackr/pack'); await import('msgpackr/unpack');"), 0);
});
