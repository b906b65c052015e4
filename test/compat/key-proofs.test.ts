/** The table of proofs is whole: every key that is the same as Flume's has one test, and that test is there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { declaredComponents, isSame, keysOf } from './declared-keys.ts';
import { type KeyName, keyProofs } from './key-proofs.ts';

const nameOf = ({ kind, type, key }: KeyName): string => `${kind} ${type} ${key}`;

test('each key that is the same as in Flume has one proof, and no other key has', () => {
  const same = declaredComponents().flatMap(keysOf).filter(isSame).map(nameOf);
  assert.ok(same.length >= 90, `${same.length} keys`);
  assert.deepEqual(keyProofs.map(nameOf).sort(), same.sort());
});

test('a key that has to be set, and no other, reads as something else when it is ignored', () => {
  const required = declaredComponents()
    .flatMap(keysOf)
    .filter((key) => isSame(key) && key.declared?.isRequired === true);
  const withText = keyProofs.filter(({ instead }) => instead !== undefined);
  assert.deepEqual(withText.map(nameOf).sort(), required.map(nameOf).sort());
});

test('the test that a proof names is in its file, under that name once', () => {
  const files = new Map(keyProofs.map(({ file }) => [file, readFileSync(join(root, 'test', file), 'utf8')]));
  assert.ok(files.size >= 15, `${files.size} files`);
  const problems = keyProofs.filter((proof) => timesIn(files.get(proof.file) ?? '', proof.test) !== 1);
  assert.deepEqual(
    problems.map((proof) => `${nameOf(proof)}: ${proof.file} › ${proof.test}`),
    [],
  );
});

/** How often `text` has a test of that name at its top. */
function timesIn(text: string, name: string): number {
  return ["'", '"'].reduce((sum, quote) => sum + text.split(`\ntest(${quote}${name}${quote},`).length - 1, 0);
}
