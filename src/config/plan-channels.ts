/** The channels of an agent, and what the components bound to them have to fit into. */
import type { ChannelDefinition } from '../agent/contracts/components.ts';
import { nearest } from '../agent/contracts/read-keys.ts';
import type { Planned } from '../agent/plan.ts';
import { type AgentSettings, listedParts, namesIn, type Part } from './agent-settings.ts';
import { definitionOf, type Reading, readPart } from './read-part.ts';
import type { Setting } from './settings.ts';

/** What channels there are. */
export interface PlannedChannels {
  /** Those that are fine, in the order of the list. */
  readonly planned: ReadonlyMap<string, Planned<ChannelDefinition>>;
  /** Those that are listed; the others of these have problems of their own. */
  readonly listed: readonly string[];
  readonly parts: ReadonlyMap<string, Part>;
}

/** Reads the channels of an agent. */
export async function planChannels(reading: Reading, agent: AgentSettings): Promise<PlannedChannels> {
  const planned = new Map<string, Planned<ChannelDefinition>>();
  const parts = listedParts(agent, 'channels', reading.problems);
  for (const part of parts) {
    const type = { key: `${part.prefix}type`, setting: part.settings.get('type'), dropped: 'the channel' };
    const definition = await definitionOf(reading, 'channels', part, type);
    if (definition === undefined) continue;
    const channel = readPart<'channels'>(reading, definition, part, { dropped: 'the channel' });
    if (channel !== undefined) planned.set(part.name, channel);
  }
  const listed = namesIn(agent.lists.get('channels'));
  return { planned, listed, parts: new Map(parts.map((part) => [part.name, part])) };
}

/** The names in `setting` that are channels without problems. Says which are none at all. */
export function boundChannels(
  { problems }: Reading,
  { planned, listed }: PlannedChannels,
  setting: Setting,
  dropped: string,
): readonly string[] {
  const names = namesIn(setting);
  for (const name of names) {
    if (planned.has(name)) continue;
    const near = nearest(name, listed);
    const hint = near === undefined ? `there are ${listed.join(', ')}` : `do you mean '${near}'?`;
    if (!listed.includes(name)) problems.drop(setting.valueAt, setting.key, `no channel '${name}': ${hint}`, dropped);
  }
  return names.filter((name) => planned.has(name));
}

/** `batchSize`, `hdfs.batchSize`, `batch-size`, `flumeBatchSize`: of a part of an operator's own, too. */
const batchKey = /batch-?size$/i;

/** Flume's compatibility check: a batch is one transaction, and a channel's have a limit. False after a problem. */
export function fitsChannels(
  { problems }: Reading,
  component: Pick<Planned<unknown>, 'values'>,
  part: Part,
  channels: readonly Planned<ChannelDefinition>[],
  dropped: string,
): boolean {
  const key = Object.keys(component.values).find((one) => {
    return batchKey.test(one) && typeof component.values[one] === 'number';
  });
  const batch = key === undefined ? undefined : component.values[key];
  if (key === undefined || typeof batch !== 'number') return true;
  const tooSmall = channels.filter(({ values }) => {
    const capacity = values['transactionCapacity'];
    return typeof capacity === 'number' && batch > capacity;
  });
  for (const { name, values } of tooSmall) {
    const at = part.settings.get(key)?.valueAt ?? part.at;
    const limit = `the transactionCapacity of channel '${name}', ${String(values['transactionCapacity'])}`;
    problems.drop(
      at,
      `${part.prefix}${key}`,
      `${batch} is more than ${limit}: lower the one or raise the other`,
      dropped,
    );
  }
  return tooSmall.length === 0;
}
