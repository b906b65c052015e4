/** The settings of one agent, sorted by the component they belong to. */
import { nearest } from '../agent/contracts/read-keys.ts';
import type { Place, Problems } from './problems.ts';
import type { Setting, Settings } from './settings.ts';

const kinds = ['configfilters', 'channels', 'sources', 'sinks', 'sinkgroups'] as const;
/** The parts of a configuration that have lists. */
export type ListedKind = (typeof kinds)[number];

/** What is set for one component, by the part of the key behind its prefix. */
export interface Part {
  readonly name: string;
  /** `a1.sources.r1.` */
  readonly prefix: string;
  /** Where its first key is. */
  readonly at: Place;
  readonly settings: ReadonlyMap<string, Setting>;
}

/** One agent: its lists, and what is set for components, listed or not. */
export interface AgentSettings {
  readonly name: string;
  readonly at: Place;
  readonly lists: ReadonlyMap<ListedKind, Setting>;
  readonly parts: Readonly<Record<ListedKind, ReadonlyMap<string, Part>>>;
}

/** The agents of which a component or a list is set, as they stand in the files. */
export function agentsOf(settings: Settings): readonly string[] {
  const names = [...settings.keys()].flatMap((key) => {
    const [agent = '', second = ''] = key.split('.', 2);
    return agent !== '' && kinds.some((kind) => kind === second) ? [agent] : [];
  });
  return [...new Set(names)];
}

/** Sorts. `used`: keys that other values refer to, which may be called anything. */
export function groupSettings(
  agent: string,
  settings: Settings,
  used: ReadonlySet<string>,
  problems: Problems,
): AgentSettings {
  const lists = new Map<ListedKind, Setting>();
  const parts: Record<ListedKind, Map<string, GrowingPart>> = {
    configfilters: new Map(),
    channels: new Map(),
    sources: new Map(),
    sinks: new Map(),
    sinkgroups: new Map(),
  };
  const own = [...settings.values()].filter(({ key }) => key.startsWith(`${agent}.`));
  for (const setting of own) {
    const { key, value, keyAt } = setting;
    const rest = key.slice(agent.length + 1);
    const [, kindText = '', name = '', property = ''] = /^([^.]*)(?:\.([^.]+)\.(.+))?$/s.exec(rest) ?? [];
    const kind = kinds.find((one) => one === kindText);
    if (kind === undefined || (name === '' && rest !== kind)) {
      if (!used.has(key)) problems.drop(keyAt, key, invalidKey(rest), 'it');
    } else if (value === '') problems.warn(keyAt, key, 'is empty, and counts as not set');
    else if (name === '') lists.set(kind, setting);
    else addSetting(parts[kind], { name, prefix: `${agent}.${kind}.${name}.`, property, setting });
  }
  return { name: agent, at: own[0]?.keyAt ?? { file: '', line: 1, column: 1 }, lists, parts };
}

interface Addition {
  readonly name: string;
  readonly prefix: string;
  readonly property: string;
  readonly setting: Setting;
}

interface GrowingPart extends Part {
  readonly settings: Map<string, Setting>;
}

function addSetting(parts: Map<string, GrowingPart>, { name, prefix, property, setting }: Addition): void {
  const part = parts.get(name) ?? { name, prefix, at: setting.keyAt, settings: new Map<string, Setting>() };
  part.settings.set(property, setting);
  parts.set(name, part);
}

function invalidKey(rest: string): string {
  const second = rest.split('.')[0] ?? '';
  const known = kinds.find((kind) => kind === second);
  if (known !== undefined) return `is no property: it goes on as '.${known}.NAME.PROPERTY'`;
  const near = nearest(second, kinds);
  const hint = near === undefined ? '' : `: do you mean '${near}'?`;
  return `is no property of an agent, whose keys begin with ${kinds.join(', ')}${hint}`;
}

/** The settings of a part behind a prefix, as a part of its own. `at`: where to point if there are none. */
export function partBehind(part: Part, prefix: string, name: string): Part {
  const inside = [...part.settings].filter(([key]) => key.startsWith(prefix) && key.length > prefix.length);
  const settings = new Map(inside.map(([key, setting]) => [key.slice(prefix.length), setting]));
  return { name, prefix: `${part.prefix}${prefix}`, at: inside[0]?.[1].keyAt ?? part.at, settings };
}

/** A part without the keys that `isOther` names. */
export function partWithout(part: Part, isOther: (key: string) => boolean): Part {
  return { ...part, settings: new Map([...part.settings].filter(([key]) => !isOther(key))) };
}

/** Names separated by blanks, each once. */
export function namesIn(setting: Setting | undefined): readonly string[] {
  return setting === undefined ? [] : [...new Set(setting.value.split(/\s+/).filter((name) => name !== ''))];
}

/** The listed components that something is set for, in the order of the list. */
export function listedParts(agent: AgentSettings, kind: ListedKind, problems: Problems): readonly Part[] {
  const list = agent.lists.get(kind);
  const parts = agent.parts[kind];
  const names = namesIn(list);
  for (const part of parts.values()) {
    if (names.includes(part.name)) continue;
    problems.warn(part.at, part.prefix.slice(0, -1), `has no effect: '${part.name}' is not in ${agent.name}.${kind}`);
  }
  return names.flatMap((name) => {
    const part = parts.get(name);
    if (part !== undefined) return [part];
    const near = nearest(name, [...parts.keys()]);
    const hint = near === undefined ? '' : `: do you mean '${near}'?`;
    if (list !== undefined) problems.drop(list.valueAt, list.key, `nothing is set for '${name}'${hint}`, `'${name}'`);
    return [];
  });
}
