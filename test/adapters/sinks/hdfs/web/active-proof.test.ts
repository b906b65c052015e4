/** The proof of a NameNode: which directories it makes, and that none is left. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ActiveProof } from '../../../../../src/adapters/sinks/hdfs/web/active-proof.ts';
import { HdfsError } from '../../../../../src/adapters/sinks/hdfs/web/hdfs-error.ts';

/** Directories as HDFS keeps them; a call's turn comes later, as over a network. */
function directories() {
  const there = new Set<string>();
  const made: string[] = [];
  const make = async (path: string): Promise<void> => {
    await Promise.resolve();
    made.push(path);
    there.add(path);
  };
  const remove = async (path: string): Promise<boolean> => {
    await Promise.resolve();
    return there.delete(path);
  };
  return { there, made, make, remove };
}

test('proofs at the same time do not disturb each other, and leave nothing', async () => {
  const { there, made, make, remove } = directories();
  const proof = new ActiveProof({ make, remove });
  await Promise.all([proof.prove('/logs'), proof.prove('/logs'), proof.prove('/')]);
  assert.equal(new Set(made).size, 3);
  for (const path of made) assert.match(path, /^(\/logs)?\/_forebay-[0-9a-f]{12}-[0-2]$/);
  assert.deepEqual([...there], []);
});

test('what a life that was killed left is removed by the next proof', async () => {
  const { there, make, remove } = directories();
  const killed = new ActiveProof({ make, remove: () => new Promise(() => undefined) });
  void killed.prove('/logs');
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(there.size, 1);
  await new ActiveProof({ make, remove }).prove('/logs');
  assert.deepEqual([...there], []);
});

test('it is proven by nothing but a removal: without one it is tried again, a few times', async () => {
  const { made, make } = directories();
  const answers = [false, true];
  await new ActiveProof({ make, remove: async () => answers.shift() ?? false }).prove('/logs');
  assert.equal(made.length, 2);
  const never = new ActiveProof({ make, remove: async () => false });
  await assert.rejects(
    never.prove('/logs'),
    (error: unknown) => error instanceof HdfsError && error.kind === 'refused',
  );
  const lost = new HdfsError('network', 'lost', { outcome: 'unknown' });
  const silent = new ActiveProof({ make, remove: () => Promise.reject(lost) });
  await assert.rejects(silent.prove('/logs'), lost);
});
