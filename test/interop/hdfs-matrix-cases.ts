/**
 * The cases of the matrix: which request of a file's life is spoiled, how, whether the agent is killed over it, and
 * through which door it goes. All that make sense are in it; what does not is left out by rule.
 */

/** Where the agent talks to. */
export const doors = ['NameNode', 'HttpFS'] as const;
/** See above. */
export type DoorName = (typeof doors)[number];

/** With SIGKILL: right before the request is passed on, or when HDFS has done it and nobody knows. */
const kills = ['none', 'before', 'after'] as const;
type Kill = (typeof kills)[number];

/** What makes the sink send a request that it would not send otherwise. */
interface Cause {
  readonly kind: string;
  readonly cut: 'request' | 'answer' | { readonly share: number };
  /** The agent is killed over it. */
  readonly isDeadly: boolean;
}

/** One request of a file's life. */
interface Place {
  readonly name: string;
  /** As the proxy calls it. */
  readonly kind: string;
  /** Which ones of that kind, from 1: each case takes the next of them. */
  readonly nth: readonly number[];
  /** Not before one of this kind is over. */
  readonly since?: string;
  readonly cause?: Cause;
  /** Changes something in HDFS that stays, so that it matters when it comes late. */
  readonly isChange: boolean;
}

const half = { share: 0.5 };
const spoiledAppend = { kind: 'APPEND body', cut: half };
const spoiledCreate = { kind: 'CREATE body', cut: half };
const status = { kind: 'GETFILESTATUS', nth: [1], isChange: false };

/** Makes the NameNode prove that it is the active one: a directory is made and removed. */
const lostAnswer: Cause = { kind: 'RENAME', cut: 'answer', isDeadly: false };

const places: readonly Place[] = [
  { ...status, name: 'GETFILESTATUS at first' },
  { ...status, name: 'GETFILESTATUS after 201', since: 'CREATE body' },
  { ...status, name: 'GETFILESTATUS after RENAME', since: 'RENAME', nth: [1, 2] },
  { name: 'CREATE and its redirect', kind: 'CREATE', nth: [1, 2], isChange: false },
  { name: 'CREATE body', kind: 'CREATE body', nth: [1, 2], isChange: true },
  { name: 'APPEND and its redirect', kind: 'APPEND', nth: [1], isChange: false },
  { name: 'APPEND body', kind: 'APPEND body', nth: [1], isChange: true },
  { name: 'RENAME', kind: 'RENAME', nth: [1, 2, 3], isChange: true },
  {
    name: 'MKDIRS',
    kind: 'MKDIRS',
    nth: [1],
    isChange: true,
    cause: { kind: 'RENAME', cut: 'request', isDeadly: false },
  },
  { name: 'MKDIRS of a proof', kind: 'MKDIRS', nth: [1], isChange: false, cause: lostAnswer },
  { name: 'DELETE of a proof', kind: 'DELETE', nth: [1], isChange: false, cause: lostAnswer },
  { name: 'DELETE', kind: 'DELETE', nth: [1], isChange: true, cause: { ...spoiledCreate, isDeadly: false } },
  {
    name: 'DELETE in the second life',
    kind: 'DELETE',
    nth: [1],
    isChange: true,
    cause: { ...spoiledCreate, isDeadly: true },
  },
  { name: 'TRUNCATE', kind: 'TRUNCATE', nth: [1], isChange: true, cause: { ...spoiledAppend, isDeadly: false } },
  {
    name: 'TRUNCATE in the second life',
    kind: 'TRUNCATE',
    nth: [1],
    isChange: true,
    cause: { ...spoiledAppend, isDeadly: true },
  },
];

/**
 * What becomes of the request. `late`: held until its client has given up, or is dead, and has done something else,
 * and passed on then. Of a body that is cut off so much gets there, but never its end.
 */
const faults = [
  'cut before it got there',
  'body cut at 0 %',
  'body cut at 50 %',
  'body cut at 100 %',
  'answer dropped',
  'delayed',
  'late',
  'repeated',
] as const;
type FaultName = (typeof faults)[number];

/** One case. */
export interface MatrixCase {
  readonly door: DoorName;
  readonly place: Place;
  /** Of the place's. */
  readonly nth: number;
  readonly fault: FaultName;
  /** How many other requests are over before a late one is passed on. */
  readonly lateBy: number;
  readonly kill: Kill;
}

/** For reports. */
export function nameOf({ door, place, nth, fault, lateBy, kill }: MatrixCase): string {
  const late = fault === 'late' ? ` by ${lateBy}` : '';
  const killed = kill === 'none' ? '' : `, killed ${kill}`;
  return `${door}: ${place.name} (${nth}): ${fault}${late}${killed}`;
}

/** All of them, in an order that mixes quick ones and slow ones. */
export function matrixCases(): readonly MatrixCase[] {
  const cases: MatrixCase[] = [];
  let turn = 0;
  for (const door of doors) {
    for (const place of places) {
      for (const fault of faults) {
        for (const kill of kills) {
          if (!isSense(door, place, fault, kill)) continue;
          for (const lateBy of latenesses(place, fault)) {
            const nth = isAskedOnce(door, place) ? 1 : (place.nth[turn % place.nth.length] ?? 1);
            turn += 1;
            cases.push({ door, place, nth, fault, lateBy, kill });
          }
        }
      }
    }
  }
  return cases;
}

/** HttpFS is asked where to only once: all later bodies of that life go to it at once. */
function isAskedOnce(door: DoorName, { kind }: Place): boolean {
  return door === 'HttpFS' && (kind === 'CREATE' || kind === 'APPEND');
}

/** Left out: what cannot be, and what would be another case over again. */
function isSense(door: DoorName, place: Place, fault: FaultName, kill: Kill): boolean {
  // What changes nothing is not worth that much.
  if (!place.isChange && kill !== 'none' && (fault === 'late' || fault === 'repeated')) return false;
  if (place.kind === 'APPEND' && isAskedOnce(door, place)) return false;
  if (fault.startsWith('body') && !place.kind.endsWith('body')) return false;
  // What never got there was not done, either.
  if (fault === 'cut before it got there' && kill === 'after') return false;
  // Nobody is there to notice that an answer comes later: it is as if it were dropped.
  return fault !== 'delayed' || kill === 'none';
}

function latenesses({ isChange, kind, cause }: Place, fault: FaultName): readonly number[] {
  if (fault !== 'late' || !isChange) return [0];
  if (cause?.isDeadly === true) return [1];
  // Where the file could get longer, or come back.
  return kind.endsWith('body') || kind === 'TRUNCATE' ? [0, 1, 3] : [0, 2];
}
