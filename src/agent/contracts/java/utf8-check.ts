/** Finds what is wrong in UTF-8, byte by byte, and cuts it up as Java does. */

/** Malformed bytes, or at the end of a text those of a character that has not come whole yet. */
export interface Utf8Fault {
  readonly offset: number;
  readonly length: number;
  readonly isCutOff: boolean;
}

/** How the byte after a leading one is bounded: overlong forms and what is above U+10FFFF are no UTF-8. */
function secondRange(lead: number): readonly [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf];
  if (lead === 0xf0) return [0x90, 0xbf];
  return lead === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}

function lengthOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** The first fault from `from` on; undefined where all is well. */
export function findUtf8Fault(bytes: Uint8Array, from: number): Utf8Fault | undefined {
  let offset = from;
  while (offset < bytes.length) {
    const lead = bytes[offset] ?? 0;
    const length = lengthOf(lead);
    if (length === 0) return { offset, length: 1, isCutOff: false };
    for (let at = 1; at < length; at += 1) {
      const next = bytes[offset + at];
      if (next === undefined) return { offset, length: at, isCutOff: true };
      const [least, most] = at === 1 ? secondRange(lead) : [0x80, 0xbf];
      if (next < least || next > most) return { offset, length: at, isCutOff: false };
    }
    // A surrogate is one malformed character to Java, where others see three.
    if (lead === 0xed && (bytes[offset + 1] ?? 0) >= 0xa0) return { offset, length, isCutOff: false };
    offset += length;
  }
  return undefined;
}
