/** Every deliberate bug is noticed, each by the property it breaks: see mutants.ts. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../support/source.ts';
import type { MutantFound } from './mutant-run.ts';
import { type Mutant, mutants } from './mutants.ts';

const names = [
  'no sync',
  'acknowledge before sync',
  'directory not synced',
  'CRC unchecked',
  'no generation check',
  'tail not zeroed',
  'tail not rewritten',
  'sequences reused',
  'recycle before STATE is synced',
  'fsync retried',
  'CUT skipped',
  'ACK of unsynced events',
];
const timeoutMs = 120_000;

const base = mkdtempSync(join(tmpdir(), 'forebay-mutants-'));
after(() => rmSync(base, { recursive: true, force: true }));

/** A copy of the engine and the simulator, with the bug in it. */
function mutate({ name, edits }: Mutant): string {
  const directory = join(base, name.replaceAll(' ', '-'));
  for (const part of ['src', 'test/support', 'test/simulator', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, find, replace } of edits) {
    const path = join(directory, 'src', file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
  return directory;
}

async function hunt(mutant: Mutant): Promise<MutantFound | undefined> {
  const directory = mutate(mutant);
  const { checkers, workloads } = mutant;
  const program = ['--import', 'tsx', 'test/simulator/mutant-run.ts', checkers.join(), workloads.join()];
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: directory, timeout: timeoutMs });
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') as MutantFound | null) ?? undefined;
}

test('the bugs are those that were promised', () => {
  assert.deepEqual(
    mutants.map(({ name }) => name),
    names,
  );
});

test('what each patch replaces stands in its file exactly once', () => {
  for (const { name, edits } of mutants) {
    assert.ok(edits.length > 0);
    for (const { file, find, replace } of edits) {
      const found = readFileSync(join(root, 'src', file), 'utf8').split(find).length - 1;
      assert.equal(found, 1, `${name}: '${find}' stands ${found} times in ${file}`);
      assert.notEqual(find, replace);
    }
  }
});

const caught: string[] = [];

for (const mutant of mutants) {
  test(`${mutant.name}: noticed`, async (context) => {
    const found = await hunt(mutant);
    assert.ok(found !== undefined, 'not noticed');
    assert.ok(mutant.checkers.some((checker) => checker === found.checker));
    context.diagnostic(`${found.checker} after ${found.runs} runs, ${found.seed}: ${found.text}`);
    caught.push(`${mutant.name} (${found.checker})`);
  });
}

test('all of them', () => {
  assert.equal(caught.length, mutants.length);
  console.log(`shows: mutants: ${caught.length} of ${mutants.length} caught: ${caught.join(', ')}`);
});
