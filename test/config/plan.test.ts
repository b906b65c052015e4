/** From properties to a plan: every rule of binding, and what is said where it is broken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../support/source.ts';
import { goodLines, tryFiles } from './small-registry.ts';

test('a whole agent: what is bound to what', async (t) => {
  const text = goodLines({
    'a1.channels': 'c1 c2',
    'a1.channels.c2.type': 'FILE',
    'a1.sinks': 'k1 k2',
    'a1.sources.r1.channels': 'c1  c2 c1',
    'a1.sources.r1.batchSize': '7',
    'a1.sources.r1.interceptors': 'i2 i1',
    'a1.sources.r1.interceptors.i1.type': 'org.apache.flume.interceptor.HostInterceptor$Builder',
    'a1.sources.r1.interceptors.i2.type': 'timestamp',
    'a1.sources.r1.interceptors.i2.headerName': 'at',
    'a1.sources.r1.selector.type': 'multiplexing',
    'a1.sources.r1.selector.header': 'h',
    'a1.sources.r1.selector.mapping.x': 'c2',
    'a1.sinks.k2.type': 'org.apache.flume.sink.hdfs.HDFSEventSink',
    'a1.sinks.k2.channel': 'c2',
    'a1.sinks.k2.hdfs.path': '/x',
    'a1.sinks.k2.hdfs.rollCount': '0',
    'a1.sinks.k2.hdfs.rollSize': '0',
    'a1.sinks.k2.hdfs.inUsePrefix': '_',
    'a1.sinks.k2.serializer.appendNewline': 'false',
    'a1.sinkgroups': 'g1',
    'a1.sinkgroups.g1.sinks': 'k2 k1',
    'a1.sinkgroups.g1.processor.type': 'failover',
    'a1.sinkgroups.g1.processor.priority.k1': '5',
  });
  const { plans, lines } = await tryFiles(t, [text]);
  assert.deepEqual(lines, []);
  const [plan] = plans;
  assert.equal(plans.length, 1);
  assert.equal(plan?.agent, 'a1');
  assert.deepEqual(
    plan?.channels.map(({ name, definition }) => [name, definition.types[0]]),
    [
      ['c1', 'memory'],
      ['c2', 'file'],
    ],
  );
  const [source] = plan?.sources ?? [];
  assert.deepEqual(source?.channels, ['c1', 'c2']);
  assert.equal(source?.values['batchSize'], 7);
  assert.deepEqual(
    source?.interceptors.map(({ name, definition, values }) => [name, definition.types[0], values['headerName']]),
    [
      ['i2', 'timestamp', 'at'],
      ['i1', 'host', undefined],
    ],
  );
  assert.equal(source?.selector.definition.types[0], 'multiplexing');
  assert.deepEqual(source?.selector.values['mapping.'], new Map([['x', ['c2']]]));
  const [logger, hdfs] = plan?.sinks ?? [];
  assert.equal(logger?.serializer, undefined);
  assert.equal(hdfs?.channel, 'c2');
  assert.equal(hdfs?.serializer?.definition.types[0], 'TEXT');
  assert.equal(hdfs?.serializer?.values['appendNewline'], 'false');
  const [group] = plan?.groups ?? [];
  assert.deepEqual(group?.sinks, ['k2', 'k1']);
  assert.deepEqual(group?.processor.values['priority.'], new Map([['k1', 5]]));
});

test('without a selector events are replicated; only sources or only sinks is fine', async (t) => {
  const onlySource = goodLines({
    'a1.sinks': undefined,
    'a1.sinks.k1.type': undefined,
    'a1.sinks.k1.channel': undefined,
  });
  const { plans, lines } = await tryFiles(t, [onlySource]);
  assert.deepEqual(lines, []);
  assert.equal(plans[0]?.sources[0]?.selector.definition.types[0], 'replicating');
  assert.deepEqual(plans[0]?.sinks, []);
});

/**
 * Of golden/config-rules.txt: what is changed in a good configuration (`+key = value`, `-key`), and what is said of it
 * strictly, and leniently.
 */
function readRules(): { changes: Record<string, string | undefined>; strict: string[]; lenient: string[] }[] {
  const blocks = readFileSync(join(root, 'test/golden/config-rules.txt'), 'utf8').trim().split('\n\n');
  return blocks.map((block) => {
    const [changed = '', strict = '', lenient = ''] = block.split(/\n----.*\n/);
    const pairs = changed.split('\n').map((line) => {
      const [key = '', value] = line.slice(1).split(' = ', 2);
      return [key, line.startsWith('-') ? undefined : value] as const;
    });
    return { changes: Object.fromEntries(pairs), strict: strict.split('\n'), lenient: lenient.split('\n') };
  });
}

test('each rule: an error strictly, a warning leniently', async (t) => {
  const rules = readRules();
  assert.ok(rules.length >= 20, `${rules.length} rules`);
  for (const { changes, strict, lenient } of rules) {
    const text = goodLines(changes);
    const first = await tryFiles(t, [text]);
    assert.deepEqual(first.lines, strict);
    assert.equal(first.hasErrors, true);
    const second = await tryFiles(t, [text], { isLenient: true });
    assert.deepEqual(second.lines, lenient);
    assert.equal(second.hasErrors, false, text);
    const [plan] = second.plans;
    const left = { source: plan?.sources.length, sink: plan?.sinks.length };
    for (const kind of ['source', 'sink'] as const) {
      const isOut = lenient.some((line) => line.endsWith(`; the ${kind} is left out, as Flume does`));
      assert.equal(left[kind], isOut ? 0 : 1, `${kind} of ${text}`);
    }
  }
});
