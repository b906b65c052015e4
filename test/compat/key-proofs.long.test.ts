/**
 * Each proof of key-proofs.ts proves something: its test passes as it is, and fails when the key that it stands for is
 * ignored. Each run is a process of its own that loads without-key.ts before the test's file.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { root } from '../support/source.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { type KeyProof, keyProofs } from './key-proofs.ts';

const filesAtOnce = 2;
/** Some tests wait for as long as 20 s for what does not come. */
const runMsMax = 60_000;
const reasonMs = 100;

/** Which of the named tests ran and passed or failed; and what was printed. */
interface Outcome {
  readonly passed: ReadonlyMap<string, boolean>;
  readonly output: string;
}

/** Each run has a home directory of its own, where channels without directories are, and makes its others there. */
const homes = await makeTempDir();

/** Runs the tests of those names alone. `ignored`: `source exec command`. */
async function runTests(file: string, names: readonly string[], ignored: string): Promise<Outcome> {
  const patterns = names.map((name) => `--test-name-pattern=^${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`);
  const preload = ['--import', 'tsx', '--import', import.meta.resolve('./without-key.ts')];
  const args = [...preload, '--test-reporter=tap', ...patterns, join('test', file)];
  const home = await mkdtemp(join(homes, 'home-'));
  const own = { HOME: home, FOREBAY_DISK_DIR: home, FOREBAY_TEST_WITHOUT_KEY: ignored };
  const env: NodeJS.ProcessEnv = { ...process.env, ...own };
  // Set by the runner of this very test: a test that finds it reports to that one.
  delete env['NODE_TEST_CONTEXT'];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: runMsMax });
  let output = '';
  let passed: ReadonlyMap<string, boolean> = new Map();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      passed = outcomesIn(output, names);
      // A source that a failed test left running would keep the process for ever. Why it failed is said behind it.
      if (passed.size === names.length) setTimeout(() => child.kill('SIGKILL'), reasonMs).unref();
    });
  }
  await new Promise<void>((resolve, reject) => child.once('close', () => resolve()).once('error', reject));
  return { passed, output };
}

/** As TAP says it; tests that were passed over are not among them. */
function outcomesIn(output: string, names: readonly string[]): Map<string, boolean> {
  const passed = new Map<string, boolean>();
  for (const [, failed, rest = ''] of output.matchAll(/^(not )?ok \d+ - (.*)\n/gm)) {
    const name = rest.replace(/\\([\\#])/g, '$1');
    if (names.includes(name)) passed.set(name, failed === undefined);
  }
  return passed;
}

/** Undefined where the proof holds. */
async function problemOf({ kind, type, key, file, test }: KeyProof): Promise<string | undefined> {
  const { passed, output } = await runTests(file, [test], `${kind.slice(0, -1)} ${type} ${key}`);
  const outcome = passed.get(test);
  if (outcome === false) return undefined;
  const why = outcome === undefined ? `gives no result: ${output}` : 'passes';
  return `without ${key} of ${type}, '${test}' ${why}`;
}

const byFile = new Map<string, KeyProof[]>();
for (const proof of keyProofs) byFile.set(proof.file, [...(byFile.get(proof.file) ?? []), proof]);
const startMs = performance.now();

describe('a test fails when its key is ignored', { concurrency: filesAtOnce }, () => {
  for (const [file, proofs] of byFile) {
    it(`${file}: ${proofs.length} keys`, async () => {
      const names = [...new Set(proofs.map(({ test }) => test))];
      const { passed, output } = await runTests(file, names, '');
      for (const name of names) assert.equal(passed.get(name), true, `'${name}' as it is: ${output}`);
      const problems: string[] = [];
      for (const proof of proofs) {
        const problem = await problemOf(proof);
        if (problem !== undefined) problems.push(problem);
      }
      assert.equal(problems.length, 0, problems.join('\n'));
    });
  }
});

after(async () => {
  await rm(homes, { recursive: true, force: true });
  const tookMs = performance.now() - startMs;
  process.stdout.write(`shows: ${keyProofs.length} keys, each ignored once, in ${Math.round(tookMs / 1000)} s\n`);
});
