/** BLOB: each `maxBlobLength` bytes of a file are an event; a file that is no longer is one event. */
import { batchBytesMax, type Deserializer, type DeserializerKind, emptyFile, readExactly } from './deserializer.ts';

/** Positions are byte offsets. */
export function blobKind(maxBlobBytes: number): DeserializerKind {
  return {
    open: async (file, position) => {
      if (file.sizeBytes === 0) return emptyFile(file, position);
      let at = position;
      const read: Deserializer['read'] = async (limits) => {
        if (at >= file.sizeBytes) return undefined;
        const events = [];
        const from = at;
        while (events.length < limits.events && at < Math.min(file.sizeBytes, limits.until)) {
          const bytes = Math.min(maxBlobBytes, file.sizeBytes - at);
          if (events.length > 0 && at - from + bytes > batchBytesMax) break;
          events.push({ headers: file.headers, body: await readExactly(file, at, bytes) });
          at += bytes;
        }
        return { events, to: at, isLast: at >= file.sizeBytes };
      };
      return { read, flumeOffsetOf: (offset) => offset, notice: () => undefined };
    },
    positionOf: async (_file, flumeOffset) => flumeOffset,
  };
}
