/** The sinks of an agent, each with its channel and serializer, and the groups they are in. */
import type { SerializerDefinition, SinkDefinition } from '../agent/contracts/components.ts';
import { nearest } from '../agent/contracts/read-keys.ts';
import type { Planned, PlannedGroup, PlannedSink } from '../agent/plan.ts';
import { type AgentSettings, listedParts, namesIn, type Part, partBehind, partWithout } from './agent-settings.ts';
import { deadLettersOf, isDeadLetterKey, withoutCircles } from './dead-letters.ts';
import { boundChannels, fitsChannels, type PlannedChannels } from './plan-channels.ts';
import { definitionOf, fingerprintOf, type Reading, readPart } from './read-part.ts';

const dropped = 'the sink';

/** Reads the sinks of an agent that are fine. */
export async function planSinks(
  reading: Reading,
  agent: AgentSettings,
  channels: PlannedChannels,
): Promise<readonly PlannedSink[]> {
  const sinks: PlannedSink[] = [];
  for (const part of listedParts(agent, 'sinks', reading.problems)) {
    const sink = await planSink(reading, part, channels);
    if (sink !== undefined) sinks.push(sink);
  }
  return withoutCircles(reading, agent, sinks);
}

async function planSink(reading: Reading, part: Part, channels: PlannedChannels): Promise<PlannedSink | undefined> {
  const channel = channelOf(reading, part, channels);
  const type = { key: `${part.prefix}type`, setting: part.settings.get('type'), dropped };
  const definition = await definitionOf(reading, 'sinks', part, type);
  if (definition === undefined) return undefined;
  const written = definition.serializer;
  const isWritten = (key: string) =>
    written !== undefined && (key === written.key || key.startsWith(`${written.key}.`));
  const own = partWithout(part, (key) => key === 'channel' || isDeadLetterKey(key) || isWritten(key));
  const binding = { channels: channel === undefined ? [] : [channel] };
  const sink = readPart<'sinks'>(reading, definition, own, { dropped, binding });
  const serializer = await planSerializer(reading, part, written);
  const planned = channel === undefined ? undefined : channels.planned.get(channel);
  const fits = sink === undefined || fitsChannels(reading, sink, part, planned === undefined ? [] : [planned], dropped);
  const deadLetters = deadLettersOf(reading, part, channels);
  const isWhole = (written === undefined || serializer !== undefined) && deadLetters !== undefined;
  if (sink === undefined || channel === undefined || !isWhole || !fits) return undefined;
  return { ...sink, fingerprint: fingerprintOf(definition, part), channel, serializer, ...deadLetters };
}

function channelOf(reading: Reading, part: Part, channels: PlannedChannels): string | undefined {
  const { problems } = reading;
  const setting = part.settings.get('channel');
  const key = `${part.prefix}channel`;
  if (setting === undefined) {
    const hint = part.settings.has('channels') ? ": a sink has 'channel', a source has 'channels'" : '';
    problems.drop(part.at, key, `is missing, the channel that it takes events from${hint}`, dropped);
    return undefined;
  }
  if (namesIn(setting).length > 1) {
    problems.drop(setting.valueAt, key, `a sink takes from one channel, not from '${setting.value}'`, dropped);
    return undefined;
  }
  const [name] = boundChannels(reading, channels, setting, dropped);
  const isBroken = name === undefined && channels.listed.includes(setting.value);
  if (isBroken && !problems.hasErrors) problems.drop(setting.valueAt, key, 'its channel is not there', dropped);
  return name;
}

async function planSerializer(
  reading: Reading,
  part: Part,
  written: SinkDefinition['serializer'],
): Promise<Planned<SerializerDefinition> | undefined> {
  if (written === undefined) return undefined;
  const { key, preset } = written;
  const own = partBehind(part, `${key}.`, key);
  const type = { key: `${part.prefix}${key}`, setting: part.settings.get(key), preset, dropped };
  const definition = await definitionOf(reading, 'serializers', own, type);
  return definition && readPart<'serializers'>(reading, definition, own, { dropped });
}

/** Reads the sink groups of an agent that are fine. */
export async function planGroups(
  reading: Reading,
  agent: AgentSettings,
  sinks: readonly PlannedSink[],
): Promise<readonly PlannedGroup[]> {
  const groups: PlannedGroup[] = [];
  /** Sink → the group that has it. */
  const taken = new Map<string, string>();
  for (const part of listedParts(agent, 'sinkgroups', reading.problems)) {
    const members = membersOf(reading, part, { agent, sinks, taken });
    const processor = await planProcessor(reading, part, members);
    if (members.length > 0 && processor !== undefined) groups.push({ name: part.name, sinks: members, processor });
  }
  return groups;
}

interface Grouping {
  readonly agent: AgentSettings;
  readonly sinks: readonly PlannedSink[];
  readonly taken: Map<string, string>;
}

function membersOf({ problems }: Reading, part: Part, { agent, sinks, taken }: Grouping): readonly string[] {
  const setting = part.settings.get('sinks');
  const key = `${part.prefix}sinks`;
  if (setting === undefined) {
    problems.drop(part.at, key, 'is missing, the sinks of the group', 'the group');
    return [];
  }
  const listed = namesIn(agent.lists.get('sinks'));
  const drop = (message: string) => problems.drop(setting.valueAt, key, message, 'that sink');
  const members = namesIn(setting).filter((name) => {
    const other = taken.get(name);
    if (other !== undefined) drop(`sink '${name}' is in group '${other}' already`);
    else if (!listed.includes(name)) {
      const near = nearest(name, listed);
      drop(`no sink '${name}': ${near === undefined ? `there are ${listed.join(', ')}` : `do you mean '${near}'?`}`);
    } else if (sinks.some((sink) => sink.name === name)) {
      taken.set(name, part.name);
      return true;
    } else if (!problems.hasErrors) drop(`sink '${name}' is not there`);
    return false;
  });
  if (members.length === 0 && !problems.hasErrors) problems.drop(setting.valueAt, key, 'has no sink', 'the group');
  return members;
}

async function planProcessor(
  reading: Reading,
  part: Part,
  members: readonly string[],
): Promise<PlannedGroup['processor'] | undefined> {
  const { problems } = reading;
  for (const [rest, { key, keyAt }] of part.settings) {
    if (rest !== 'sinks' && !rest.startsWith('processor.')) problems.warn(keyAt, key, 'is not known here');
  }
  const own = partBehind(part, 'processor.', part.name);
  const type = { key: `${own.prefix}type`, setting: own.settings.get('type'), preset: 'default', dropped: 'the group' };
  const definition = await definitionOf(reading, 'processors', own, type);
  if (definition === undefined) return undefined;
  const processor = readPart<'processors'>(reading, definition, own, { dropped: 'the group' });
  if (definition.types.includes('default') && members.length > 1) {
    const message = `takes exactly one sink, not ${members.length}: use failover or load_balance`;
    problems.drop(type.setting?.valueAt ?? part.at, type.key, message, 'the group');
    return undefined;
  }
  return processor;
}
