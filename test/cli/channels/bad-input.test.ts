/** Bad input to the `forebay channel` commands: a clear message, the right exit status, nothing changed. */
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { asNobody } from '../../support/as-nobody.ts';
import { forebay } from '../../support/forebay-here.ts';
import { samples } from '../../support/sample-damage.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { snapshotOf } from '../../support/tree-snapshot.ts';

/** Each verb that takes a channel, with what it needs besides. `DEST`: nothing is to be made there. */
const verbs: readonly (readonly string[])[] = [
  ['stats'],
  ['segments'],
  ['verify'],
  ['dump'],
  ['dump', '--frames'],
  ['unresolved'],
  ['replay'],
  ['repair'],
  ['repair', '--apply'],
  ['backup', 'DEST'],
  ['export', 'DEST'],
  ['rewind', '--to', '1'],
  ['resolve', '1-1', '--commit'],
];
/** Those that go on for ever where the channel is one. */
const endless: readonly (readonly string[])[] = [['tail'], ['tail', '--from', '1']];

/** The place comes first, then what else there is: `resolve DIR ID`. */
function lineOf([verb = '', ...rest]: readonly string[], place: readonly string[], home = ''): string[] {
  const [directory, ...options] = place;
  const filled = rest.map((one) => one.replace('DEST', join(home, 'destination')));
  return ['channel', verb, ...(directory === undefined ? [] : [directory]), ...filled, ...options];
}

interface BadPlace {
  readonly place: readonly string[];
  readonly status: number;
  readonly told: RegExp;
}

/** Makes everything below `home`. */
async function badPlaces(home: string): Promise<Readonly<Record<string, BadPlace>>> {
  const at = (name: string): string => join(home, name);
  const { directory } = await makeSample(at('whole'), 'prepared');
  const encrypted = await makeSample(at('secret'), 'encrypted');
  for (const name of ['empty', 'other', 'flume']) await mkdir(at(name));
  await writeFile(at('file'), 'no channel');
  await writeFile(at('other/channel.json'), '{"channels":["tv","radio"]}');
  await writeFile(at('flume/log-1'), 'Flume');
  await cp(directory, at('newer'), { recursive: true });
  await writeFile(at('newer/channel.json'), await newerIdentity(directory));
  await cp(directory, at('alone'), { recursive: true });
  await rm(at('alone/channel.json'));
  await rm(at('alone/checkpoint'), { recursive: true });
  await writeFile(at('wrong-key'), Buffer.alloc(32, 7));
  await writeFile(at('short-key'), 'abc');
  await writeFile(at('bad.properties'), 'b1.channels = c1\n');
  const secret = encrypted.directory;
  const keyed = (file: string): string[] => [secret, '--key', `1=${at(file)}`];
  const noChannel = /holds no channel: name one of its data directories/;
  return {
    'no DIR': { place: [], status: 64, told: /(DIR|ID|DEST|OUT) is missing/ },
    'a directory that is not there': { place: [at('nowhere')], status: 1, told: noChannel },
    'an empty directory': { place: [at('empty')], status: 1, told: noChannel },
    "Flume's directory": {
      place: [at('flume')],
      status: 1,
      told: /holds no channel: it is Apache Flume's.*import-flume/,
    },
    'a file': { place: [at('file')], status: 1, told: /file.*(not a directory|a file stands|cannot be used)/s },
    "another program's directory": { place: [at('other')], status: 1, told: /channel\.json does not hold/ },
    'segments alone': { place: [at('alone')], status: 1, told: noChannel },
    'a newer format': { place: [at('newer')], status: 1, told: /newer forebay.*version 2/ },
    'a missing key': { place: [secret], status: 1, told: /key 1 is not given.*--key ID=FILE/s },
    'a wrong key': { place: keyed('wrong-key'), status: 1, told: /key 1 is another key/ },
    'a short key': { place: keyed('short-key'), status: 1, told: /neither 32 bytes nor 64 hex digits/ },
    'a key file that is not there': { place: keyed('no-key'), status: 1, told: /key 1 cannot be read/ },
    'a key without its id': { place: [secret, '--key', 'x'], status: 64, told: /ID=FILE is due/ },
    'DIR and a file': { place: [directory, '-f', at('bad.properties')], status: 64, told: /exclude each other/ },
    'an unknown option': { place: [directory, '--vresion'], status: 64, told: /unknown option '--vresion'/ },
  };
}

async function makeSample(home: string, name: string) {
  await mkdir(home);
  const make = samples[name];
  assert.ok(make);
  return await make(home);
}

/** As a later version would write it: all of it holds. */
async function newerIdentity(directory: string): Promise<string> {
  const { content } = JSON.parse(await readFile(join(directory, 'channel.json'), 'utf8'));
  const newer = { ...content, version: 2 };
  return JSON.stringify({ content: newer, crc: crc32(JSON.stringify(newer)) });
}

test('what is no channel, or cannot be read, is told, and nothing is changed', async (t) => {
  const home = await tempDir(t);
  const places = await badPlaces(home);
  const before = await snapshotOf(home);
  let count = 0;
  for (const [name, { place, status, told }] of Object.entries(places)) {
    for (const verb of [...verbs, ...endless]) {
      // It goes by checksums then.
      if (name === 'a missing key' && verb[0] === 'verify') continue;
      for (const json of [[], ['--json']]) {
        const ran = await forebay(...lineOf(verb, place, home), ...json);
        const what = `${verb.join(' ')} of ${name}: ${ran.stderr}`;
        assert.equal(ran.status, status, what);
        assert.match(ran.stderr, told, what);
        assert.equal(ran.stdout, '', what);
        count += 1;
      }
    }
  }
  assert.deepEqual(await snapshotOf(home), before);
  console.log(`shows: bad input: ${Object.keys(places).length} bad places, ${count} command lines refused`);
});

test('without permission: told so, and nothing is changed; to read it suffices to be able to read', async (t) => {
  const home = await tempDir(t);
  const { directory } = await makeSample(join(home, 'c1'), 'prepared');
  await chmod(home, 0o755);
  await chmod(join(home, 'c1'), 0o755);
  const before = await snapshotOf(home);
  const { mode } = await stat(directory);
  await chmod(directory, 0);
  await asNobody(async () => {
    for (const verb of [...verbs, ...endless]) {
      const { status, stderr, stdout } = await forebay(...lineOf(verb, [directory], home));
      assert.deepEqual([status, stdout], [1, ''], `${verb.join(' ')}: ${stderr}`);
      assert.match(stderr, /permission denied.*c1\/c1.*\nrun as the user that the agent runs as/);
    }
  });
  await chmod(directory, mode);
  assert.deepEqual(await snapshotOf(home), before);
  await chmod(join(directory, 'checkpoint/channel.json'), 0o444);
  for (const name of await readdir(directory)) await chmod(join(directory, name), 0o555);
  for (const path of [directory, home]) await chmod(path, 0o555);
  const readable = await snapshotOf(home);
  await asNobody(async () => {
    for (const verb of verbs) {
      const { status, stderr } = await forebay(...lineOf(verb, [directory], home));
      const isWriting = verb.some((word) => ['rewind', 'resolve', 'backup', 'export', '--apply'].includes(word));
      assert.equal(status, isWriting ? 1 : 0, `${verb.join(' ')}: ${stderr}`);
      if (isWriting) assert.match(stderr, /EACCES|permission/, verb.join(' '));
    }
  });
  assert.deepEqual(await snapshotOf(home), readable);
  for (const path of [home, directory, join(directory, 'checkpoint')]) await chmod(path, 0o755);
});

test('a channel of which only some files were copied is damaged, not unknown', async (t) => {
  const home = await tempDir(t);
  const { directory } = await makeSample(join(home, 'c1'), 'healthy');
  const segments = (await readdir(directory)).filter((name) => /^[0-9a-f]{16}\.seg$/.test(name));
  const [first = '', , , last = ''] = segments;
  assert.equal(segments.length, 4);
  for (const [name, gone, cut] of [
    ['without its first segment', first, ''],
    ['without its last segment', last, ''],
    ['with a last segment that is cut', '', last],
  ] as const) {
    const copy = join(home, name.replaceAll(' ', '-'));
    await cp(directory, copy, { recursive: true, filter: (path) => gone === '' || !path.endsWith(gone) });
    if (cut !== '') await truncate(join(copy, cut), 10_000);
    const before = await snapshotOf(copy);
    for (const verb of ['stats', 'verify']) {
      const { status, stdout } = await forebay('channel', verb, copy);
      assert.equal(status, 2, `${verb} ${name}: ${stdout}`);
      assert.match(stdout, /[1-9]\d* events lost/, `${verb} ${name}`);
    }
    assert.deepEqual(await snapshotOf(copy), before);
  }
});

test('values that options do not take are usage errors', async (t) => {
  const { directory } = await makeSample(join(await tempDir(t), 'c1'), 'prepared');
  const lines: Readonly<Record<string, RegExp>> = {
    'dump --limit -1': /--limit '-1': a whole number is due/,
    'dump --limit 1.5': /--limit '1.5': a whole number is due/,
    'dump --limit': /argument missing/,
    'dump --from yesterday': /--from 'yesterday': a sequence, or a time as/,
    'dump --to 2026-13-45': /--to '2026-13-45'/,
    'dump --state done': /--state 'done' is not allowed: one of pending, prepared, acked, lost/,
    'dump --segment zz': /--segment 'zz'/,
    'dump --format xml': /--format 'xml' is not allowed: one of ndjson, text, raw/,
    'dump --where host': /HEADER=VALUE is due/,
    'tail --from soon': /--from 'soon': a sequence, or a time as/,
    'tail --last 1.5': /--last '1.5': a whole number is due/,
    'tail --last 5 --from 1': /--from and --last exclude each other/,
    'tail --where host': /HEADER=VALUE is due/,
    'tail --format xml': /--format 'xml' is not allowed: one of ndjson, text, raw/,
    'replay --rate fast': /--rate/,
    'replay --rate 0': /--rate/,
    'replay --sink k1': /--sink needs --conf-file and --name/,
    rewind: /--to is missing/,
    'rewind --to soon': /--to 'soon'/,
    'resolve 1-1': /one of --commit and --rollback is due/,
    'resolve 1-1 --commit --rollback': /one of --commit and --rollback is due/,
    'repair --aply': /unknown option '--aply'/,
    backup: /DEST is missing/,
    export: /OUT is missing/,
    'export out.avro --codec snappy': /--codec 'snappy' is not allowed: one of deflate, null/,
    'export out.avro --state done': /--state 'done' is not allowed/,
    'export out.avro --limit all': /--limit 'all': a whole number is due/,
    'export out.avro --to soon': /--to 'soon'/,
    'export out.avro more': /too many arguments/,
    import: /FILE is missing/,
    'import in.avro more': /too many arguments/,
    'stats more': /too many arguments/,
  };
  const before = await snapshotOf(directory);
  for (const [line, told] of Object.entries(lines)) {
    const { status, stdout, stderr } = await forebay(...lineOf(line.split(' '), [directory]));
    assert.deepEqual([status, stdout], [64, ''], `${line}: ${stderr}`);
    assert.match(stderr, told, line);
  }
  assert.deepEqual(await snapshotOf(directory), before);
});
