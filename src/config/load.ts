/** From the files of a configuration to the plans of its agents: what `agent` and `config check` both go through. */
import { nearest } from '../agent/contracts/read-keys.ts';
import type { Registry } from '../agent/contracts/registry.ts';
import type { Plan } from '../agent/plan.ts';
import { type AgentSettings, agentsOf } from './agent-settings.ts';
import { namesUsed, reportStrays, resolveAgent, type Surroundings } from './agent-values.ts';
import { planChannels } from './plan-channels.ts';
import { planGroups, planSinks } from './plan-sinks.ts';
import { planSources } from './plan-sources.ts';
import { warnOfPlan } from './plan-warnings.ts';
import { type ConfigProblem, type Place, Problems } from './problems.ts';
import { readSettings, type Settings } from './settings.ts';

/** What to load, and with what. */
export interface LoadOptions {
  /** In order: of a key that several set, the last one counts. */
  readonly files: readonly string[];
  /** All agents that the files have, where it is not there. */
  readonly agent?: string;
  /** What Flume leaves out with a line in its log is left out here as well, with a warning; else it is an error. */
  readonly isLenient?: boolean;
  readonly registry: Registry;
  /** Of the process, and system properties of `-Dk=v`. */
  readonly surroundings: Surroundings;
}

/** What came of it. Nothing is to be run where there are errors. */
export interface Loaded {
  readonly plans: readonly Plan[];
  readonly problems: readonly ConfigProblem[];
  readonly hasErrors: boolean;
  /** System properties that a value of these agents asked for. */
  readonly askedProperties: ReadonlySet<string>;
  /** Where a sink's key is, or would be; and what it is called in full. */
  readonly placeOf: (agent: string, sink: string, key: string) => { readonly at: Place; readonly key: string };
}

/** Loads a configuration. Does not reject: what is wrong is in `problems`. */
export async function loadConfiguration(options: LoadOptions): Promise<Loaded> {
  const problems = new Problems(options.isLenient ?? false);
  const settings = await readSettings(options.files, problems);
  const findings = { problems, askedProperties: new Set<string>(), agents: new Map<string, AgentSettings>() };
  const plans = settings === undefined ? [] : await planAgents(settings, options, findings);
  const placeOf = (agent: string, sink: string, key: string): { at: Place; key: string } => {
    const part = findings.agents.get(agent)?.parts.sinks.get(sink);
    const at = part?.settings.get(key)?.valueAt ?? part?.at ?? { file: options.files[0] ?? '', line: 1, column: 1 };
    return { at, key: `${part?.prefix ?? ''}${key}` };
  };
  const { askedProperties } = findings;
  return { plans, problems: problems.sorted(options.files), hasErrors: problems.hasErrors, askedProperties, placeOf };
}

interface Findings {
  readonly problems: Problems;
  readonly askedProperties: Set<string>;
  readonly agents: Map<string, AgentSettings>;
}

async function planAgents(
  settings: Settings,
  options: LoadOptions,
  { problems, askedProperties, agents }: Findings,
): Promise<readonly Plan[]> {
  const { agent, registry, surroundings, files } = options;
  if (settings.size === 0) return [];
  const present = agentsOf(settings);
  const top = { file: files[0] ?? '', line: 1, column: 1 };
  const known =
    present.length === 0 ? 'there is none' : `there ${present.length > 1 ? 'are' : 'is'} ${present.join(', ')}`;
  if (agent === undefined) {
    if (present.length === 0) problems.error(top, '', "has no agent: a key is 'AGENT.KIND.NAME.PROPERTY'");
    reportStrays(settings, present, namesUsed(settings, surroundings), problems);
  } else if (![...settings.keys()].some((key) => key.startsWith(`${agent}.`))) {
    const near = nearest(agent, present);
    problems.error(top, agent, `no such agent: ${near === undefined ? known : `do you mean '${near}'? ${known}`}`);
    return [];
  }
  const plans: Plan[] = [];
  for (const name of agent === undefined ? present : [agent]) {
    const resolved = await resolveAgent(name, settings, surroundings, problems);
    agents.set(name, resolved.settings);
    for (const property of resolved.asked) askedProperties.add(property);
    const plan = await planAgent(resolved.settings, registry, problems);
    if (plan !== undefined) plans.push(plan);
  }
  return plans;
}

async function planAgent(agent: AgentSettings, registry: Registry, problems: Problems): Promise<Plan | undefined> {
  const list = agent.lists.get('channels');
  if (list === undefined) {
    problems.error(
      agent.at,
      `${agent.name}.channels`,
      'is missing: the names of its channels, without which nothing runs',
    );
    return undefined;
  }
  const reading = { registry, problems };
  const channels = await planChannels(reading, agent);
  const sources = await planSources(reading, agent, channels);
  const sinks = await planSinks(reading, agent, channels);
  const groups = await planGroups(reading, agent, sinks);
  const bySinks = sinks.flatMap(({ channel, deadLetterChannel }) => [channel, deadLetterChannel ?? channel]);
  const used = new Set([...sources.flatMap((source) => source.channels), ...bySinks]);
  if (used.size === 0 && !problems.hasErrors) {
    const wanted = 'at least one source or sink';
    problems.error(list.keyAt, agent.name, `has nothing to run: it needs ${wanted} and a channel for it`);
  }
  const unused = problems.hasErrors ? [] : [...channels.planned.keys()].filter((name) => !used.has(name));
  for (const name of unused) {
    const at = channels.parts.get(name)?.at ?? list.valueAt;
    problems.warn(at, `${agent.name}.channels.${name}`, 'is left out: no source and no sink is bound to it');
  }
  const planned = [...channels.planned.values()].filter(({ name }) => used.has(name));
  const plan: Plan = { agent: agent.name, channels: planned, sources, sinks, groups };
  warnOfPlan(plan, agent, problems);
  return plan;
}
