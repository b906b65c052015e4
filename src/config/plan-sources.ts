/** The sources of an agent, each with its interceptors, its selector and its channels. */
import type { Binding, InterceptorDefinition, SelectorDefinition } from '../agent/contracts/components.ts';
import type { Planned, PlannedSource } from '../agent/plan.ts';
import { type AgentSettings, listedParts, namesIn, type Part, partBehind, partWithout } from './agent-settings.ts';
import { boundChannels, fitsChannels, type PlannedChannels } from './plan-channels.ts';
import { definitionOf, fingerprintOf, type Reading, readPart } from './read-part.ts';

const dropped = 'the source';

/** Reads the sources of an agent that are fine. */
export async function planSources(
  reading: Reading,
  agent: AgentSettings,
  channels: PlannedChannels,
): Promise<readonly PlannedSource[]> {
  const sources: PlannedSource[] = [];
  for (const part of listedParts(agent, 'sources', reading.problems)) {
    const source = await planSource(reading, part, channels);
    if (source !== undefined) sources.push(source);
  }
  return sources;
}

async function planSource(reading: Reading, part: Part, channels: PlannedChannels): Promise<PlannedSource | undefined> {
  const names = channelsOf(reading, part, channels);
  // Where a channel has a problem already, what names it has none of its own.
  const binding = { channels: reading.problems.hasErrors ? namesIn(part.settings.get('channels')) : names };
  const interceptors = await planInterceptors(reading, part);
  const selector = await planSelector(reading, part, binding);
  const type = { key: `${part.prefix}type`, setting: part.settings.get('type'), dropped };
  const definition = await definitionOf(reading, 'sources', part, type);
  if (definition === undefined) return undefined;
  const isOther = (key: string) => /^(?:channels|interceptors(?:\..*)?|selector\..*)$/s.test(key);
  const source = readPart<'sources'>(reading, definition, partWithout(part, isOther), { dropped, binding });
  if (source === undefined) return undefined;
  const planned = names.flatMap((name) => channels.planned.get(name) ?? []);
  const fits = fitsChannels(reading, source, part, planned, dropped);
  if (names.length === 0 || interceptors === undefined || selector === undefined || !fits) return undefined;
  const fingerprint = fingerprintOf(definition, part);
  return { ...source, fingerprint, channels: names, interceptors, selector };
}

function channelsOf({ problems, ...reading }: Reading, part: Part, channels: PlannedChannels): readonly string[] {
  const setting = part.settings.get('channels');
  const key = `${part.prefix}channels`;
  if (setting === undefined) {
    const hint = part.settings.has('channel') ? ": a source has 'channels', a sink has 'channel'" : '';
    problems.drop(part.at, key, `is missing, the channels that it puts events into${hint}`, dropped);
    return [];
  }
  const names = boundChannels({ problems, ...reading }, channels, setting, 'that channel');
  const isBroken = namesIn(setting).every((name) => !channels.planned.has(name));
  if (isBroken && !problems.hasErrors) problems.drop(setting.valueAt, key, 'none of its channels is there', dropped);
  return names;
}

async function planInterceptors(
  reading: Reading,
  part: Part,
): Promise<readonly Planned<InterceptorDefinition>[] | undefined> {
  const { problems } = reading;
  const list = part.settings.get('interceptors');
  const names = namesIn(list);
  const given = [...part.settings.keys()].flatMap((key) => /^interceptors\.([^.]+)\../s.exec(key)?.[1] ?? []);
  for (const name of new Set(given)) {
    if (names.includes(name)) continue;
    const own = partBehind(part, `interceptors.${name}.`, name);
    problems.warn(own.at, own.prefix.slice(0, -1), `has no effect: '${name}' is not in ${part.prefix}interceptors`);
  }
  const planned: Planned<InterceptorDefinition>[] = [];
  for (const name of names) {
    const behind = partBehind(part, `interceptors.${name}.`, name);
    const own = behind.settings.size === 0 && list !== undefined ? { ...behind, at: list.valueAt } : behind;
    const setting = own.settings.get('type');
    const definition = await definitionOf(reading, 'interceptors', own, { key: `${own.prefix}type`, setting, dropped });
    const interceptor = definition && readPart<'interceptors'>(reading, definition, own, { dropped });
    if (interceptor !== undefined) planned.push(interceptor);
  }
  return planned.length === names.length ? planned : undefined;
}

async function planSelector(
  reading: Reading,
  part: Part,
  binding: Binding,
): Promise<Planned<SelectorDefinition> | undefined> {
  const own = partBehind(part, 'selector.', 'selector');
  const type = { key: `${own.prefix}type`, setting: own.settings.get('type'), preset: 'replicating', dropped };
  const definition = await definitionOf(reading, 'selectors', own, type);
  // Without a channel the source has a problem of its own.
  const checked = binding.channels.length === 0 ? { dropped } : { dropped, binding };
  return definition && readPart<'selectors'>(reading, definition, own, checked);
}
