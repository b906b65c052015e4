/** Reading what an agent writes, also where it is not through with it. */
import { constants, gunzipSync, inflateSync } from 'node:zlib';

/** What can be read of gzip's members. */
export function gunzipped(content: Buffer): Buffer {
  return content.length === 0 ? content : gunzipSync(content, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** What can be read of zlib's streams. */
export function inflated(content: Buffer): Buffer {
  return content.length === 0 ? content : inflateSync(content, { finishFlush: constants.Z_SYNC_FLUSH });
}

/**
 * The marker of a SequenceFile. Its header is `SEQ` and a version, the names of two classes with their lengths, two
 * flags, the codec's name where it has one, no metadata, and the marker.
 */
export function syncOf(content: string): string {
  const valueAt = 5 + content.charCodeAt(4);
  const flagsAt = valueAt + 1 + content.charCodeAt(valueAt);
  const isCompressed = content.charCodeAt(flagsAt) === 1;
  const metadataAt = flagsAt + 2 + (isCompressed ? 1 + content.charCodeAt(flagsAt + 2) : 0);
  return content.slice(metadataAt + 4, metadataAt + 20);
}

/** Of an Avro container: whether a block follows its header. All of them, and so the file, end with the marker. */
export function hasBlock(content: Buffer): boolean {
  return !content.toString('latin1').startsWith('Obj') || content.indexOf(content.subarray(-16)) < content.length - 16;
}

/** An Avro container but for its marker, which is random. */
export function withoutMarker(text: string): string {
  return text.startsWith('Obj') ? text.replaceAll(text.slice(-16), '<sync>') : text;
}
