/** The definitions as a whole: each type names one of them, and what Flume presets is there. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { registry } from '../../src/adapters/registry.ts';
import type { Keys } from '../../src/agent/contracts/keys.ts';

const presets: Readonly<Record<keyof typeof registry, readonly string[]>> = {
  sources: ['seq', 'netcat', 'exec', 'spooldir', 'taildir'],
  sinks: ['logger', 'null', 'file_roll'],
  channels: ['file', 'memory'],
  interceptors: ['timestamp', 'host', 'static'],
  selectors: ['replicating', 'multiplexing'],
  processors: ['default', 'failover', 'load_balance'],
  serializers: ['text', 'avro_event'],
};

test('a type names one definition of its kind, and the common ones are there', () => {
  for (const [kind, common] of Object.entries(presets)) {
    const definitions = registry[kind as keyof typeof registry];
    const types = definitions.flatMap((definition) => definition.types.map((type) => type.toLowerCase()));
    assert.deepEqual(types, [...new Set(types)], kind);
    for (const type of common) assert.ok(types.includes(type), `${kind} ${type}`);
  }
});

test('every key says what it does, and a prefix has a map', () => {
  const all = Object.values(registry).flat();
  assert.ok(all.length >= 20);
  for (const { types, keys } of all) {
    for (const [name, key] of Object.entries(keys as Keys)) {
      assert.ok(key.does.length > 0, `${types[0]} ${name}`);
      if (key.isPrefix) assert.ok(key.default instanceof Map, `${types[0]} ${name}`);
    }
  }
});

test('a serializer that a sink presets is there', () => {
  const known = registry.serializers.flatMap(({ types }) => types.map((type) => type.toLowerCase()));
  const written = registry.sinks.flatMap(({ serializer }) => serializer ?? []);
  assert.ok(written.length > 0);
  for (const { preset } of written) assert.ok(known.includes(preset.toLowerCase()), preset);
});
