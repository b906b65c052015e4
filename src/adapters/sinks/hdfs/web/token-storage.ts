/**
 * Delegation tokens as they lie in files: the text that WebHDFS gives for one, or Hadoop's own token storage file
 * (`hdfs fetchdt`, `HADOOP_TOKEN_FILE_LOCATION`), of which there are two versions.
 *
 *     text         base64url of a token, or what GETDELEGATIONTOKEN answers: {"Token":{"urlString":"…"}}
 *     token        vint length, identifier; vint length, password; vint length, kind; vint length, service
 *     storage 0    "HDTS" 00, vint count, count × (vint length, alias; token), then secrets, which are not read
 *     storage 1    "HDTS" 01, varint length, protobuf CredentialsProto
 *
 * The bytes are anyone's: what they claim is checked against what there is before anything is made of it.
 */

/** One token. */
export interface StoredToken {
  /** `HDFS_DELEGATION_TOKEN`, `WEBHDFS delegation`, … */
  readonly kind: string;
  /** Whom it is for: `10.0.0.1:8020`, `ha-hdfs:cluster`. */
  readonly service: string;
  /** As WebHDFS takes it. */
  readonly text: string;
}

/** The bytes are no such file. A sentence. */
export class TokenFormatError extends Error {
  override readonly name = 'TokenFormatError';
}

const magic = Buffer.from('HDTS');
/** Of a protobuf field: what follows it. */
const wire = { varint: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const;

/**
 * All tokens of a file, secrets left out.
 *
 * @throws {TokenFormatError}
 */
export function tokensIn(bytes: Buffer): readonly StoredToken[] {
  if (!bytes.subarray(0, magic.length).equals(magic)) return [tokenOfText(bytes.toString().trim())];
  const version = bytes[magic.length];
  const rest = new ByteCursor(bytes.subarray(magic.length + 1));
  if (version === 0) return storageZero(rest);
  if (version === 1) return storageOne(rest);
  throw new TokenFormatError(`it is a token storage file of version ${version}, of which 0 and 1 are known`);
}

/** Forward through bytes that may end anywhere. */
class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(count: number): Buffer {
    const left = this.#bytes.length - this.#at;
    if (count < 0 || count > left) throw new TokenFormatError(`${count} bytes are due where ${left} are left`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Hadoop's WritableUtils.readVInt. */
  vint(): number {
    const first = this.take(1).readInt8();
    if (first >= -112) return first;
    const isNegative = first < -120;
    const length = isNegative ? -120 - first : -112 - first;
    if (length > 4) throw new TokenFormatError(`a number of ${length} bytes is no length`);
    const value = this.take(length).readUIntBE(0, length);
    return isNegative ? -1 - value : value;
  }

  /** Of protobuf. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const [byte = 0] = this.take(1);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new TokenFormatError('a number of more than five bytes is no length');
  }

  /** Bytes behind their own length. */
  counted(): Buffer {
    return this.take(this.vint());
  }
}

function tokenOfText(text: string): StoredToken {
  const token = text.startsWith('{') ? urlStringIn(text) : text;
  if (!/^[\w-]+={0,2}$/.test(token)) {
    throw new TokenFormatError('it is neither the text of a token nor a token storage file of Hadoop');
  }
  return tokenAt(new ByteCursor(Buffer.from(token, 'base64url')), token);
}

function urlStringIn(text: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new TokenFormatError('it begins with { and is no JSON');
  }
  const { urlString } = ((answer as { Token?: unknown }).Token ?? {}) as { readonly urlString?: unknown };
  if (typeof urlString === 'string') return urlString;
  throw new TokenFormatError('it is JSON without {"Token":{"urlString":"…"}}');
}

/** `text`: the same, where it was text. */
function tokenAt(cursor: ByteCursor, text?: string): StoredToken {
  const fields = [cursor.counted(), cursor.counted(), cursor.counted(), cursor.counted()] as const;
  const [, , kind, service] = fields;
  return { kind: kind.toString(), service: service.toString(), text: text ?? textOf(fields) };
}

function storageZero(cursor: ByteCursor): readonly StoredToken[] {
  const tokens: StoredToken[] = [];
  for (let left = cursor.vint(); left > 0; left -= 1) {
    cursor.counted();
    tokens.push(tokenAt(cursor));
  }
  return tokens;
}

/** CredentialsProto: 1: { 1: alias, 2: { 1: identifier, 2: password, 3: kind, 4: service } }. */
function storageOne(cursor: ByteCursor): readonly StoredToken[] {
  const message = cursor.take(cursor.varint());
  return fieldsOf(message, 1).flatMap((entry) =>
    fieldsOf(entry, 2).map((token) => {
      const field = (number: number): Buffer => fieldsOf(token, number).at(-1) ?? Buffer.alloc(0);
      const fields = [field(1), field(2), field(3), field(4)] as const;
      return { kind: fields[2].toString(), service: fields[3].toString(), text: textOf(fields) };
    }),
  );
}

/** The contents of a message's fields of this number that are bytes. */
function fieldsOf(message: Buffer, number: number): readonly Buffer[] {
  const found: Buffer[] = [];
  const cursor = new ByteCursor(message);
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    const type = tag % 8;
    if (type === wire.bytes) {
      const content = cursor.take(cursor.varint());
      if (Math.floor(tag / 8) === number) found.push(content);
    } else if (type === wire.varint) cursor.varint();
    else if (type === wire.eightBytes) cursor.take(8);
    else if (type === wire.fourBytes) cursor.take(4);
    else throw new TokenFormatError(`a field of type ${type} is not of protobuf 3`);
  }
  return found;
}

function textOf(fields: readonly Buffer[]): string {
  return Buffer.concat(fields.flatMap((field) => [vintOf(field.length), field])).toString('base64url');
}

/** Hadoop's WritableUtils.writeVInt, of a length. */
function vintOf(value: number): Buffer {
  if (value <= 127) return Buffer.from([value]);
  const length = Math.ceil(value.toString(16).length / 2);
  const bytes = Buffer.alloc(1 + length);
  bytes.writeInt8(-112 - length);
  bytes.writeUIntBE(value, 1, length);
  return bytes;
}
