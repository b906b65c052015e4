/** Streams of bytes in Java's charsets: cut anywhere, malformed, under each policy. See java-table.test.ts as well. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Charset,
  charset,
  type DecodeErrorPolicy,
  findCharset,
} from '../../../../src/agent/contracts/java/charset.ts';

function known(name: string): Charset {
  const found = findCharset(name);
  assert.ok(found !== undefined, name);
  return found;
}

interface Outcome {
  readonly text: string;
  readonly malformedAt: number | undefined;
  readonly malformedCount: number;
}

/** Decodes in writes of `size` bytes from a buffer that is used again for each, as a file reader does. */
function decodeBy(size: number, name: string, bytes: Buffer, policy: DecodeErrorPolicy): Outcome {
  const decoder = known(name).decoder(policy);
  const buffer = Buffer.alloc(size);
  let text = '';
  let malformedAt: number | undefined;
  for (let at = 0; at < bytes.length; at += size) {
    const count = bytes.copy(buffer, 0, at);
    const decoded = decoder.write(buffer.subarray(0, count));
    text += decoded.text;
    malformedAt ??= decoded.malformedAt;
  }
  const last = decoder.end();
  return {
    text: text + last.text,
    malformedAt: malformedAt ?? last.malformedAt,
    malformedCount: decoder.malformedCount,
  };
}

const utf8 = Buffer.from('61c3a4e4b8adf09f988062ff63e4b87ac0afedaaaa64f09f98', 'hex');

test('a stream may be cut anywhere', () => {
  for (let size = 1; size <= utf8.length; size += 1) {
    const replaced = decodeBy(size, 'UTF-8', utf8, 'REPLACE');
    assert.equal(replaced.text, 'aä中😀b\ufffdc\ufffdz\ufffd\ufffd\ufffdd\ufffd', `${size} bytes`);
    assert.equal(replaced.malformedCount, 6);
    assert.equal(decodeBy(size, 'UTF-8', utf8, 'IGNORE').text, 'aä中😀bczd');
    assert.deepEqual(decodeBy(size, 'UTF-8', utf8, 'FAIL'), { text: 'aä中😀b', malformedAt: 11, malformedCount: 1 });
  }
  for (const name of ['GBK', 'GB18030', 'Shift_JIS', 'EUC-JP', 'Big5', 'UTF-16', 'UTF-16LE', 'UTF-16BE', 'EUC-KR']) {
    const text = name === 'EUC-KR' ? 'a한국어b' : name.startsWith('UTF') ? 'a日😀b' : 'a日本中文b';
    const bytes = known(name).encode(text);
    for (const size of [1, 2, 3, 5, 100]) {
      const expected = { text, malformedAt: undefined, malformedCount: 0 };
      assert.deepEqual(decodeBy(size, name, bytes, 'FAIL'), expected, `${name} by ${size}`);
    }
  }
});

test('the place of malformed bytes is known', () => {
  const places: readonly (readonly [string, string, number])[] = [
    ['UTF-8', '6162e4b8', 2],
    ['UTF-8', '61f0808080', 1],
    ['UTF-8', '61e0808062', 1],
    ['US-ASCII', '6162e463', 2],
    ['UTF-16', 'feff00610062d83d', 6],
    ['UTF-16LE', '61003dd8610061', 2],
    ['UTF-16BE', '006161', 2],
    ['GBK', '61d6d0ff62', 3],
    ['windows-1252', '618162', 1],
  ];
  for (const [name, hex, malformedAt] of places) {
    const outcome = decodeBy(100, name, Buffer.from(hex, 'hex'), 'FAIL');
    assert.equal(outcome.malformedAt, malformedAt, `${name} ${hex}`);
  }
});

test('a decoder that has failed says nothing more', () => {
  const decoder = known('UTF-8').decoder('FAIL');
  assert.deepEqual(decoder.write(Buffer.from('61ff62', 'hex')), { text: 'a', malformedAt: 1 });
  assert.deepEqual(decoder.write(Buffer.from('63')), { text: '', malformedAt: undefined });
  assert.deepEqual(decoder.end(), { text: '', malformedAt: undefined });
});

test('the type of a key takes the names of Java and no others', () => {
  for (const name of ['utf-8', 'UTF8', 'Cp1252', 'iso8859_1', 'LATIN1', 'sjis'])
    assert.ok('value' in charset.parse(name), name);
  for (const name of ['utf-9', 'UTF-7', 'base64', 'hex', 'binary', 'ucs2', '__proto__']) {
    const parsed = charset.parse(name);
    assert.ok('problem' in parsed, name);
    assert.match(parsed.problem, /is not allowed: a charset as UTF-8/);
  }
});

test('what a charset does not have becomes one ?, U+FFFD too, as Java 17 writes it', () => {
  const narrow = [
    ...['US-ASCII', 'ISO-8859-1', 'ISO-8859-3', 'ISO-8859-7', 'windows-1250', 'windows-1251', 'windows-1252'],
    ...['windows-1253', 'windows-1255', 'windows-1257', 'KOI8-R', 'IBM437', 'TIS-620', 'GBK', 'GB2312', 'Big5'],
    ...['Shift_JIS', 'windows-31j', 'EUC-JP', 'EUC-KR'],
  ];
  for (const name of narrow) {
    for (const text of ['\ufffd', '\ud83d\ude00', '\ud800']) {
      assert.equal(known(name).encode(`a${text}b`).toString('latin1'), 'a?b', `${name} ${JSON.stringify(text)}`);
    }
  }
  for (const name of narrow.slice(0, narrow.indexOf('GBK'))) {
    assert.equal(known(name).encode('中').toString('latin1'), '?', name);
  }
  assert.equal(known('GB18030').encode('\ufffd').toString('hex'), '8431a437');
  assert.equal(known('UTF-8').encode('\ufffd').toString('hex'), 'efbfbd');
});

test('half a pair of surrogates becomes ? in UTF-8, and U+FFFD in UTF-16, as Java 17 writes it', () => {
  const text = 'ä\ud800b\udc00\ud83d\ud83d\ude00\ud800';
  const written = {
    'UTF-8': 'c3a43f623f3ff09f98803f',
    'UTF-16': 'feff00e4fffd0062fffdfffdd83dde00fffd',
    'UTF-16BE': '00e4fffd0062fffdfffdd83dde00fffd',
    'UTF-16LE': 'e400fdff6200fdfffdff3dd800defdff',
  };
  for (const [name, hex] of Object.entries(written)) assert.equal(known(name).encode(text).toString('hex'), hex, name);
  assert.equal(known('UTF-8').encode('\udc00').toString(), '?');
  assert.equal(known('UTF-8').encode('ä😀\ufffd').toString(), 'ä😀\ufffd');
});
