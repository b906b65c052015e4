/** LINE, as a configuration sets it up. */

import type { Charset, DecodeErrorPolicy } from '../../../agent/contracts/java/charset.ts';
import { type DeserializerKind, emptyFile, readExactly } from './deserializer.ts';
import { charsetOfFile, decode, isUtf8Charset } from './file-charset.ts';
import { LineReader } from './line-reader.ts';
import { cutBytes } from './line-text.ts';

/** What the keys say. */
export interface LineOptions {
  readonly charsMax: number;
  readonly input: Charset;
  readonly output: Charset;
  readonly policy: DecodeErrorPolicy;
}

const headBytesMax = 4;

/** Positions are byte offsets, as Flume's. */
export function lineKind({ charsMax, input, output, policy }: LineOptions): DeserializerKind {
  return {
    open: async (file, position) => {
      if (file.sizeBytes === 0) return emptyFile(file, position);
      const head = await readExactly(file, 0, Math.min(headBytesMax, file.sizeBytes));
      const { charset, headBytes } = charsetOfFile(input, head);
      const text = {
        newline: charset.encode('\n'),
        isUtf8: isUtf8Charset(charset) && isUtf8Charset(output),
        charset: charset.name,
        decode: (line: Buffer) => decode(charset, policy, line),
        cutBytes: (line: Buffer, chars: number) => cutBytes(line, chars, charset),
        encode: (line: string) => output.encode(line),
      };
      return new LineReader(file, Math.max(position, headBytes), { charsMax, text });
    },
    positionOf: async (file, flumeOffset) => Math.min(flumeOffset, file.sizeBytes),
  };
}
