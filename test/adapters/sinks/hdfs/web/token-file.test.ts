/** Delegation tokens in files: their text, Hadoop's two storage formats, damaged ones, renewed ones. */
import assert from 'node:assert/strict';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { HdfsError } from '../../../../../src/adapters/sinks/hdfs/web/hdfs-error.ts';
import { TokenFile } from '../../../../../src/adapters/sinks/hdfs/web/token-file.ts';
import { TokenFormatError, tokensIn } from '../../../../../src/adapters/sinks/hdfs/web/token-storage.ts';
import { tempDir } from '../../../../support/temp-dir.ts';

/** A vint of Hadoop's where it is short, and one of two bytes behind its marker where it is not. */
function counted(bytes: Buffer): Buffer {
  const { length } = bytes;
  const size = length < 128 ? Buffer.from([length]) : Buffer.from([0x8e, length >> 8, length & 255]);
  return Buffer.concat([size, bytes]);
}

interface Parts {
  readonly identifier: Buffer;
  readonly kind: string;
  readonly service: string;
}

const password = Buffer.from('0102030405', 'hex');

function writable({ identifier, kind, service }: Parts): Buffer {
  return Buffer.concat([identifier, password, Buffer.from(kind), Buffer.from(service)].map(counted));
}

function storageZero(tokens: readonly Parts[]): Buffer {
  const entries = tokens.map((one, index) => Buffer.concat([counted(Buffer.from(`alias${index}`)), writable(one)]));
  const secrets = Buffer.from([1, 1, 0x73, 2, 9, 9]);
  return Buffer.concat([Buffer.from('HDTS\0'), Buffer.from([tokens.length]), ...entries, secrets]);
}

function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([number * 8 + 2, 0x80 | (bytes.length & 127), bytes.length >> 7]), bytes]);
}

function storageOne(tokens: readonly Parts[]): Buffer {
  const entries = tokens.map(({ identifier, kind, service }) => {
    const token = Buffer.concat([field(1, identifier), field(2, password), field(3, kind), field(4, service)]);
    return field(1, Buffer.concat([field(1, 'alias'), field(2, token)]));
  });
  const message = Buffer.concat([...entries, field(2, 'a secret')]);
  const length = Buffer.from([0x80 | (message.length & 127), message.length >> 7]);
  return Buffer.concat([Buffer.from('HDTS\u0001'), length, message]);
}

const kind = 'HDFS_DELEGATION_TOKEN';
const short: Parts = { identifier: Buffer.from('who it is'), kind, service: '127.0.0.1:8020' };
const long: Parts = { identifier: Buffer.alloc(300, 7), kind, service: 'ha-hdfs:cluster' };
const other: Parts = { identifier: Buffer.from('x'), kind: 'kms-dt', service: 'kms:9600' };

test('the text of a token, and both of the storage formats, say the same', () => {
  for (const one of [short, long]) {
    const text = writable(one).toString('base64url');
    const expected = { kind, service: one.service, text };
    assert.deepEqual(tokensIn(Buffer.from(`${text}\n`)), [expected]);
    assert.deepEqual(tokensIn(Buffer.from(JSON.stringify({ Token: { urlString: text } }))), [expected]);
    for (const store of [storageZero, storageOne]) {
      assert.deepEqual(tokensIn(store([other, one]))[1], expected);
      assert.equal(tokensIn(store([other, one]))[0]?.kind, 'kms-dt');
    }
  }
});

test('damaged bytes are refused with a sentence, whatever they claim', () => {
  const whole = [
    storageZero([short, long]),
    storageOne([short, long]),
    Buffer.from(writable(short).toString('base64url')),
  ];
  let refused = 0;
  const tryIt = (bytes: Buffer): void => {
    try {
      tokensIn(bytes);
    } catch (error) {
      assert.ok(error instanceof TokenFormatError, String(error));
      refused += 1;
    }
  };
  for (const bytes of whole) {
    for (let length = 0; length < bytes.length; length += 1) tryIt(bytes.subarray(0, length));
    for (let at = 0; at < bytes.length; at += 1) {
      for (const value of [0, 1, 0x7f, 0x80, 0x88, 0x8c, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        tryIt(changed);
      }
    }
  }
  assert.ok(refused > 1000, `${refused}`);
  for (const [bytes, says] of [
    [Buffer.from('HDTS\u0002'), /version 2, of which 0 and 1 are known/],
    [Buffer.from('HDTS\0\u008c\u007f\u00ff\u00ff\u00ff', 'latin1'), /bytes are due where 0 are left/],
    [Buffer.from('HDTS\0\u0001\u008c\u007f\u00ff\u00ff\u00ff', 'latin1'), /2147483647 bytes are due where 0 are left/],
    [Buffer.from('HDTS\u0001\u00ff\u00ff\u00ff\u00ff\u007f', 'latin1'), /bytes are due where 0 are left/],
    [Buffer.from('{"Token":null}'), /JSON without/],
    [Buffer.from('<html>'), /neither the text of a token nor/],
    [Buffer.alloc(0), /neither the text of a token nor/],
  ] as const) {
    assert.throws(() => tokensIn(bytes), says);
  }
});

test('a renewed token is read without a restart; what is damaged or away changes nothing', async (t) => {
  const path = join(await tempDir(t), 'token');
  const file = new TokenFile(path, []);
  const refuses = (says: RegExp): void => {
    assert.throws(
      () => file.current(),
      (error) => error instanceof HdfsError && error.kind === 'unauthenticated' && says.test(error.message),
    );
  };
  refuses(/no delegation token in .*token: ENOENT.*: put one there by `hdfs fetchdt`/);
  await writeFile(path, 'no token');
  refuses(/neither the text of a token nor/);
  const texts = [short, long].map((one) => writable(one).toString('base64url'));
  await writeFile(path, texts[0] ?? '');
  assert.equal(file.current(), texts[0]);
  await writeFile(path, storageZero([long]));
  // Two writes may be within one tick of the file system's clock.
  await utimes(path, 1, 1);
  assert.equal(file.current(), texts[1]);
  await writeFile(path, storageZero([short]).subarray(0, 20));
  assert.equal(file.current(), texts[1]);
  await rm(path);
  assert.equal(file.current(), texts[1]);
  await writeFile(path, storageOne([short]));
  assert.equal(file.current(), texts[0]);
});

test('of several tokens the one for this HDFS counts', async (t) => {
  const path = join(await tempDir(t), 'token');
  await writeFile(path, storageZero([other, short, long]));
  const chosen = new TokenFile(path, ['cluster', 'ha-hdfs:cluster']).current();
  assert.equal(chosen, writable(long).toString('base64url'));
  const says =
    /holds 2 tokens for HDFS, of '127\.0\.0\.1:8020', 'ha-hdfs:cluster', and which one is meant is not clear/;
  assert.throws(() => new TokenFile(path, ['ha-hdfs:third']).current(), says);
  await writeFile(path, storageZero([other]));
  assert.throws(() => new TokenFile(path, []).current(), /it holds no token for HDFS, but 'kms-dt'/);
  assert.throws(() => new TokenFile('/dev/zero', []).current(), /it is no file/);
});
