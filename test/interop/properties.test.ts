/** Our reading of `.properties` against java.util.Properties itself, over generated texts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { parseProperties } from '../../src/config/properties.ts';
import { root } from '../support/source.ts';

type Pairs = readonly (readonly [key: string, value: string])[];

const textCount = 4000;
const hasJava = spawnSync('java', ['-version']).status === 0;
const isAsked = process.env['FOREBAY_INTEROP'] === '1';
const skip = hasJava || isAsked ? false : 'no java on this machine; FOREBAY_INTEROP=1 makes that a failure';

/** What Java makes of each text, sorted by key; undefined where it throws. */
function readWithJava(texts: readonly string[]): (Pairs | undefined)[] {
  const input = [int(texts.length), ...texts.flatMap((text) => [int(text.length), Buffer.from(text, 'latin1')])];
  const program = join(root, 'test/interop/PrintProperties.java');
  const child = spawnSync('java', [program], { input: Buffer.concat(input), maxBuffer: 1 << 28, timeout: 60_000 });
  assert.equal(child.status, 0, child.stderr.toString());
  let at = 0;
  const readInt = (): number => {
    at += 4;
    return child.stdout.readInt32BE(at - 4);
  };
  const readText = (): string => {
    const bytes = readInt() * 2;
    at += bytes;
    return Buffer.from(child.stdout.subarray(at - bytes, at))
      .swap16()
      .toString('utf16le');
  };
  return texts.map(() => {
    const count = readInt();
    return count < 0 ? undefined : Array.from({ length: count }, () => [readText(), readText()] as const);
  });
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function readHere(text: string): Pairs | undefined {
  const { properties, problems } = parseProperties(text);
  if (problems.length > 0) return undefined;
  const merged = new Map(properties.map(({ key, value }) => [key, value]));
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Of a backslash that nothing follows, Java makes an empty key with an empty value; that is no property. */
function comparable(text: string, pairs: Pairs | undefined): Pairs | undefined {
  const endsAlone = /(?:^|[\r\n])[ \t\f]*\\(?:\r\n|\r|\n)?$/.test(text);
  return endsAlone ? pairs?.filter(([key]) => key !== '') : pairs;
}

const pieces = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'u', 't', 'n', 'r', 'f', '0', '\u00e9', '\u0085', '\u00a0', '\0') },
  { weight: 6, arbitrary: fc.constantFrom(' ', '\t', '\f', '=', ':', '#', '!', '\\') },
  { weight: 3, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\\\n', '\\\r\n', '\\\r') },
  { weight: 2, arbitrary: fc.constantFrom('\\u0041', '\\u003d', '\\u20AC', '\\u00\\\n41', '\\u12', '\\\\', '\\ ') },
);
const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));

test('texts mean what they mean to Java', { skip }, () => {
  const seed = Number(process.env['FOREBAY_SEED'] ?? 20_401);
  const generated = fc.sample(texts, { seed, numRuns: textCount });
  const java = readWithJava(generated);
  let refused = 0;
  for (const [index, text] of generated.entries()) {
    if (java[index] === undefined) refused += 1;
    const message = `FOREBAY_SEED=${seed}, text ${index}: ${JSON.stringify(text)}`;
    assert.deepEqual(comparable(text, readHere(text)), comparable(text, java[index]), message);
  }
  assert.ok(refused > textCount / 100 && refused < textCount / 2, `Java refused ${refused} of ${textCount}`);
});
