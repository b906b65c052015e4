/** The benchmarks' guard: it bites, and the benchmarks give it nothing to bite. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const guard = JSON.stringify(join(root, 'native-free-bench/guard.ts'));
const addons = ['lmdb', 'fs-native-extensions'];

function run(args: readonly string[]): { status: number | null; output: string } {
  const child = spawnSync(process.execPath, ['--import=tsx', ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status: child.status, output: `${child.stdout}${child.stderr}` };
}

function evaluate(program: string): { status: number | null; output: string } {
  return run(['--input-type=module', '--eval', program]);
}

for (const name of addons) {
  test(`${name} loads without the guard and is refused behind it`, () => {
    const load = `const error = await import(${JSON.stringify(name)}).then(() => undefined, (cause) => cause);`;
    const seen = `const { readFileSync } = await import('node:fs');
      const mapped = /\\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'));
      console.log(JSON.stringify({ error: error && String(error), mapped }));`;
    const free = evaluate(`${load}${seen}`);
    assert.deepEqual(JSON.parse(free.output), { mapped: true }, 'else the rest shows nothing');

    const guarded = evaluate(`const { nativeAddons } = await import(${guard});${load}${seen}
      if (!nativeAddons().some((path) => path.includes(${JSON.stringify(name)}))) throw new Error('not kept');`);
    assert.equal(guarded.status, 0, guarded.output);
    const { error, mapped } = JSON.parse(guarded.output);
    // fs-native-extensions puts its own words around the refusal.
    assert.match(error, /native add-on refused by the benchmark's guard|Cannot load addon/);
    assert.equal(mapped, false);
  });
}

test('an add-on that was loaded before the guard is found', () => {
  const found = evaluate(`await import('lmdb'); const { nativeAddons } = await import(${guard});
    console.log(nativeAddons().join());`);
  assert.match(found.output, /\.node/);
});

test('the whole benchmark, on the memory disk and on a real one, loads no native add-on', async (context) => {
  const directory = await tempDir(context);
  const json = join(directory, 'figures.json');
  const { status, output } = run(['native-free-bench/main.ts', '--quick', '--disk', directory, '--json', json]);
  assert.equal(status, 0, output);
  // This process and its children: two that fill and two that open.
  assert.equal(output.match(/^native add-ons: 0$/gm)?.length, 4, output);
  assert.doesNotMatch(output, /native add-ons: [1-9]/);

  const { made, results } = JSON.parse(readFileSync(json, 'utf8'));
  assert.equal(made.node, process.version);
  const names = results.map((result: { benchmark: string }) => result.benchmark);
  assert.deepEqual(names, ['codec', 'frame-scan', 'group-commit', 'take', 'mixed', 'recovery']);
  const rows = results.flatMap((result: { sections: { rows: unknown[] }[] }) =>
    result.sections.flatMap((one) => one.rows),
  );
  assert.ok(rows.length >= 40, `${rows.length} rows`);
  console.log(
    `shows: native-free benchmark: ${rows.length} rows in ${names.length} benchmarks, native add-ons loaded: 0`,
  );
  assert.ok(existsSync(json));
  assert.deepEqual(readdirSync(directory), ['figures.json'], 'the scratch directory is removed');
});

test('what the benchmark does not know is refused', () => {
  for (const args of [['--only', 'nothing'], ['--no-such'], ['--reps', '0']]) {
    const { status, output } = run(['native-free-bench/main.ts', ...args]);
    assert.equal(status, 64, output);
    assert.match(output, /usage: /);
  }
});
