/** The values of one agent as they are meant: `${…}` and config filters resolved. */
import { type AgentSettings, groupSettings } from './agent-settings.ts';
import { applyConfigFilters, isFilterReference } from './config-filters.ts';
import { Problems } from './problems.ts';
import { javaTrim, type Setting, type Settings } from './settings.ts';
import { type SubstitutionSources, substitute } from './substitution.ts';

/** Where values come from that are not in the files. */
export type Surroundings = Pick<SubstitutionSources, 'environment' | 'system' | 'now'>;

const environmentProperties = 'org.apache.flume.node.EnvVarResolverProperties';

/** What the values of an agent came to. */
export interface ResolvedAgent {
  readonly settings: AgentSettings;
  /** System properties that they asked for. */
  readonly asked: readonly string[];
}

/** Resolves and sorts the settings of `agent`. */
export async function resolveAgent(
  agent: string,
  settings: Settings,
  surroundings: Surroundings,
  problems: Problems,
): Promise<ResolvedAgent> {
  const used = namesUsed(settings, surroundings);
  const own = new Map([...settings].filter(([key]) => key.startsWith(`${agent}.`)));
  const sources = sourcesOf(settings, surroundings);
  const allAsked: string[] = [];
  for (const [key, setting] of own) {
    const { text, problem, unresolved, asked } = substitute(setting.value, sources);
    allAsked.push(...asked);
    if (problem !== undefined) problems.error(setting.valueAt, key, problem);
    for (const name of unresolved) {
      if (isFilterReference(agent, settings, name)) continue;
      problems.warn(setting.valueAt, key, `nothing resolves \${${name}}: it stays as it is`);
    }
    own.set(key, { ...setting, value: javaTrim(text) });
  }
  // Only the filters are wanted of it: what it says, the second one says again.
  const unfiltered = groupSettings(agent, own, used, new Problems(true));
  const filtered = await applyConfigFilters(unfiltered, own, surroundings.environment, problems);
  return { settings: groupSettings(agent, filtered, used, problems), asked: allAsked };
}

/** Keys that any value refers to. */
export function namesUsed(settings: Settings, surroundings: Surroundings): ReadonlySet<string> {
  const used = new Set<string>();
  const { property, ...others } = sourcesOf(settings, surroundings);
  const noting = (name: string): string | undefined => {
    const value = property(name);
    if (value !== undefined) used.add(name);
    return value;
  };
  for (const { value } of settings.values()) {
    if (value.includes('${')) substitute(value, { ...others, property: noting });
  }
  return used;
}

function sourcesOf(settings: Settings, surroundings: Surroundings): SubstitutionSources {
  const isEnvironmentBare = surroundings.system.get('propertiesImplementation') === environmentProperties;
  return { ...surroundings, isEnvironmentBare, property: (key) => settings.get(key)?.value };
}

/** Says of each key that belongs to no agent that it does nothing. */
export function reportStrays(
  settings: Settings,
  agents: readonly string[],
  used: ReadonlySet<string>,
  problems: Problems,
): void {
  const isStray = ({ key }: Setting): boolean => !used.has(key) && !agents.some((agent) => key.startsWith(`${agent}.`));
  for (const setting of [...settings.values()].filter(isStray)) {
    const message = "belongs to no agent: a key is 'AGENT.KIND.NAME.PROPERTY'";
    problems.drop(setting.keyAt, setting.key, message, 'it');
  }
}
