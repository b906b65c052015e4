/** The name that Avro gives a schema: CRC-64-AVRO of its parsing canonical form. */
import type { Type } from 'avsc';

const empty = 0xc15d213aa4d7a795n;
const table: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? empty : 0n);
  return value;
});

/** In hexadecimal, the lowest byte first, as Java's SchemaNormalization gives its bytes. */
export function schemaFingerprint(type: Type): string {
  let hash = empty;
  for (const byte of Buffer.from(JSON.stringify(type.schema()))) {
    hash = (hash >> 8n) ^ (table[Number((hash ^ BigInt(byte)) & 0xffn)] ?? 0n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(hash);
  return bytes.toString('hex');
}
