/** Random damages of a channel's files: each changes a byte that counts, of the live log or of an identity. */
import { alignUp } from '../../../src/base/bytes.ts';
import type { SegmentInfo } from '../../../src/wal/segment-info.ts';
import type { Files } from '../../damage/reference-log.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

/** A damage that was done. */
export interface DoneDamage {
  readonly name: string;
  readonly files: Files;
  /** What was changed. */
  readonly changed: readonly { readonly path: string; readonly from: number; readonly to: number }[];
}

const pageBytes = 4096;
const kinds = ['flip', 'zero', 'garbage', 'cut', 'swapPages', 'copyPage', 'swapFiles', 'copyFile', 'identity'] as const;

/** Does one at random. `segments`: the live ones, with where their log ends. */
export function damageAtRandom(files: Files, segments: readonly SegmentInfo[], random: SeededRandom): DoneDamage {
  for (;;) {
    const kind = random.pick(kinds);
    const spoiled = new Map(files);
    const name = kind === 'identity' ? spoilIdentity(spoiled, random) : spoilLog(kind, spoiled, segments, random);
    const ends = new Map(segments.map(({ path, endOffset }) => [path, endOffset]));
    const changed = [...files].flatMap(([path, before]) => {
      const end = ends.get(path) ?? (path.endsWith('.json') ? before.length : 0);
      return changedIn(path, extended(before, end), extended(spoiled.get(path) ?? before, end));
    });
    const isSame = kind === 'identity' && [...files].every(([path, before]) => saysTheSame(before, spoiled.get(path)));
    if (changed.length > 0 && !isSame) return { name: `${kind} ${name}`, files: spoiled, changed };
  }
}

type LogKind = Exclude<(typeof kinds)[number], 'identity'>;

function spoilLog(
  kind: LogKind,
  files: Map<string, Buffer>,
  segments: readonly SegmentInfo[],
  random: SeededRandom,
): string {
  const one = random.pick(segments);
  const other = random.pick(segments);
  const bytes = Buffer.from(files.get(one.path) ?? '');
  const page = random.below(one.endOffset / pageBytes) * pageBytes;
  const otherPage = random.below(other.endOffset / pageBytes) * pageBytes;
  files.set(one.path, bytes);
  if (kind === 'flip') {
    const bit = random.below(one.endOffset * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return `bit ${bit} of ${one.path}`;
  }
  if (kind === 'zero' || kind === 'garbage') {
    const from = random.chance(0.5) ? page : random.below(one.endOffset);
    const to = Math.min(one.endOffset, from + (random.chance(0.5) ? pageBytes : 1 + random.below(3 * pageBytes)));
    if (kind === 'zero') bytes.fill(0, from, to);
    else random.bytes(to - from).copy(bytes, from);
    return `${from} to ${to} of ${one.path}`;
  }
  if (kind === 'cut') {
    const length = random.chance(0.3) ? page : random.below(one.endOffset);
    files.set(one.path, bytes.subarray(0, length));
    return `${one.path} to ${length}`;
  }
  const others = one === other ? bytes : Buffer.from(files.get(other.path) ?? '');
  files.set(other.path, others);
  if (kind === 'swapPages' || kind === 'copyPage') {
    const kept = Buffer.from(bytes.subarray(page, page + pageBytes));
    others.copy(bytes, page, otherPage, otherPage + pageBytes);
    if (kind === 'swapPages') kept.copy(others, otherPage);
    return `${page} of ${one.path}, ${otherPage} of ${other.path}`;
  }
  files.set(one.path, others);
  if (kind === 'swapFiles') files.set(other.path, bytes);
  return `${one.path}, ${other.path}`;
}

function spoilIdentity(files: Map<string, Buffer>, random: SeededRandom): string {
  const paths = [...files.keys()].filter((name) => name.endsWith('/channel.json'));
  const path = random.pick(paths);
  const bytes = Buffer.from(files.get(path) ?? '');
  files.set(path, bytes);
  const at = random.below(bytes.length);
  const how = random.below(6);
  if (how === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  else if (how === 1) bytes.fill(0, at, at + 1 + random.below(bytes.length - at));
  else if (how === 2) files.set(path, bytes.subarray(0, at));
  else if (how === 3) files.set(path, random.bytes(pageBytes));
  else {
    const other = random.pick(paths);
    files.set(path, Buffer.from(files.get(other) ?? ''));
    if (how === 5) files.set(other, bytes);
  }
  return `${path}, way ${how} at ${at}`;
}

/** White space of JSON is no damage. */
function saysTheSame(before: Buffer, after: Buffer | undefined): boolean {
  if (after === undefined || before.equals(after)) return after !== undefined;
  try {
    return JSON.stringify(JSON.parse(before.toString())) === JSON.stringify(JSON.parse(after.toString()));
  } catch {
    return false;
  }
}

/** As a reader sees it: behind a file's end there are zeros. */
function extended(bytes: Buffer, end: number): Buffer {
  const whole = Buffer.alloc(end);
  bytes.copy(whole, 0, 0, end);
  return whole;
}

/** In whole pages: what shares one with a change may be hit too. */
function changedIn(path: string, before: Buffer, after: Buffer): DoneDamage['changed'] {
  const changed: { path: string; from: number; to: number }[] = [];
  for (let from = 0; from < before.length; from += pageBytes) {
    const to = Math.min(before.length, from + pageBytes);
    if (before.compare(after, from, to, from, to) === 0) continue;
    const last = changed.at(-1);
    if (last !== undefined && last.to === from) last.to = alignUp(to, pageBytes);
    else changed.push({ path, from, to: alignUp(to, pageBytes) });
  }
  return changed;
}
