/** A batch is one transaction: every real source and sink that has batches is checked against the real channels. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { registry } from '../../src/adapters/registry.ts';
import type { Keys } from '../../src/agent/contracts/keys.ts';
import { goodLines, tryFiles } from './small-registry.ts';

/** What makes the component's required keys fine. */
const required: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  hdfs: { 'hdfs.path': 'file:///nowhere/logs' },
  TAILDIR: { filegroups: 'f1', 'filegroups.f1': '/nowhere/log' },
};

/** Keys that say how many events one transaction takes or brings, whatever they are called. */
function batchKeysOf(keys: Keys): string[] {
  const names = Object.keys(keys).filter((name) => /batch/i.test(name) && keys[name]?.isPrefix === false);
  return names.filter((name) => keys[name]?.unit === 'events' && !/max/i.test(name));
}

function neededBy(type: string, keys: Keys): Record<string, string> {
  const names = Object.keys(keys).filter((name) => keys[name]?.isRequired === true);
  return { ...Object.fromEntries(names.map((name) => [name, '1'])), ...required[type] };
}

test('a batch larger than the transactionCapacity of the channel is an error at its value', async (t) => {
  const seen: string[] = [];
  for (const kind of ['sources', 'sinks'] as const) {
    for (const { types, keys } of registry[kind]) {
      for (const key of batchKeysOf(keys)) {
        const prefix = `a1.${kind}.${kind === 'sources' ? 'r1' : 'k1'}`;
        const own = Object.entries(neededBy(types[0], keys)).map(([name, value]) => [`${prefix}.${name}`, value]);
        const text = goodLines({
          'a1.channels.c1.type': 'file',
          'a1.channels.c1.transactionCapacity': '150',
          'a1.sources.r1.batchSize': '1',
          [`${prefix}.type`]: types[0],
          ...Object.fromEntries(own),
          [`${prefix}.${key}`]: '151',
        });
        const { problems, hasErrors } = await tryFiles(t, [text], { registry });
        const lines = text.split('\n');
        const line = lines.findIndex((one) => one.startsWith(`${prefix}.${key} =`)) + 1;
        const errors = problems.filter(({ severity }) => severity === 'error');
        assert.equal(hasErrors, true, `${types[0]} ${key}`);
        assert.deepEqual(
          errors.map((one) => [one.key, one.line, one.column]),
          [[`${prefix}.${key}`, line, `${prefix}.${key} = `.length + 1]],
          text,
        );
        assert.match(errors[0]?.message ?? '', /^151 is more than the transactionCapacity of channel 'c1', 150: /);
        seen.push(`${types[0]} ${key}`);
      }
    }
  }
  for (const known of ['seq batchSize', 'exec batchSize', 'TAILDIR batchSize', 'file_roll sink.batchSize']) {
    assert.ok(seen.includes(known), `${known} of ${seen.join()}`);
  }
});

test('a preset that is too large is an error at the component', async (t) => {
  const text = goodLines({ 'a1.channels.c1.transactionCapacity': '50', 'a1.sinks.k1.type': 'null' });
  const { lines } = await tryFiles(t, [text], { registry });
  assert.deepEqual(lines, [
    "a.properties:7:1 a1.sinks.k1.batchSize: 100 is more than the transactionCapacity of channel 'c1', 50: lower the \
one or raise the other",
  ]);
});
