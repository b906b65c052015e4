/**
 * What components count, by Flume's names, for stats and monitoring. Flume's own counters of a kind are there from
 * the start, at 0; a component may count more.
 */

/** As Flume's metrics name them. */
export type CountedKind =
  | 'SOURCE'
  | 'CHANNEL'
  | 'SINK'
  | 'SINK_PROCESSOR'
  | 'CHANNEL_PROCESSOR'
  | 'INTERCEPTOR'
  | 'SERIALIZER';

/** One component's counters as they stand. */
export interface Counted {
  readonly kind: CountedKind;
  readonly name: string;
  /** Wall clock; 0: not started, not stopped. */
  readonly startedAtMs: number;
  readonly stoppedAtMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

const flumeCounters: { readonly [kind in CountedKind]?: readonly string[] } = {
  SOURCE: [
    'EventReceivedCount',
    'EventAcceptedCount',
    'AppendReceivedCount',
    'AppendAcceptedCount',
    'AppendBatchReceivedCount',
    'AppendBatchAcceptedCount',
    'OpenConnectionCount',
    'EventReadFail',
    'ChannelWriteFail',
    'GenericProcessingFail',
  ],
  SINK: [
    'ConnectionCreatedCount',
    'ConnectionClosedCount',
    'ConnectionFailedCount',
    'BatchEmptyCount',
    'BatchUnderflowCount',
    'BatchCompleteCount',
    'EventDrainAttemptCount',
    'EventDrainSuccessCount',
    'EventWriteFail',
    'ChannelReadFail',
  ],
};

/** Of one agent. */
export class Counters {
  readonly #byKey: Map<string, { readonly counted: Counted; readonly counts: Record<string, number> }> = new Map();

  /** A component begins: its counters are at 0, as Flume's are when it starts. */
  started(kind: CountedKind, name: string, atMs: number): void {
    const counts = Object.fromEntries((flumeCounters[kind] ?? []).map((counter) => [counter, 0]));
    this.#byKey.set(`${kind}.${name}`, { counted: { kind, name, startedAtMs: atMs, stoppedAtMs: 0, counts }, counts });
  }

  stopped(kind: CountedKind, name: string, atMs: number): void {
    const key = `${kind}.${name}`;
    const one = this.#byKey.get(key);
    if (one !== undefined) this.#byKey.set(key, { ...one, counted: { ...one.counted, stoppedAtMs: atMs } });
  }

  /** It is not in the configuration any more. */
  removed(kind: CountedKind, name: string): void {
    this.#byKey.delete(`${kind}.${name}`);
  }

  /** What a component of this kind and name counts with. */
  counterOf(kind: CountedKind, name: string): (counter: string, by?: number) => void {
    return (counter, by = 1) => {
      const counts = this.#byKey.get(`${kind}.${name}`)?.counts;
      if (counts !== undefined) counts[counter] = (counts[counter] ?? 0) + by;
    };
  }

  /** All of them, as they stand now. */
  all(): readonly Counted[] {
    return [...this.#byKey.values()].map(({ counted, counts }) => ({ ...counted, counts: { ...counts } }));
  }
}
