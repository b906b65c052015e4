/** What an earlier life of a sink left unfinished, by its notes: each file is settled, deleted, or gone on with. */
import type { Log } from '../../../agent/contracts/components.ts';
import type { UnresolvedTake } from '../../../engine.ts';
import type { Buckets } from './buckets.ts';
import { type FileNote, fileNoteOf, type SuspendedNote } from './file-note.ts';
import type { Ledger } from './ledger.ts';
import type { Settlements } from './settlements.ts';
import type { KeyedNote } from './written-file.ts';

/** Who takes what is left. */
export interface Heirs {
  readonly ledger: Ledger;
  readonly buckets: Buckets;
  readonly settlements: Settlements;
  readonly log: Log;
  /** Whether files of this note's kind are written by this configuration. */
  readonly isWanted: (note: SuspendedNote) => boolean;
}

/** Hands over each file. All work is done in the background, and nothing waits for it. */
export function takeOver(heirs: Heirs): void {
  const { ledger, log } = heirs;
  const { notes, unreadable } = ledger.inherited();
  if (unreadable.length > 0) log.error('notes about files cannot be read, and are left as they are', { unreadable });
  const takes = new Map<string, UnresolvedTake>();
  for (const take of ledger.unresolved()) takes.set(keyOf(take), take);
  for (const [key, note] of notes) {
    handOver(key, note, takes.get(key), heirs);
    takes.delete(key);
  }
  for (const [key, take] of takes) {
    const note = fileNoteOf(take.note);
    if (note?.state === 'prepared') heirs.settlements.settle({ key, note, takeId: take.id });
    else log.error('prepared events cannot be settled: their note names no file', { id: take.id });
  }
}

function handOver(
  key: string,
  note: FileNote,
  take: UnresolvedTake | undefined,
  { buckets, settlements, log, isWanted }: Heirs,
): void {
  if (note.state === 'begun') settlements.discard({ key, value: note }, 'possible');
  else if (note.state === 'suspended') {
    const safe = { key, value: note };
    if (!isWanted(note) || !adopts(buckets, safe)) settlements.finish(safe);
  } else if (note.preparedEvents > 0 && take === undefined) {
    const { temporary, final } = note;
    log.warn('the events of a finished file were settled by hand: the file is left as it is', { temporary, final });
    settlements.forget({ key, value: note });
  } else settlements.settle({ key, note, takeId: take?.id });
}

/** A continuation that no writer of ours gave is found out here. */
function adopts(buckets: Buckets, note: KeyedNote<SuspendedNote>): boolean {
  try {
    return buckets.adopt(note);
  } catch {
    return false;
  }
}

function keyOf({ id, note }: UnresolvedTake): string {
  const file = typeof note === 'object' && note !== null ? (note as { readonly file?: unknown }).file : undefined;
  return typeof file === 'string' ? file : id;
}
