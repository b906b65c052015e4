/**
 * Java's JCEKS key stores, in which Flume keeps the keys of an encrypted file channel. Each secret key is a Java
 * object, sealed with a password by PBEWithMD5AndTripleDES; the whole has a sum that the store's password goes into.
 * OpenJDK: JceKeyStore, KeyProtector, PBES1Core.
 */
import { createDecipheriv, createHash, hash, timingSafeEqual } from 'node:crypto';
import { type JavaObject, type JavaValue, readJavaObject } from './java-object.ts';

const magic = 0xcececece;
const secretKeyTag = 3;
const digestBytes = 20;
const whitener = 'Mighty Aphrodite';
const iterationsMax = 5_000_000;

/** A sealed key. */
export interface SealedKey {
  readonly alias: string;
  readonly sealed: JavaObject;
}

/** The secret keys of a store, sealed. @throws {Error} a sentence without the file's name. */
export function readKeyStore(bytes: Buffer, password: string): readonly SealedKey[] {
  if (bytes.length < 12 + digestBytes || bytes.readUInt32BE(0) !== magic) throw new Error('it is no JCEKS key store');
  const content = bytes.subarray(0, bytes.length - digestBytes);
  const sum = createHash('sha1')
    .update(Buffer.from(password, 'utf16le').swap16())
    .update(whitener)
    .update(content)
    .digest();
  if (!timingSafeEqual(sum, bytes.subarray(bytes.length - digestBytes))) {
    throw new Error('the password is wrong, or the file was changed');
  }
  const keys: SealedKey[] = [];
  const count = content.readUInt32BE(8);
  let at = 12;
  try {
    for (let index = 0; index < count; index += 1) {
      if (content.readUInt32BE(at) !== secretKeyTag)
        throw new Error('it holds more than secret keys: make one for Flume alone');
      const length = content.readUInt16BE(at + 4);
      const alias = content.subarray(at + 6, at + 6 + length).toString();
      const from = at + 6 + length + 8;
      const found = readJavaObject(content.subarray(from));
      if (found === undefined) throw new Error(`the key '${alias}' is not sealed as Java seals keys`);
      keys.push({ alias, sealed: found.object });
      at = from + found.end;
    }
  } catch (error) {
    throw error instanceof RangeError ? new Error('it ends too early') : error;
  }
  return keys;
}

/** The key's bytes. @throws {Error} where the password is wrong, or it is sealed in another way. */
export function unsealKey({ alias, sealed }: SealedKey, password: string): Buffer {
  const { fields } = sealed;
  const algorithm = fields.get('paramsAlg');
  const encryptedContent = fields.get('encryptedContent');
  const parameters = parametersIn(fields.get('encodedParams'));
  if (algorithm !== 'PBEWithMD5AndTripleDES' || !(encryptedContent instanceof Buffer) || parameters === undefined) {
    throw new Error(`the key '${alias}' is sealed in a way that is not read (${String(algorithm)})`);
  }
  const { key, iv } = derive(password, parameters);
  let opened: Buffer;
  try {
    const decipher = createDecipheriv('des-ede3-cbc', key, iv);
    opened = Buffer.concat([decipher.update(encryptedContent), decipher.final()]);
  } catch {
    throw new Error(`the password of the key '${alias}' is wrong`);
  }
  const secret = secretIn(readJavaObject(opened)?.object);
  if (secret === undefined) throw new Error(`the key '${alias}' is none of Java's secret keys`);
  return secret;
}

interface PbeParameters {
  readonly salt: Buffer;
  readonly iterations: number;
}

/** DER: SEQUENCE { OCTET STRING of 8 bytes, INTEGER }. */
function parametersIn(value: JavaValue): PbeParameters | undefined {
  if (!(value instanceof Buffer) || value.length < 15 || value[0] !== 0x30 || value[2] !== 4 || value[3] !== 8) {
    return undefined;
  }
  const length = value[13] ?? 0;
  if (value[12] !== 2 || length < 1 || length > 4 || value.length < 14 + length) return undefined;
  const iterations = value.readIntBE(14, length);
  if (iterations < 1 || iterations > iterationsMax) return undefined;
  return { salt: value.subarray(4, 12), iterations };
}

/** As PBES1Core derives it, a mistake in the mixing of equal halves included. */
function derive(password: string, { salt, iterations }: PbeParameters): { readonly key: Buffer; readonly iv: Buffer } {
  const mixed = Buffer.from(salt);
  if (mixed.subarray(0, 4).equals(mixed.subarray(4))) {
    for (let index = 0; index < 2; index += 1) {
      const kept = mixed[index] ?? 0;
      mixed[index] = mixed[3 - index] ?? 0;
      mixed[2] = kept;
    }
  }
  const halves = [mixed.subarray(0, 4), mixed.subarray(4)].map((half) => {
    const secret = Buffer.from(password, 'latin1');
    let digest: Buffer = half;
    // Java makes it 200,000 rounds.
    for (let round = 0; round < iterations; round += 1) digest = hash('md5', Buffer.concat([digest, secret]), 'buffer');
    return digest;
  });
  const derived = Buffer.concat(halves);
  return { key: derived.subarray(0, 24), iv: derived.subarray(24) };
}

/** SecretKeySpec has its bytes in `key`, a KeyRep in `encoded`. */
function secretIn(object: JavaObject | undefined): Buffer | undefined {
  const bytes = object?.fields.get('key') ?? object?.fields.get('encoded');
  return bytes instanceof Buffer ? Buffer.from(bytes) : undefined;
}
