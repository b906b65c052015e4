/** A type that is the path of a module or the name of a package. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfiguration } from '../../src/config/load.ts';
import { problemText } from '../../src/config/problems.ts';
import { tempDir } from '../support/temp-dir.ts';
import { goodLines, smallRegistry } from './small-registry.ts';

const definition = `export default {
  types: ['own'],
  keys: {
    greeting: {
      type: { name: 'text', parse: (value) => ({ value: value.toUpperCase() }) },
      isRequired: true, default: undefined, unit: undefined, does: 'what to say', standing: 'ours', isPrefix: false,
    },
  },
  create: () => ({}),
};
`;

async function load(directory: string, type: string, changes: Readonly<Record<string, string>> = {}) {
  const file = join(directory, 'a.properties');
  await writeFile(file, goodLines({ 'a1.sinks.k1.type': type, 'a1.sinks.k1.greeting': 'hello', ...changes }));
  const surroundings = { environment: {}, system: new Map<string, string>(), now: new Date() };
  const { plans, problems } = await loadConfiguration({ files: [file], registry: smallRegistry, surroundings });
  return { sink: plans[0]?.sinks[0], lines: problems.map((one) => problemText(one).replaceAll(`${directory}/`, '')) };
}

async function writePackage(directory: string, name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(directory, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
}

test('a module by its path, relative to the configuration, absolute, or as a URL', async (t) => {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'sink.mjs'), definition);
  for (const type of ['./sink.mjs', join(directory, 'sink.mjs'), `file://${join(directory, 'sink.mjs')}`]) {
    const { sink, lines } = await load(directory, type);
    assert.deepEqual(lines, []);
    assert.equal(sink?.values['greeting'], 'HELLO');
  }
});

test('a package beside the configuration: with main, with exports, only for import, and a module in it', async (t) => {
  const directory = await tempDir(t);
  const manifests = {
    'own-main': { type: 'module', main: './index.js' },
    'own-exports': { type: 'module', exports: './index.js' },
    '@scope/own-import': { type: 'module', exports: { '.': { types: './x.d.ts', import: './index.js' } } },
  };
  for (const [name, manifest] of Object.entries(manifests)) {
    await writePackage(directory, name, { 'package.json': JSON.stringify(manifest), 'index.js': definition });
    const { sink, lines } = await load(directory, name);
    assert.deepEqual(lines, [], name);
    assert.equal(sink?.values['greeting'], 'HELLO');
  }
  const { sink } = await load(directory, 'own-main/index.js');
  assert.equal(sink?.definition.types[0], 'own');
});

test('its keys are checked like any other', async (t) => {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'sink.mjs'), definition);
  const { lines } = await load(directory, './sink.mjs', { 'a1.sinks.k1.greeting': '', 'a1.sinks.k1.greting': 'x' });
  assert.deepEqual(lines, [
    'a.properties:7:1 a1.sinks.k1.greeting: is missing: what to say',
    'a.properties:9:1 a1.sinks.k1.greeting: warning: is empty, and counts as not set',
    "a.properties:10:1 a1.sinks.k1.greting: warning: is not known here: do you mean 'greeting'?",
  ]);
});

test('what is no such module is an error that says why', async (t) => {
  const directory = await tempDir(t);
  const modules: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ['none.mjs', '', /has no default export that is a definition/],
    ['class.mjs', 'export default class {}', /has no default export that is a definition/],
    ['types.mjs', "export default { types: 'own', keys: {}, create() {} };", /whose 'types' are not a list of names/],
    [
      'keys.mjs',
      "export default { types: ['own'], keys: { a: 'text' }, create() {} };",
      /whose 'keys' are not made with/,
    ],
    ['create.mjs', "export default { types: ['own'], keys: {} };", /without the function 'create'/],
    ['throws.mjs', "throw new Error('no luck');", /cannot be loaded: no luck/],
    [
      'alone.mjs',
      "import { text } from 'forebay';",
      /Cannot find package 'forebay'.*; `npm install forebay` beside it$/,
    ],
    ['syntax.mjs', 'export default {', /cannot be loaded: /],
  ];
  for (const [name, text, expected] of modules) {
    await writeFile(join(directory, name), text);
    const { lines, sink } = await load(directory, `./${name}`);
    assert.equal(lines.length, 1);
    assert.ok(lines[0]?.startsWith(`a.properties:7:20 a1.sinks.k1.type: module ${name} `), lines[0]);
    assert.match(lines[0] ?? '', expected);
    assert.equal(sink, undefined);
  }
  const missing = await load(directory, './missing.mjs');
  assert.deepEqual(missing.lines, ['a.properties:7:20 a1.sinks.k1.type: there is no module missing.mjs']);
  await writePackage(directory, 'broken', { 'package.json': '{' });
  for (const type of [
    'broken',
    'not-a-package-at-all',
    'org.example.Sink',
    'fs',
    'file://%',
    'file://host/x',
    'file:///%2F',
  ]) {
    const { lines } = await load(directory, type);
    assert.match(
      lines[0] ?? '',
      /^a\.properties:7:20 a1\.sinks\.k1\.type: (?:no sink has the type|there is no module)/,
      type,
    );
  }
});

test('modules that call their types the same are two types to a reload; two names of one type are one', async (t) => {
  const directory = await tempDir(t);
  for (const name of ['one', 'two']) await writeFile(join(directory, `${name}.mjs`), definition);
  const fingerprints = [];
  for (const type of ['./one.mjs', './one.mjs', './two.mjs', 'logger', 'LOGGER', 'org.apache.flume.sink.LoggerSink']) {
    fingerprints.push((await load(directory, type)).sink?.fingerprint);
  }
  const [one, again, two, ...loggers] = fingerprints;
  assert.ok(one !== undefined && two !== undefined);
  assert.equal(again, one);
  assert.notEqual(two, one);
  assert.equal(new Set(loggers).size, 1);
});

test('a definition that fails where it is asked is an error at its type, and takes nothing else along', async (t) => {
  const directory = await tempDir(t);
  const throws = "() => { throw new Error('no luck'); }";
  const key = `{ type: { name: 'x', parse: ${throws} }, isRequired: false, standing: 'ours' }`;
  const modules = {
    'check.mjs': `export default { types: ['own'], keys: {}, check: ${throws}, create() {} };`,
    'parse.mjs': `export default { types: ['own'], keys: { greeting: ${key} }, create() {} };`,
  };
  for (const [name, text] of Object.entries(modules)) {
    await writeFile(join(directory, name), text);
    const { lines, sink } = await load(directory, `./${name}`);
    const message = 'a1.sinks.k1.type: it fails when its keys are checked: Error: no luck';
    assert.ok(lines.includes(`a.properties:7:20 ${message}`), lines.join('\n'));
    assert.equal(sink, undefined);
  }
});
