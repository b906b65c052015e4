/** Keys of our own that every sink has: what becomes of events that it can never deliver. */
import { type Key, type Keys, oneOf, optional, text, unset } from '../agent/contracts/keys.ts';
import { readKeys } from '../agent/contracts/read-keys.ts';
import type { PlannedSink } from '../agent/plan.ts';
import { type AgentSettings, namesIn, type Part, partWithout } from './agent-settings.ts';
import { boundChannels, type PlannedChannels } from './plan-channels.ts';
import type { Problems } from './problems.ts';
import type { Reading } from './read-part.ts';
import type { Setting } from './settings.ts';

interface DeadLetterKeys extends Keys {
  readonly onUndeliverable: Key<'block' | 'deadletter'>;
  readonly deadLetterChannel: Key<string | undefined>;
}

/** Beside those that a sink declares itself. */
export const deadLetterKeys: DeadLetterKeys = {
  onUndeliverable: optional(oneOf('block', 'deadletter'), 'block', {
    does: 'an event that no try will ever deliver stays and holds up the sink, or is moved to deadLetterChannel',
    standing: 'ours',
  }),
  deadLetterChannel: unset(text, {
    does: 'another channel of the agent, where such events go, with headers that say why: forebay.deadletter.reason',
    standing: 'ours',
  }),
};

const dropped = 'the sink';

/** Whether a key of a sink is one of these. */
export function isDeadLetterKey(key: string): boolean {
  return Object.hasOwn(deadLetterKeys, key);
}

/** Reads them. Undefined after a problem. */
export function deadLettersOf(
  reading: Reading,
  part: Part,
  channels: PlannedChannels,
): Pick<PlannedSink, 'deadLetterChannel'> | undefined {
  const { problems } = reading;
  const own = partWithout(part, (key) => !isDeadLetterKey(key)).settings;
  const read = readKeys(deadLetterKeys, new Map([...own].map(([key, { value }]) => [key, value])));
  for (const { key, message } of read.problems) {
    problems.drop(own.get(key)?.valueAt ?? part.at, `${part.prefix}${key}`, message, dropped);
  }
  if (read.values === undefined) return undefined;
  const setting = own.get('deadLetterChannel');
  if (read.values.onUndeliverable === 'block') {
    const message = 'has no effect: it goes with onUndeliverable = deadletter';
    if (setting !== undefined) problems.warn(setting.keyAt, setting.key, message);
    return { deadLetterChannel: undefined };
  }
  if (setting === undefined) {
    const at = own.get('onUndeliverable')?.valueAt ?? part.at;
    const message = 'is missing: the channel that events go to which can never be delivered';
    problems.drop(at, `${part.prefix}deadLetterChannel`, message, dropped);
    return undefined;
  }
  const name = channelOf(reading, part, setting, channels);
  return name === undefined ? undefined : { deadLetterChannel: name };
}

function channelOf(reading: Reading, part: Part, setting: Setting, channels: PlannedChannels): string | undefined {
  const { problems } = reading;
  const { value, valueAt, key } = setting;
  if (namesIn(setting).length > 1) {
    problems.drop(valueAt, key, `dead letters go to one channel, not to '${value}'`, dropped);
    return undefined;
  }
  if (value === part.settings.get('channel')?.value) {
    problems.drop(valueAt, key, `'${value}' is the sink's own channel: dead letters go to another one`, dropped);
    return undefined;
  }
  const [name] = boundChannels(reading, channels, setting, dropped);
  const isBroken = name === undefined && channels.listed.includes(value);
  if (isBroken && !problems.hasErrors) problems.drop(valueAt, key, 'its channel is not there', dropped);
  if (name !== undefined) warnOfMemory(problems, setting, channels.planned.get(name)?.definition.types ?? []);
  return name;
}

function warnOfMemory(problems: Problems, { value, valueAt, key }: Setting, types: readonly string[]): void {
  if (!types.includes('memory')) return;
  const message = `channel '${value}' is in memory: what is in it is gone when the agent stops; use a file channel`;
  problems.warn(valueAt, key, message);
}

/** Dead letters that come back to where they were would go round for ever, if no sink on their way can deliver them. */
export function withoutCircles(
  { problems }: Reading,
  agent: AgentSettings,
  sinks: readonly PlannedSink[],
): readonly PlannedSink[] {
  const circling = sinks.filter(({ channel, deadLetterChannel }) => {
    return deadLetterChannel !== undefined && reachedFrom(deadLetterChannel, sinks).has(channel);
  });
  for (const { name, channel } of circling) {
    const setting = agent.parts.sinks.get(name)?.settings.get('deadLetterChannel');
    if (setting === undefined) continue;
    const message = `dead letters would come back to '${channel}': those of '${setting.value}' go there in turn`;
    problems.drop(setting.valueAt, setting.key, message, dropped);
  }
  return sinks.filter((sink) => !circling.includes(sink));
}

/** The channel itself, and those that dead letters of its sinks come to. */
function reachedFrom(channel: string, sinks: readonly PlannedSink[]): ReadonlySet<string> {
  const reached = new Set([channel]);
  for (const one of reached) {
    for (const sink of sinks) {
      if (sink.channel === one && sink.deadLetterChannel !== undefined) reached.add(sink.deadLetterChannel);
    }
  }
  return reached;
}
