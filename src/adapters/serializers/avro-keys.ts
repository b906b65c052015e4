/** Keys of every serializer that writes Avro container files. */
import { integer, type Key, type KeyType, optional } from '../../agent/contracts/keys.ts';
import { type AvroCodec, isAvroCodec } from './avro-container.ts';

/** See avroKeys. */
export interface AvroKeys extends Record<string, Key<unknown>> {
  readonly syncIntervalBytes: Key<number>;
  readonly compressionCodec: Key<AvroCodec>;
}

/** Codecs that Avro has and that nothing kept here writes. */
const unwritable = /^(?:bzip2|xz|zstandard)$/;

const codec: KeyType<AvroCodec> = {
  name: 'null, deflate, snappy',
  parse: (text) => {
    if (isAvroCodec(text)) return { value: text };
    if (unwritable.test(text))
      return { problem: `'${text}' cannot be written: use snappy or deflate, or null for none` };
    return { value: 'null', warning: `'${text}' is no codec of Avro, and counts as null: not compressed` };
  },
};

/** With Flume's names and defaults. */
export const avroKeys: AvroKeys = {
  syncIntervalBytes: optional(integer(32, 2 ** 30), 2_048_000, {
    unit: 'bytes',
    does: 'about how much one block of the file holds before it is compressed; each transaction ends one as well',
  }),
  compressionCodec: optional(codec, 'null', {
    does: 'how blocks are compressed',
    standing: { differs: 'bzip2, xz and zstandard are refused: use snappy or deflate' },
  }),
};
