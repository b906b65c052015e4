/**
 * Deliberate bugs: what the simulator must notice, or it shows nothing. Each is a patch of the engine's source; every
 * `find` stands in its file exactly once, which a test asserts, so that no patch rots unseen.
 *
 * Where one guard of the engine answers the same failure as another, a patch takes them away together and says so.
 */
import type { CheckerName } from './checkers.ts';

/** One replacement in one file under src/. */
interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** One deliberate bug. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Any of these must find it. */
  readonly checkers: readonly CheckerName[];
  /** Where it is looked for. */
  readonly workloads: readonly string[];
}

const log = 'wal/log.ts';
const opening = 'wal/log-open.ts';
const starter = 'wal/segment-starter.ts';
const scanner = 'wal/segment-scanner.ts';

/** Group writes reach the cache only. */
const cachedOnly: readonly Edit[] = [
  { file: starter, find: 'disk.open(temporary, { mode, writeThrough })', replace: 'disk.open(temporary, { mode })' },
  { file: opening, find: "{ mode: 'write', writeThrough: fsyncIntervalMs === 0 }", replace: "{ mode: 'write' }" },
];

/** After a crash the log goes on where it ended, in the same segment, whatever stands behind. */
const sameSegment: readonly Edit[] = [
  {
    file: 'wal/recovery.ts',
    find: 'continueAt: clean && !isChanged && last !== undefined ? replay.position : undefined,',
    replace: 'continueAt: last === undefined || last.endOffset === 8192 ? undefined : ({} as never),',
  },
  {
    file: opening,
    find: '    log.append(open);\n',
    replace:
      '    for (const frame of recovered.tail) log.append(tailOp(frame, options, log));\n    log.append(open);\n',
  },
  {
    file: opening,
    find: 'serial: Math.max(recovered.lastSerial, recovered.foundSerial - 1),',
    replace: 'serial: recovered.lastSerial,',
  },
];

/** By the names they are known by. */
export const mutants: readonly Mutant[] = [
  {
    name: 'no sync',
    edits: cachedOnly,
    checkers: ['acked-is-durable'],
    workloads: ['singles'],
  },
  {
    name: 'acknowledge before sync',
    edits: [
      ...cachedOnly,
      {
        file: log,
        find: '    this.#publish(active, group, place.offset, bytes);\n',
        replace:
          '    this.#publish(active, group, place.offset, bytes);\n' +
          '    await active.file.sync().catch(() => undefined);\n',
      },
    ],
    checkers: ['acked-is-durable', 'delivered-is-durable'],
    workloads: ['singles', 'producers'],
  },
  {
    name: 'directory not synced',
    edits: [{ file: starter, find: '    await disk.syncDirectory(directory.path);\n', replace: '' }],
    checkers: ['acked-is-durable'],
    workloads: ['rotation', 'singles'],
  },
  {
    // All three: a torn group is met by whichever is left.
    name: 'CRC unchecked',
    edits: [
      {
        file: 'wal/segment/group-header.ts',
        find: "  if (crc32(source.subarray(at, at + crcAt)) !== crc) return 'checksum';\n",
        replace: '',
      },
      {
        file: 'wal/segment/frame-header.ts',
        find: "  if (crc32(source.subarray(at, at + crcAt), headerSeed(epoch, offset)) !== crc) return 'checksum';\n",
        replace: '',
      },
      {
        file: 'wal/group-reader.ts',
        find: 'return crc32(stored.subarray(0, frame.storedBytes)) === frame.payloadCrc;',
        replace: 'return true;',
      },
    ],
    checkers: ['nothing-invented', 'all-or-nothing'],
    workloads: ['singles', 'batches'],
  },
  {
    // The generation, the chain of CRCs and the new segment after every crash answer the same failure: groups A, B, C
    // not synced, a power cut that keeps A and C, and a new group of B's size where B was. C must not be taken for one
    // that follows it. Each guard masks the other two, so all three are taken away.
    name: 'no generation check',
    edits: [
      ...sameSegment,
      {
        file: scanner,
        find: '    if (previousCrc !== undefined && header.previousCrc !== previousCrc) return false;\n',
        replace: '',
      },
      { file: scanner, find: '    return header.generation >= generation;\n', replace: '    return true;\n' },
      {
        file: scanner,
        find: 'const later = header.serial > serial && header.generation >= generation && proves;',
        replace: 'const later = header.serial > serial && proves;',
      },
    ],
    checkers: ['nothing-invented', 'not-stored-is-absent'],
    workloads: ['interval', 'failed-interval'],
  },
  {
    // Recovery zeroes nothing in place: it leaves the segment. Here it goes on in it and meets what was cut off again.
    name: 'tail not zeroed',
    edits: sameSegment,
    checkers: ['no-false-damage'],
    workloads: ['singles', 'batches'],
  },
  {
    // What is in the cache is applied, and stays there: the next power cut takes what was delivered meanwhile.
    name: 'tail not rewritten',
    edits: [
      {
        file: 'wal/recovery-replay.ts',
        find: 'if (whole) whole = await this.#keepTail(candidate, group);',
        replace: 'if (whole) this.#apply(candidate, info, group);',
      },
    ],
    checkers: ['acked-is-durable', 'delivered-is-durable'],
    workloads: ['singles', 'batches'],
  },
  {
    // Visible only where an acknowledged event can be lost at all: by interval.
    name: 'sequences reused',
    edits: [
      {
        file: opening,
        find: '  if (recovered.clean) return recovered.nextSequence;\n',
        replace: '  return Math.max(recovered.nextSequence, recovered.foundNextSequence);\n',
      },
    ],
    checkers: ['sequences-never-reused'],
    workloads: ['interval'],
  },
  {
    // That the newest segment is never recycled masks it: what the others say stands in the newest one's STATE.
    name: 'recycle before STATE is synced',
    edits: [
      {
        file: 'wal/live-segments.ts',
        find: 'this.#all.filter((segment) => segment !== this.#last && !segment.pinned && !segment.absent)',
        replace: 'this.#all.filter((segment) => !segment.pinned && !segment.absent)',
      },
      {
        file: log,
        find: '    const state = this.#live.stateOp(start.place, start.isRecovery === true, rewinds);\n',
        replace:
          '    const state = this.#live.stateOp(start.place, start.isRecovery === true, rewinds);\n' +
          '    await this.#live.letDroppedGo();\n',
      },
    ],
    checkers: ['acked-is-durable', 'taken-stays-taken', 'counters-add-up', 'all-or-nothing', 'order-kept'],
    workloads: ['rotation', 'singles'],
  },
  {
    name: 'fsync retried',
    edits: [
      {
        file: log,
        find: 'disk.writers.size === 1);',
        replace: 'disk.writers.size === 1).catch(() => active.file.sync());',
      },
    ],
    checkers: ['acked-is-durable'],
    workloads: ['failed-sync', 'failed-sync-kill-cut'],
  },
  {
    // The commits fail as not stored, and the log goes on where it was.
    name: 'CUT skipped',
    edits: [
      {
        file: log,
        find: 'await this.#start({ first, tailEnd: first, ops: [this.#cutOp(why)], bytes: 0, place });',
        replace: 'this.#nextSequence = this.#groupSequence;',
      },
    ],
    checkers: ['not-stored-is-absent'],
    workloads: ['failed-sync'],
  },
  {
    // Readers get a group when it is built: they take what is not synced, and acknowledge it.
    name: 'ACK of unsynced events',
    edits: [
      {
        file: log,
        find: '    this.#inFlightBytes = bytes.length;\n',
        replace:
          '    this.#inFlightBytes = bytes.length;\n' +
          '    const end = { offset: place.offset + bytes.length, ' +
          'nextSequence: place.nextSequence + group.events };\n' +
          '    const next = { ...place, ...end, serial: place.serial + 1, previousCrc: headerCrc };\n' +
          '    this.#options.onGroup({ segment: info, offset: place.offset, bytes, built: group, next });\n',
      },
    ],
    checkers: ['delivered-is-durable'],
    workloads: ['producers'],
  },
];
