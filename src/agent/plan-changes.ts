/** Two plans compared: what a reload may leave alone. */

import type { SinkProcessorDefinition } from './contracts/components.ts';
import type { Plan, Planned, PlannedSink, PlannedSource } from './plan.ts';

/** What is run together: one sink, or a group with its processor. */
export interface PlannedDrain {
  /** Groups and sinks may share names: `sink k1`, `group g1`. */
  readonly id: string;
  readonly name: string;
  readonly sinks: readonly PlannedSink[];
  /** Undefined for a sink that is in no group. */
  readonly processor: Planned<SinkProcessorDefinition> | undefined;
  /** All that must be open: those that its sinks take from, and those of their dead letters. */
  readonly channels: readonly string[];
}

/** The groups of a plan, and its sinks that are in none. */
export function drainsOf(plan: Plan): readonly PlannedDrain[] {
  const grouped = new Set(plan.groups.flatMap(({ sinks }) => sinks));
  const groups = plan.groups.map(({ name, sinks: names, processor }) => {
    const sinks = names.flatMap((one) => plan.sinks.find((sink) => sink.name === one) ?? []);
    return { id: `group ${name}`, name, sinks, processor, channels: channelsOf(sinks) };
  });
  const single = plan.sinks.filter(({ name }) => !grouped.has(name));
  return [
    ...groups,
    ...single.map((sink) => {
      return {
        id: `sink ${sink.name}`,
        name: sink.name,
        sinks: [sink],
        processor: undefined,
        channels: channelsOf([sink]),
      };
    }),
  ];
}

function channelsOf(sinks: readonly PlannedSink[]): readonly string[] {
  return [...new Set(sinks.flatMap(({ channel, deadLetterChannel }) => [channel, deadLetterChannel ?? channel]))];
}

/** Two drains with the same do the same. */
export function drainKey({ sinks, processor }: PlannedDrain): string {
  const keys = sinks.map((sink) => {
    const { name, fingerprint, channel, serializer, deadLetterChannel } = sink;
    return [name, fingerprint, channel, serializer?.fingerprint, deadLetterChannel];
  });
  return JSON.stringify([keys, processor?.fingerprint]);
}

/** Two sources with the same do the same. */
export function sourceKey({ fingerprint, channels, interceptors, selector }: PlannedSource): string {
  const between = interceptors.map((one) => [one.name, one.fingerprint]);
  return JSON.stringify([fingerprint, channels, between, selector.fingerprint]);
}
