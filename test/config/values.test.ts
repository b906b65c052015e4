/** Where values come from that are not in the file as they are: substitution, and config filters. */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { goodLines, tryFiles } from './small-registry.ts';

/** A reference in a value; the linter takes one in a plain string for a mistake. */
const ref = (name: string): string => `\${${name}}`;
const spooled = (value: string) => goodLines({ 'a1.sources.r1.type': 'spooldir', 'a1.sources.r1.spoolDir': value });
const key = 'a1.sources.r1.spoolDir';

test('values may name keys of any shape, the environment and system properties', async (t) => {
  const text = `base = /x\nmy.dir = ${ref('base')}/y\na1.vars.z = z\n${spooled(
    `${ref('my.dir')}/${ref('a1.vars.z')}/${ref('env:U')}/${ref('sys:s')}/${ref('date:yyyy')}`,
  )}`;
  const { lines, plans } = await tryFiles(t, [text], { environment: { U: 'u' }, system: new Map([['s', 'S']]) });
  assert.deepEqual(lines, []);
  assert.equal(plans[0]?.sources[0]?.values['spoolDir'], '/x/y/z/u/S/2024');
});

test('a type, a list and a channel may be named so, and an empty value counts as not set', async (t) => {
  const text = `t = memory\n${goodLines({
    'a1.channels.c1.type': ref('t'),
    'a1.sources': ref('none:-r1'),
    'a1.sources.r1.batchSize': ref('none:-'),
  })}`;
  const { lines, hasErrors } = await tryFiles(t, [text]);
  assert.equal(hasErrors, false);
  assert.deepEqual(lines, ['a.properties:10:1 a1.sources.r1.batchSize: warning: is empty, and counts as not set']);
});

test('what nothing resolves stays as it is, with a warning; what cannot be done is an error', async (t) => {
  const { lines, plans } = await tryFiles(t, [spooled(ref('env:NONE'))]);
  assert.deepEqual(lines, [
    `a.properties:9:26 ${key}: warning: nothing resolves ${ref('env:NONE')}: it stays as it is`,
  ]);
  assert.equal(plans[0]?.sources[0]?.values['spoolDir'], ref('env:NONE'));
  for (const [name, expected] of [
    [key, /refers to itself: a1\.sources\.r1\.spoolDir/],
    ['java:version', /a Java that is not there/],
    ['date:EEE', /'EEE' of the date pattern is not supported/],
  ] as const) {
    const refused = await tryFiles(t, [spooled(ref(name))], { isLenient: true });
    assert.match(refused.lines.join('\n'), expected);
    assert.equal(refused.problems[0]?.column, 26);
    assert.ok(refused.hasErrors);
  }
});

const env = 'a1.configfilters = f1\na1.configfilters.f1.type = env\n';

test('the filter env, in each way of writing it, several in one value', async (t) => {
  const value = `/${ref('f1[A_b-1]')}/${ref("f1['B']")}/${ref('f1["B"]')}/x`;
  const { lines, plans } = await tryFiles(t, [env + spooled(value)], { environment: { 'A_b-1': 'a', B: '$1' } });
  assert.deepEqual(lines, []);
  assert.equal(plans[0]?.sources[0]?.values['spoolDir'], '/a/$1/$1/x');
  const strict = await tryFiles(t, [env + spooled(`/${ref('f1[A]')}`)]);
  const said = `${ref('f1[A]')} has no value: A is not set in the environment`;
  assert.deepEqual(strict.lines, [`a.properties:11:26 ${key}: ${said}`]);
  const lenient = await tryFiles(t, [env + spooled(`/${ref('f1[A]')}`)], { isLenient: true });
  assert.deepEqual(lenient.lines, [
    `a.properties:11:26 ${key}: warning: ${said}; the replacement is left out, as Flume does`,
  ]);
  assert.equal(lenient.plans[0]?.sources[0]?.values['spoolDir'], `/${ref('f1[A]')}`);
});

test('the filter external asks a program: its first line', async (t) => {
  const script = join(await tempDir(t), 'ask.sh');
  await writeFile(
    script,
    '#!/bin/sh\n[ "$2" = bad ] && exit 3\n[ "$2" = none ] && exit 0\nprintf "$1-$2\\351\\nmore\\n"\n',
  );
  await chmod(script, 0o755);
  const filter = (more: string) => `a1.configfilters = f1\na1.configfilters.f1.type = external\n${more}`;
  const asked = filter(`a1.configfilters.f1.command = ${script} arg\na1.configfilters.f1.charset = ISO-8859-1\n`);
  const { lines, plans } = await tryFiles(t, [asked + spooled(ref("f1['k']"))]);
  assert.deepEqual(lines, []);
  assert.equal(plans[0]?.sources[0]?.values['spoolDir'], 'arg-k\u00e9');
  for (const [text, expected] of [
    [asked + spooled(ref('f1[bad]')), /13:26 .* has no value: .*ask\.sh ended with status 3 for bad$/],
    [asked + spooled(ref('f1[none]')), /13:26 .* has no value: .*ask\.sh printed nothing for none$/],
    [filter('') + spooled('/x'), /2:1 a1\.configfilters\.f1\.command: is missing: the program that is asked/],
    [filter('a1.configfilters.f1.command = /none/x\n') + spooled(ref('f1[k]')), /has no value: spawn \/none\/x ENOENT/],
    [
      filter('a1.configfilters.f1.command = x\na1.configfilters.f1.charset = utf-9\n') + spooled('/x'),
      /4:31 a1\.configfilters\.f1\.charset: no charset 'utf-9'/,
    ],
  ] as const) {
    const refused = await tryFiles(t, [text]);
    assert.match(refused.lines.join('\n'), expected);
    assert.ok(refused.hasErrors);
  }
});

test('the filter hadoop is refused by name, others as unknown', async (t) => {
  for (const [type, expected] of [
    ['hadoop', /2:28 a1\.configfilters\.f1\.type: a Hadoop credential store cannot be read here: use env, or external/],
    ['org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter', /Hadoop credential store cannot be read/],
    ['enw', /no config filter has the type 'enw': do you mean 'env'\? there are env, external/],
  ] as const) {
    const text = `a1.configfilters = f1\na1.configfilters.f1.type = ${type}\n${goodLines()}`;
    const { lines } = await tryFiles(t, [text]);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', expected);
  }
});
