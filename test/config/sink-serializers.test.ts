/** Which serializer a sink writes with, and with which values: from the text of a configuration to its bytes. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { registry } from '../../src/adapters/registry.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { MemoryChannel, type Sequence } from '../../src/engine.ts';
import { sinkOn } from '../adapters/contexts.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What a sink of these properties writes of an event with the body `x` and one header. */
async function writtenBy(t: TestContext, properties: Record<string, string>): Promise<string> {
  const sink = Object.entries(properties).map(([key, value]) => `a1.sinks.k1.${key} = ${value}`);
  const bound = ['a1.channels = c1', 'a1.channels.c1.type = memory', 'a1.sinks = k1', 'a1.sinks.k1.channel = c1'];
  const path = join(await tempDir(t), 'agent.properties');
  await writeFile(path, [...bound, ...sink, ''].join('\n'));
  const surroundings = { environment: {}, system: new Map(), now: new Date() };
  const { plans, hasErrors, problems } = await loadConfiguration({ files: [path], registry, surroundings });
  assert.equal(hasErrors, false, JSON.stringify(problems));
  const serializer = plans[0]?.sinks[0]?.serializer;
  const { context } = sinkOn(await MemoryChannel.open());
  const made = serializer?.definition.create(serializer.values, context);
  return String(made?.serialize([{ headers: { h: '1' }, body: Buffer.from('x'), sequence: 1 as Sequence }]));
}

test('file_roll writes with the serializer that sink.serializer names', async (t) => {
  const file = { type: 'file_roll', 'sink.directory': '/logs' };
  assert.equal(await writtenBy(t, file), 'x\n');
  const other = { ...file, 'sink.serializer': 'header_and_text', 'sink.serializer.appendNewline': 'false' };
  assert.equal(await writtenBy(t, other), '{h=1} x');
});

test('hdfs writes with the serializer that serializer names', async (t) => {
  const rolls = { 'hdfs.rollCount': '0', 'hdfs.rollSize': '0' };
  const files = { type: 'hdfs', 'hdfs.path': '/logs', 'hdfs.fileType': 'DataStream', ...rolls };
  assert.equal(await writtenBy(t, files), 'x\n');
  const other = { ...files, serializer: 'header_and_text', 'serializer.appendNewline': 'false' };
  assert.equal(await writtenBy(t, other), '{h=1} x');
});
