/**
 * What Flume would still deliver, in the order of its full replay: the records of all files merged by their write
 * order, transactions kept apart, and what they put and took applied as they were committed. Flume: ReplayHandler, v2.
 * Its checkpoint shortens that and says nothing more, so it is not read.
 */
import type { FlumeLogFile, LogDamage, PlacedRecord } from './log-file.ts';

/** Of an event: `fileId` × 2^32 + `offset`. */
export type EventPointer = number;

/** What a replay came to. */
export interface Replayed {
  /** In the order in which Flume would deliver them. */
  readonly pointers: Iterable<EventPointer>;
  readonly count: number;
  readonly records: number;
  /** Transactions that were never committed: they count for nothing. */
  readonly openTransactions: number;
  readonly damages: readonly LogDamage[];
}

const offsetRange = 2 ** 32;

/** A pointer's two halves. */
export function placeOf(pointer: EventPointer): { readonly fileId: number; readonly offset: number } {
  return { fileId: Math.floor(pointer / offsetRange), offset: pointer % offsetRange };
}

/** Where records of one time are: takes before puts, rollbacks and commits behind them. */
const kindOrder = { take: 0, put: 1, rollback: 2, commit: 3 } as const;

interface Source {
  readonly file: FlumeLogFile;
  readonly records: ReturnType<FlumeLogFile['records']>;
  next: PlacedRecord | undefined;
}

/** Memory: some 100 bytes for each event that waits. */
export async function replayFlumeLogs(files: readonly FlumeLogFile[]): Promise<Replayed> {
  const damages: LogDamage[] = [];
  const sources: Source[] = [];
  for (const file of files) {
    const source: Source = { file, records: file.records(), next: undefined };
    if (await advance(source, damages)) sources.push(source);
  }
  const queue = new Queue();
  let records = 0;
  while (sources.length > 0) {
    const first = sources.reduce((best, one) => (isBefore(one, best) ? one : best));
    const { next } = first;
    if (next === undefined) break;
    queue.apply(next, first.file.fileId);
    records += 1;
    if (!(await advance(first, damages))) sources.splice(sources.indexOf(first), 1);
  }
  return { pointers: queue.pointers, count: queue.count, records, openTransactions: queue.openTransactions, damages };
}

async function advance(source: Source, damages: LogDamage[]): Promise<boolean> {
  source.next = undefined;
  while (source.next === undefined) {
    const { value, done } = await source.records.next();
    if (value !== undefined && 'message' in value) damages.push(value);
    else source.next = value;
    if (done === true) return false;
  }
  return true;
}

function isBefore(one: Source, other: Source): boolean {
  if (one.next === undefined || other.next === undefined) return false;
  const [first, second] = [one.next.record, other.next.record];
  if (first.writeOrderId !== second.writeOrderId) return first.writeOrderId < second.writeOrderId;
  if (first.transactionId !== second.transactionId) return first.transactionId < second.transactionId;
  return kindOrder[first.kind] < kindOrder[second.kind];
}

/** A set keeps the order in which its members came. */
class Queue {
  readonly #waiting = new Set<EventPointer>();
  /** Taken before the puts were seen: another file's commit was merged later. */
  readonly #takenEarly = new Set<EventPointer>();
  readonly #transactions = new Map<bigint, EventPointer[]>();

  get pointers(): Iterable<EventPointer> {
    return this.#waiting;
  }

  get count(): number {
    return this.#waiting.size;
  }

  get openTransactions(): number {
    return this.#transactions.size;
  }

  apply({ record, offset }: PlacedRecord, fileId: number): void {
    const { transactionId } = record;
    if (record.kind === 'put') this.#add(transactionId, fileId * offsetRange + offset);
    else if (record.kind === 'take') this.#add(transactionId, record.fileId * offsetRange + record.offset);
    else {
      const pointers = this.#transactions.get(transactionId) ?? [];
      this.#transactions.delete(transactionId);
      if (record.kind !== 'commit') return;
      for (const pointer of pointers) {
        if (record.of === 'puts') this.#put(pointer);
        else if (!this.#waiting.delete(pointer)) this.#takenEarly.add(pointer);
      }
    }
  }

  #add(transactionId: bigint, pointer: EventPointer): void {
    const pointers = this.#transactions.get(transactionId);
    if (pointers === undefined) this.#transactions.set(transactionId, [pointer]);
    else pointers.push(pointer);
  }

  #put(pointer: EventPointer): void {
    if (!this.#takenEarly.delete(pointer)) this.#waiting.add(pointer);
  }
}
