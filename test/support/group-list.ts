/** A second reader of the format, straight from docs/format.md: walks whole groups of an undamaged segment file. */

/** One frame as it lies in a segment. */
export interface SeenFrame {
  readonly segmentId: number;
  /** The group's flags. */
  readonly group: number;
  readonly groupOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
}

const pageBytes = 4096;

/** The frames of all groups from the first on, until no group's magic stands where one is expected. */
export function readThroughGroups(segment: Buffer): SeenFrame[] {
  const frames: SeenFrame[] = [];
  const segmentId = Number(segment.readBigUInt64LE(40));
  let at = 2 * pageBytes;
  while (at < segment.length && segment.toString('latin1', at, at + 4) === 'FBGR') {
    const end = at + segment.readUInt32LE(at + 20);
    const group = segment.readUInt16LE(at + 6);
    for (let offset = at + 80; offset < end; ) {
      const type = segment.readUInt8(offset + 4);
      frames.push({ segmentId, group, groupOffset: at, type, flags: segment.readUInt8(offset + 5), offset });
      offset += Math.ceil((40 + segment.readUInt32LE(offset)) / 8) * 8;
    }
    at = Math.ceil(end / pageBytes) * pageBytes;
  }
  return frames;
}
