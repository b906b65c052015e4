/** What a client sends, in UTF-8, and what is sent back, in its encoding. */
import type { Charset, StreamDecoder } from '../../../agent/contracts/java/charset.ts';

/** For one connection. UTF-8 passes through as it is, also where it is none. */
export interface Transcoder {
  /** The next bytes in UTF-8. A character that is cut off waits for the rest of it. */
  incoming(chunk: Buffer): Buffer;
  /** What was cut off by the end. */
  lastIncoming(): Buffer;
  outgoing(text: string): Buffer;
}

const byteOrderMarkBytes = 2;

/** Malformed bytes become U+FFFD, as in Flume, but in UTF-8. */
export function makeTranscoder(charset: Charset): Transcoder {
  const decoder: StreamDecoder | undefined = charset.name === 'UTF-8' ? undefined : charset.decoder('REPLACE');
  let isMarked = false;
  return {
    incoming: (chunk) => (decoder === undefined ? chunk : Buffer.from(decoder.write(chunk).text)),
    lastIncoming: () => Buffer.from(decoder?.end().text ?? ''),
    outgoing: (text) => {
      const bytes = charset.encode(text);
      if (charset.name !== 'UTF-16' || bytes.length === 0) return bytes;
      // The byte order mark is for the beginning only.
      const rest = isMarked ? bytes.subarray(byteOrderMarkBytes) : bytes;
      isMarked = true;
      return rest;
    },
  };
}
