/**
 * Flume's position file: `[{"inode":1,"pos":2,"file":"/a"},…]`, one line without an end. Flume writes it in place:
 * a kill leaves it empty or cut, and what is whole in it counts. Ours is written beside and renamed.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** One file. `inode` as digits: it may be beyond what a number holds. */
export interface FilePosition {
  readonly inode: string;
  readonly position: number;
  readonly path: string;
}

/** The file as it was read. */
interface ReadPositions {
  readonly positions: readonly FilePosition[];
  /** Tells two contents apart. */
  readonly checksum: number;
  /** Whether all of it was understood. */
  readonly isWhole: boolean;
}

/** Undefined where there is none. Rejects as the system does. */
export async function readPositionFile(path: string): Promise<ReadPositions | undefined> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
  return { ...parsePositions(content.toString()), checksum: crc32(content) };
}

/** Each object in `text` that is whole. */
function parsePositions(text: string): { positions: FilePosition[]; isWhole: boolean } {
  const positions: FilePosition[] = [];
  let problems = 0;
  const rest = text.replace(/\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}/g, (object) => {
    const position = parsePosition(object);
    if (position === undefined) problems += 1;
    else positions.push(position);
    return '';
  });
  return { positions, isWhole: problems === 0 && /^\s*(?:\[[\s,]*\]\s*)?$/.test(rest) };
}

function parsePosition(object: string): FilePosition | undefined {
  let parsed: unknown;
  try {
    // In a string a quotation mark has its backslash: this finds the name only.
    parsed = JSON.parse(object.replace(/("inode"\s*:\s*)(\d+)/, '$1"$2"'));
  } catch {
    return undefined;
  }
  const { inode, pos, file } = parsed as { inode?: unknown; pos?: unknown; file?: unknown };
  if (typeof inode !== 'string' || typeof file !== 'string') return undefined;
  if (typeof pos !== 'number' || !Number.isSafeInteger(pos) || pos < 0) return undefined;
  return { inode, position: pos, path: file };
}

/** As Flume writes it; empty where nothing is tailed. */
export function formatPositions(positions: readonly FilePosition[]): { text: string; checksum: number } {
  const objects = positions.map(
    ({ inode, position, path }) => `{"inode":${inode},"pos":${position},"file":${JSON.stringify(path)}}`,
  );
  const text = objects.length === 0 ? '' : `[${objects.join(',')}]`;
  return { text, checksum: crc32(Buffer.from(text)) };
}

/** Whole or not at all. */
export async function writePositionFile(path: string, text: string): Promise<void> {
  const beside = `${path}.forebay.tmp`;
  await writeFile(beside, text);
  await rename(beside, path);
}
