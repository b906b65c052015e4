/** Reads a SequenceFile without Hadoop, as plain as its format. Sees blocks compressed by DefaultCodec. */
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';

/** What a file holds. `marks`: before which records a reader of one split can begin. */
export interface SequenceFile {
  readonly classes: readonly string[];
  readonly sync: Buffer;
  readonly records: readonly { readonly timestampMs: number; readonly body: Buffer }[];
  readonly marks: readonly number[];
}

/** Fails where a length does not hold, or a block has a part too many. */
export function readSequenceFile(file: Buffer): SequenceFile {
  const cursor = new Cursor(file);
  assert.deepEqual([...cursor.take(4)], [0x53, 0x45, 0x51, 6]);
  const classes = [cursor.string(), cursor.string()];
  const [compressed, byBlock] = cursor.take(2);
  assert.equal(compressed, byBlock);
  if (byBlock === 1) classes.push(cursor.string());
  assert.equal(cursor.int32(), 0);
  const sync = cursor.take(16);
  const records: { timestampMs: number; body: Buffer }[] = [];
  const marks: number[] = [];
  const isText = classes[1]?.endsWith('.Text') === true;
  const add = (key: Buffer, value: Buffer): void => {
    assert.equal(key.length, 8);
    const reader = new Cursor(value);
    const body = reader.take(isText ? reader.vint() : reader.int32());
    assert.ok(reader.isAtEnd);
    records.push({ timestampMs: Number(key.readBigInt64BE()), body });
  };
  while (!cursor.isAtEnd) {
    const length = cursor.int32();
    if (length >= 0) {
      assert.equal(byBlock, 0);
      const keyLength = cursor.int32();
      add(cursor.take(keyLength), cursor.take(length - keyLength));
      continue;
    }
    assert.equal(length, -1);
    assert.deepEqual(cursor.take(16), sync);
    marks.push(records.length);
    if (byBlock === 1) for (const [key, value] of readBlock(cursor)) add(key, value);
  }
  return { classes, sync, records, marks };
}

function readBlock(cursor: Cursor): [Buffer, Buffer][] {
  const count = cursor.vint();
  const part = (): Cursor => new Cursor(inflateSync(cursor.take(cursor.vint())));
  const [keyLengths, keys, valueLengths, values] = [part(), part(), part(), part()];
  const pairs = Array.from({ length: count }, (): [Buffer, Buffer] => [
    keys.take(keyLengths.vint()),
    values.take(valueLengths.vint()),
  ]);
  for (const each of [keyLengths, keys, valueLengths, values]) assert.ok(each.isAtEnd);
  return pairs;
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(count: number): Buffer {
    assert.ok(this.#at + count <= this.#bytes.length, 'the bytes end early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  vint(): number {
    const first = this.take(1).readInt8();
    if (first >= -112) return first;
    const bytes = -112 - first;
    return this.take(bytes).readUIntBE(0, bytes);
  }

  string(): string {
    return this.take(this.vint()).toString();
  }
}
