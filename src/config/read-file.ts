/** Reads a configuration file, and says what it is where it is no properties file. */
import { createReadStream } from 'node:fs';
import type { Problems } from './problems.ts';

/** No configuration is larger; a device or a log given by mistake is. */
const fileBytesMax: number = 16 * 1024 * 1024;

const marks: readonly (readonly [bytes: readonly number[], name: string])[] = [
  [[0xef, 0xbb, 0xbf], 'a UTF-8 byte order mark, which Flume takes for a part of the first key'],
  [[0xff, 0xfe], 'a UTF-16 byte order mark'],
  [[0xfe, 0xff], 'a UTF-16 byte order mark'],
];

/** The text, each byte one character (ISO-8859-1), as java.util.Properties reads it; undefined after a problem. */
export async function readConfigText(file: string, problems: Problems): Promise<string | undefined> {
  const refuse = (message: string): undefined => problems.error({ file, line: 1, column: 1 }, '', message) as undefined;
  let bytes: Buffer;
  try {
    bytes = await readAtMost(file, fileBytesMax + 1);
  } catch (error) {
    return refuse(`cannot be read: ${(error as Error).message}`);
  }
  if (bytes.length > fileBytesMax) return refuse(`is no configuration: it is larger than ${fileBytesMax} bytes`);
  const mark = marks.find(([start]) => start.every((byte, index) => bytes[index] === byte));
  if (mark !== undefined) return refuse(`begins with ${mark[1]}: save it as ASCII or UTF-8 without a byte order mark`);
  const zero = bytes.indexOf(0);
  if (zero !== -1) return refuse(`is no properties file but binary: byte ${zero} is zero`);
  const text = bytes.toString('latin1');
  const other = otherFormat(text);
  return other === undefined ? text : refuse(`is no properties file: it looks like ${other}. Lines are 'key = value'`);
}

async function readAtMost(file: string, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of createReadStream(file, { end: bytesMax - 1 })) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Formats that configurations are also written in. Most keys of a properties file have a dot, YAML's have none. */
function otherFormat(text: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => !/^\s*(?:[#!]|$)/.test(line));
  const first = lines[0]?.trim() ?? '';
  if (/^\[[^\]"{}]+\]$/.test(first)) return 'INI';
  if (/^[{[]/.test(first)) return 'JSON';
  if (first.startsWith('<')) return 'XML';
  if (first === '---') return 'YAML';
  const hasDottedKey = lines.some((line) => /^\s*[^\s=:.]+\.[^\s=:]/.test(line));
  const hasNesting = lines.some(
    (line, index) => /^\s*[^\s=:]+:\s*$/.test(line) && /^\s+\S/.test(lines[index + 1] ?? ''),
  );
  return hasNesting && !hasDottedKey ? 'YAML' : undefined;
}
