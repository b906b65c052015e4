/** What files a configuration is read from: merged, refused, and warned of. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfiguration } from '../../src/config/load.ts';
import { goodLines, smallRegistry, tryFiles } from './small-registry.ts';

test('several files are one: the later ones win, and problems name the right one', async (t) => {
  const second = 'a1.sources.r1.batchSize = 9\na1.sinks.k1.channel = c2\n';
  const { lines, plans } = await tryFiles(t, [goodLines(), second, 'a1.sinks.k1.chanel = c1\n']);
  assert.deepEqual(lines, [
    "b.properties:2:23 a1.sinks.k1.channel: no channel 'c2': do you mean 'c1'?",
    'c.properties:1:1 a1.sinks.k1.chanel: warning: is not known here',
  ]);
  assert.equal(plans[0]?.sources[0]?.values['batchSize'], 9);
});

test('a key that one file sets twice: the last one counts, with a warning', async (t) => {
  const text = `${goodLines({ 'a1.sources.r1.batchSize': '8' })}a1.sources.r1.batchSize=9\n`;
  const { lines, plans, hasErrors } = await tryFiles(t, [text]);
  assert.deepEqual(lines, [
    'a.properties:10:1 a1.sources.r1.batchSize: warning: is set in line 9 already: this one counts',
  ]);
  assert.equal(plans[0]?.sources[0]?.values['batchSize'], 9);
  assert.equal(hasErrors, false);
});

test('bytes are ISO-8859-1, as Flume reads them, with a warning for those beyond ASCII', async (t) => {
  const spooled = { 'a1.sources.r1.type': 'spooldir', 'a1.sources.r1.spoolDir': '/é\\u00e9' };
  const { lines, plans } = await tryFiles(t, [`# é\n${goodLines(spooled)}`]);
  assert.equal(plans[0]?.sources[0]?.values['spoolDir'], '/Ã©é');
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^a\.properties:10:27 a1\.sources\.r1\.spoolDir: warning: byte 0xC3 is read as ISO-8859-1/,
  );
  assert.match(lines[0] ?? '', /Write \\uXXXX/);
});

test('keys and values are trimmed as Java trims; an empty value counts as not set', async (t) => {
  const text = goodLines({ 'a1.sources.r1.batchSize': '7 \\t', 'a1.sinks.k1.x': '' });
  const { lines, plans } = await tryFiles(t, [text]);
  assert.equal(plans[0]?.sources[0]?.values['batchSize'], 7);
  assert.deepEqual(lines, ['a.properties:10:1 a1.sinks.k1.x: warning: is empty, and counts as not set']);
});

test('a malformed escape is an error, also leniently', async (t) => {
  const spooled = { 'a1.sources.r1.type': 'spooldir', 'a1.sources.r1.spoolDir': 'C:\\users' };
  for (const isLenient of [false, true]) {
    const { lines, hasErrors } = await tryFiles(t, [goodLines(spooled)], {
      isLenient,
    });
    assert.match(lines[0] ?? '', /^a\.properties:9:28: \\u needs four hexadecimal digits, not 'sers'/);
    assert.equal(hasErrors, true);
  }
});

const refused: readonly (readonly [text: string | Buffer, expected: RegExp])[] = [
  ['', /^a\.properties:1:1: holds no properties$/],
  ['# nothing\n\n', /^a\.properties:1:1: holds no properties$/],
  [`\u{feff}${goodLines()}`, /^a\.properties:1:1: begins with a UTF-8 byte order mark, .*: save it as ASCII/],
  [Buffer.from(`\u{feff}${goodLines()}`, 'utf16le'), /begins with a UTF-16 byte order mark/],
  [Buffer.from('a1.x = \0', 'latin1'), /is no properties file but binary: byte 7 is zero/],
  ['\n{ "a1": { "sources": "r1" } }', /it looks like JSON\. Lines are 'key = value'/],
  ['["a1.sources"]', /it looks like JSON/],
  ['<?xml version="1.0"?>\n<a/>', /it looks like XML/],
  ['<configuration/>', /it looks like XML/],
  ['---\na1:\n  sources: r1\n', /it looks like YAML/],
  ['# x\na1:\n  sources:\n    - r1\n', /it looks like YAML/],
  ['[a1]\nsources = r1\n', /it looks like INI/],
];

test('what is no properties file is said to be none', async (t) => {
  for (const [text, expected] of refused) {
    for (const agent of ['a1', undefined]) {
      const { lines, plans, hasErrors } = await tryFiles(t, [text], agent === undefined ? {} : { agent });
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', expected);
      assert.ok(hasErrors);
      assert.deepEqual(plans, []);
    }
  }
});

test('a file that cannot be read, and one far too large', async (t) => {
  const { directory } = await tryFiles(t, [goodLines()]);
  const surroundings = { environment: {}, system: new Map<string, string>(), now: new Date() };
  const load = (file: string) => loadConfiguration({ files: [file], registry: smallRegistry, surroundings });
  const missing = join(directory, 'missing.properties');
  for (const [file, expected] of [
    [missing, /cannot be read: ENOENT/],
    [directory, /cannot be read: EISDIR/],
    ['/dev/zero', /is no configuration: it is larger than 16777216 bytes/],
  ] as const) {
    const { problems, hasErrors } = await load(file);
    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.file, file);
    assert.match(problems[0]?.message ?? '', expected);
    assert.ok(hasErrors);
  }
});

test('of several agents in a file only the named one is looked at, all of them without a name', async (t) => {
  const other = goodLines({ 'a1.sources.r1.type': 'nothing' }).replaceAll('a1.', 'b1.');
  const text = `${goodLines()}${other}`;
  const named = await tryFiles(t, [text], { agent: 'a1' });
  assert.deepEqual(named.lines, []);
  assert.deepEqual(
    named.plans.map(({ agent }) => agent),
    ['a1'],
  );
  const all = await tryFiles(t, [text]);
  assert.equal(all.lines.length, 1);
  assert.match(all.lines[0] ?? '', /^a\.properties:13:22 b1\.sources\.r1\.type: no source has the type 'nothing'/);
});

test('an agent that is not there: the error names those that are', async (t) => {
  const text = `${goodLines()}${goodLines().replaceAll('a1.', 'other.')}`;
  const { lines, plans } = await tryFiles(t, [text], { agent: 'a2' });
  assert.deepEqual(lines, ["a.properties:1:1 a2: no such agent: do you mean 'a1'? there are a1, other"]);
  assert.deepEqual(plans, []);
  const far = await tryFiles(t, [goodLines()], { agent: 'production' });
  assert.deepEqual(far.lines, ['a.properties:1:1 production: no such agent: there is a1']);
});

test('no channels, or nothing that uses them', async (t) => {
  const none = await tryFiles(t, [goodLines({ 'a1.channels': undefined })], { isLenient: true });
  assert.match(none.lines[0] ?? '', /^a\.properties:1:1 a1\.channels: is missing/);
  assert.ok(none.hasErrors);
  const idle = await tryFiles(t, ['a1.channels = c1\na1.channels.c1.type = memory\n']);
  assert.deepEqual(idle.lines, [
    'a.properties:1:1 a1: has nothing to run: it needs at least one source or sink and a channel for it',
  ]);
});
