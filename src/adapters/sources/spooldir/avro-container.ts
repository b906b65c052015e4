/** Avro object container files as bytes: the header, the blocks, and one small enough to write at once. */
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import avsc from 'avsc';
import { readAvroSnappy } from '../../../agent/contracts/formats/avro-snappy.ts';
import { longAt, readBytesMap } from './avro-skip.ts';
import { readExactly, type SpooledFile } from './deserializer.ts';
import { FileProblem } from './file-problem.ts';

const syncBytes = 16;
const magic = Buffer.from('Obj\x01', 'latin1');
/** Far more than a schema takes. */
const headerBytesMax = 16 * 1024 * 1024;
/** Two longs. */
const blockHeadBytesMax = 20;
/** Of one block, also without its compression: the largest event that a channel holds, and then some. */
const blockBytesMax = 528 * 1024 * 1024;
const inflate = promisify(inflateRaw);
const longType = avsc.Type.forSchema('long');
const metadataType = avsc.Type.forSchema({ type: 'map', values: 'bytes' });

/** What a container begins with. */
export interface ContainerHeader {
  readonly metadata: ReadonlyMap<string, Buffer>;
  readonly sync: Buffer;
  /** Offset of the first block. */
  readonly end: number;
}

/** One block, where it is and what it holds. */
export interface BlockHead {
  readonly offset: number;
  readonly records: number;
  /** Offset and size of its data, as stored. */
  readonly dataOffset: number;
  readonly dataBytes: number;
  /** Offset of the next block. */
  readonly end: number;
}

/** Undefined where `bytes` are too few for the header. @throws {FileProblem} `where` is no container. */
function parseHeader(bytes: Buffer, where: string): ContainerHeader | undefined {
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw new FileProblem(`${where} is no Avro object container file: it does not start with Obj and 01`);
  }
  const metadata = readBytesMap(bytes, magic.length);
  if (metadata === undefined || metadata.end + syncBytes > bytes.length) return undefined;
  const end = metadata.end + syncBytes;
  return { metadata: metadata.entries, sync: Buffer.from(bytes.subarray(metadata.end, end)), end };
}

/** The header of a container. @throws {FileProblem} */
export async function readHeader(file: SpooledFile): Promise<ContainerHeader> {
  for (let bytes = 65_536; ; bytes *= 8) {
    const asked = Math.min(bytes, file.sizeBytes);
    const header = parseHeader(await readExactly(file, 0, asked), file.path);
    if (header !== undefined) return header;
    if (asked === file.sizeBytes || asked > headerBytesMax) {
      throw new FileProblem(`${file.path} ends within its Avro header, or the header is over ${headerBytesMax} bytes`);
    }
  }
}

/** The block at `offset`; undefined at the end of the file. @throws {FileProblem} */
export async function readBlockHead(file: SpooledFile, offset: number): Promise<BlockHead | undefined> {
  if (offset >= file.sizeBytes) return undefined;
  const bytes = await readExactly(file, offset, Math.min(blockHeadBytesMax, file.sizeBytes - offset));
  const damaged = new FileProblem(`${file.path} has a damaged or unfinished Avro block at byte ${offset}`);
  const records = longAt(bytes, 0);
  const size = records === undefined ? undefined : longAt(bytes, records.end);
  if (records === undefined || size === undefined || records.value < 0 || size.value < 0) throw damaged;
  const dataOffset = offset + size.end;
  const end = dataOffset + size.value + syncBytes;
  if (end > file.sizeBytes || size.value > blockBytesMax) throw damaged;
  return { offset, records: records.value, dataOffset, dataBytes: size.value, end };
}

/** The data of a block, without its compression. @throws {FileProblem} */
export async function readBlock(file: SpooledFile, header: ContainerHeader, block: BlockHead): Promise<Buffer> {
  const stored = await readExactly(file, block.dataOffset, block.dataBytes + syncBytes);
  if (!stored.subarray(block.dataBytes).equals(header.sync)) {
    throw new FileProblem(`${file.path} has a damaged Avro block at byte ${block.offset}: its sync marker is wrong`);
  }
  const data = stored.subarray(0, block.dataBytes);
  const where = `${file.path} has a damaged Avro block at byte ${block.offset}`;
  switch (codecOf(header)) {
    case 'deflate':
      return inflate(data, { maxOutputLength: blockBytesMax }).catch((cause: unknown) => {
        throw new FileProblem(`${where}: its deflated data cannot be inflated`, { cause });
      });
    case 'snappy': {
      const plain = readAvroSnappy(data, blockBytesMax);
      if ('problem' in plain) throw new FileProblem(`${where}: ${plain.problem}`);
      return plain.data;
    }
    default:
      return data;
  }
}

/** Codecs of blocks that can be read. */
export const readableCodecs: readonly string[] = ['null', 'deflate', 'snappy'];

/** `null`, `deflate`, …: of the blocks. */
export function codecOf(header: ContainerHeader): string {
  return header.metadata.get('avro.codec')?.toString() ?? 'null';
}

/** The records of a small container that lies in memory, as the long that each is; undefined where it is none. */
export function longsOf(bytes: Buffer): { readonly header: ContainerHeader; readonly longs: number[] } | undefined {
  try {
    const header = parseHeader(bytes, '');
    if (header === undefined || codecOf(header) !== 'null') return undefined;
    return { header, longs: blocksOfLongs(bytes, header) };
  } catch {
    return undefined;
  }
}

/** A process that died wrote the last block in part: what is before it counts. */
function blocksOfLongs(bytes: Buffer, header: ContainerHeader): number[] {
  const longs: number[] = [];
  for (let at = header.end; at < bytes.length; ) {
    const records = longAt(bytes, at);
    const size = records === undefined ? undefined : longAt(bytes, records.end);
    if (records === undefined || size === undefined) break;
    const end = size.end + size.value;
    if (size.value < 0 || !bytes.subarray(end, end + syncBytes).equals(header.sync)) break;
    for (let record = 0, from = size.end; record < records.value && from < end; record += 1) {
      const long = longAt(bytes, from);
      if (long === undefined) break;
      longs.push(long.value);
      from = long.end;
    }
    at = end + syncBytes;
  }
  return longs;
}

/** A container with one record, which is one long. */
export function encodeLongContainer(
  metadata: Readonly<Record<string, string>>,
  long: number,
  sync: Uint8Array,
): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)] as const);
  const data = longType.toBuffer(long);
  const head = [magic, metadataType.toBuffer(Object.fromEntries(entries)), sync];
  return Buffer.concat([...head, longType.toBuffer(1), longType.toBuffer(data.length), data, sync]);
}
