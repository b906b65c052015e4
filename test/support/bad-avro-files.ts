/** Avro files that an import must refuse: no Avro, not its events, damaged, or made to do harm. */
import { deflateRawSync } from 'node:zlib';
import { AvroContainer } from '../../src/adapters/serializers/avro-container.ts';
import { avroEvent, avroFile, avroLong, flumeSchema, numberedEvents } from './avro-events.ts';

/** One file. */
interface BadFile {
  readonly bytes: Buffer;
  /** What an import says of it. */
  readonly told: RegExp;
  /** Events before what is bad: they are put. Undefined where nothing is, and no channel is made. */
  readonly good?: number;
}

type BadFiles = Readonly<Record<string, BadFile>>;

/** All of them. Up to 20 of their events are numbered from 0. */
export function badAvroFiles(): BadFiles {
  return { ...badHeaders(), ...badBlocks(), ...badRecords() };
}

const headersOnly = {
  type: 'record',
  name: 'R',
  fields: [{ name: 'headers', type: { type: 'map', values: 'string' } }],
};

const body = { name: 'body', type: 'bytes' };
const event: Buffer = avroEvent({ headers: { a: 'b' }, body: Buffer.from('x') });

function schemaWith(...fields: object[]): string {
  return JSON.stringify({ ...headersOnly, fields: [...headersOnly.fields, ...fields] });
}

/** A file of one block with these bytes for data, said to be `count` records. */
function oneBlock(schema: string, count: number, data: Buffer, codec: 'null' | 'deflate' = 'null'): Buffer {
  const container = new AvroContainer(schema, codec);
  return Buffer.concat([container.header(), ...container.storedBlock(count, data)]);
}

function withCodec(name: string): Buffer {
  // Another text in place of the codec's name, as long as it.
  const { bytes } = avroFile(numberedEvents(0, 10), { blockEvents: 10, codec: 'deflate' });
  const at = bytes.indexOf('deflate', bytes.indexOf('avro.codec'));
  bytes.write(name, at);
  return bytes;
}

/** Two good blocks, of ten events each, and what is given behind them. */
class Behind {
  readonly #good = avroFile(numberedEvents(0, 40), { blockEvents: 10 });
  readonly offset: number = this.#good.blocksAt[2] ?? 0;

  bytes(...parts: Buffer[]): Buffer {
    return Buffer.concat([this.#good.bytes.subarray(0, this.offset), ...parts]);
  }

  block(count: number, data: Buffer): Buffer {
    return this.bytes(avroLong(count), avroLong(data.length), data, this.sync);
  }

  get sync(): Buffer {
    return this.#good.bytes.subarray(-16);
  }

  /** The third block, with its marker, as it was. */
  get third(): Buffer {
    return Buffer.from(this.#good.bytes.subarray(this.offset, this.#good.blocksAt[3]));
  }

  told(what: string): RegExp {
    return new RegExp(`in\\.avro has a .*damaged.* Avro block at byte ${this.offset}.*${what}`);
  }
}

function badHeaders(): BadFiles {
  return {
    'an empty file': { bytes: Buffer.alloc(0), told: /is no Avro object container file/ },
    text: { bytes: Buffer.from('{"body":"x"}\n'.repeat(100)), told: /is no Avro object container file/ },
    'a file that ends in its header': {
      bytes: avroFile(numberedEvents(0, 10), { blockEvents: 10 }).bytes.subarray(0, 100),
      told: /ends within its Avro header/,
    },
    'a header that claims gigabytes': {
      bytes: Buffer.concat([Buffer.from('Obj\u0001'), avroLong(1), avroLong(2 ** 40), Buffer.alloc(100)]),
      told: /ends within its Avro header/,
    },
    'a schema that is none': {
      bytes: oneBlock('{"type":"rec', 1, event),
      told: /has a schema that is not that of a record/,
    },
    'a schema of longs': { bytes: oneBlock('"long"', 1, avroLong(7)), told: /not that of a record \(.*its type is/ },
    'records without a body': {
      bytes: oneBlock(schemaWith(), 1, event),
      told: /has no field `body`: due is a record with/,
    },
    'records without headers': {
      bytes: oneBlock(JSON.stringify({ ...headersOnly, fields: [body] }), 1, event),
      told: /has no field `headers`/,
    },
    'a body that is a string': {
      bytes: oneBlock(schemaWith({ name: 'body', type: 'string' }), 1, event),
      told: /has another field `body`/,
    },
    'headers that are numbers': {
      bytes: oneBlock(
        JSON.stringify({ ...headersOnly, fields: [{ name: 'headers', type: { type: 'map', values: 'long' } }, body] }),
        1,
        event,
      ),
      told: /has another field `headers`/,
    },
    'a codec that cannot be read': {
      bytes: withCodec('zstanda'),
      told: /has the codec 'zstanda': due is one of null, deflate, snappy/,
    },
  };
}

function badBlocks(): BadFiles {
  const behind = new Behind();
  const wrongSync = behind.third;
  wrongSync.writeUInt8(wrongSync.readUInt8(wrongSync.length - 1) ^ 1, wrongSync.length - 1);
  return {
    'a file that ends in a block': {
      bytes: behind.bytes(behind.third.subarray(0, 50)),
      told: behind.told(''),
      good: 20,
    },
    'a wrong sync marker': {
      bytes: behind.bytes(wrongSync, behind.third),
      told: behind.told('its sync marker is wrong'),
      good: 20,
    },
    'a block that claims 2 GiB': {
      bytes: behind.bytes(avroLong(10), avroLong(2 ** 31), behind.third.subarray(3)),
      told: behind.told(''),
      good: 20,
    },
    'a block of a negative size': {
      bytes: behind.bytes(avroLong(10), avroLong(-5), behind.sync),
      told: behind.told(''),
      good: 20,
    },
    'deflated bytes that are none': {
      bytes: oneBlock(flumeSchema, 1, Buffer.from('no deflate'), 'deflate'),
      told: /deflated data cannot be inflated/,
      good: 0,
    },
  };
}

function badRecords(): BadFiles {
  const behind = new Behind();
  const hostileMap = (...longs: number[]): Buffer => Buffer.concat([...longs.map(avroLong), Buffer.alloc(64)]);
  const nulls = { name: 'nulls', type: { type: 'array', items: 'null' } };
  return {
    'fewer records than it claims': {
      bytes: behind.block(2 ** 50, event),
      told: behind.told('its record 2 of'),
      good: 21,
    },
    'more records than it claims': {
      bytes: behind.block(1, Buffer.concat([event, event])),
      told: behind.told('it holds more than the 1 records'),
      good: 20,
    },
    'headers without end': {
      bytes: behind.block(1, hostileMap(2 ** 50)),
      told: behind.told('its record 1 of 1'),
      good: 20,
    },
    'headers whose block has another size': {
      // Two entries take four bytes.
      bytes: behind.block(1, hostileMap(-2, 3)),
      told: behind.told('its record 1 of 1'),
      good: 20,
    },
    'a body longer than its block': {
      bytes: behind.block(1, Buffer.concat([avroLong(0), avroLong(2 ** 33)])),
      told: behind.told('its record 1 of 1'),
      good: 20,
    },
    'values of no size without end': {
      bytes: oneBlock(schemaWith(nulls, body), 1, Buffer.concat([avroLong(0), avroLong(2 ** 52), avroLong(9)])),
      told: /Avro block at byte \d+: its record 1 of 1/,
      good: 0,
    },
    'deflated bytes behind which there is more': {
      bytes: oneBlock(flumeSchema, 1, deflateRawSync(Buffer.concat([event, Buffer.alloc(1000)])), 'deflate'),
      told: /it holds more than the 1 records/,
      good: 0,
    },
    'headers that are too large for a channel': {
      bytes: behind.block(
        2,
        Buffer.concat([event, avroEvent({ headers: { a: 'b'.repeat(2 ** 21) }, body: Buffer.alloc(0) })]),
      ),
      told: /record 2 of the block at byte \d+: .*headers of 2097153 bytes; at most/,
      good: 21,
    },
  };
}
