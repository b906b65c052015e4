/** Config filters: `${filter['key']}` in the values of an agent, replaced by what the filter has under the key. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import iconv from 'iconv-lite';
import { nearest } from '../agent/contracts/read-keys.ts';
import { type AgentSettings, listedParts, type Part } from './agent-settings.ts';
import type { Problems } from './problems.ts';
import type { Setting, Settings } from './settings.ts';

/** What a key stands for; or why there is nothing. */
type FilterAnswer = { readonly value: string } | { readonly problem: string };
type Filter = (key: string) => FilterAnswer | Promise<FilterAnswer>;

const packagePrefix = 'org.apache.flume.configfilter.';
const classes: Readonly<Record<string, string>> = {
  [`${packagePrefix}environmentvariableconfigfilter`]: 'env',
  [`${packagePrefix}externalprocessconfigfilter`]: 'external',
  [`${packagePrefix}hadoopcredentialstoreconfigfilter`]: 'hadoop',
};
/** How long an external command may take. */
const commandMs = 30_000;
const run = promisify(execFile);

/** Replaces the references to the agent's filters in all its values. */
export async function applyConfigFilters(
  agent: AgentSettings,
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): Promise<Settings> {
  const replaced = new Map(settings);
  for (const part of listedParts(agent, 'configfilters', problems)) {
    const filter = makeFilter(part, environment, problems);
    if (filter === undefined) continue;
    for (const setting of replaced.values()) {
      if (!setting.key.startsWith(`${agent.name}.`) || setting.key.startsWith(`${agent.name}.configfilters`)) continue;
      const value = await filtered(part.name, filter, setting, problems);
      replaced.set(setting.key, { ...setting, value });
    }
  }
  return replaced;
}

/** The names that look like references to filters of the agent: not even the substitution knows them. */
export function isFilterReference(agent: string, settings: Settings, name: string): boolean {
  const filter = /^([^[]+)\[.*\]$/.exec(name)?.[1];
  const listed = settings.get(`${agent}.configfilters`)?.value.split(/\s+/) ?? [];
  return filter !== undefined && listed.includes(filter);
}

async function filtered(name: string, filter: Filter, setting: Setting, problems: Problems): Promise<string> {
  const quotedName = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const reference = new RegExp(`\\$\\{${quotedName}\\[(|'|")([-_a-zA-Z0-9]+)\\1\\]\\}`, 'g');
  let value = '';
  let from = 0;
  for (const match of setting.value.matchAll(reference)) {
    const [whole, , key = ''] = match;
    const answer = await filter(key);
    if ('problem' in answer) {
      problems.drop(setting.valueAt, setting.key, `${whole} has no value: ${answer.problem}`, 'the replacement');
    }
    value += setting.value.slice(from, match.index) + ('value' in answer ? answer.value : whole);
    from = match.index + whole.length;
  }
  return value + setting.value.slice(from);
}

function makeFilter(
  part: Part,
  environment: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): Filter | undefined {
  const type = part.settings.get('type');
  const lower = type?.value.toLowerCase() ?? '';
  const alias = classes[lower] ?? lower;
  const refuse = (message: string): undefined => {
    const at = type?.valueAt ?? part.at;
    return problems.drop(at, `${part.prefix}type`, message, 'the filter') as undefined;
  };
  if (alias === 'env') {
    return (key) => {
      const value = environment[key];
      return value === undefined ? { problem: `${key} is not set in the environment` } : { value };
    };
  }
  if (alias === 'external') return makeExternalFilter(part, problems);
  if (alias === 'hadoop') {
    return refuse(
      'a Hadoop credential store cannot be read here: use env, or external with `hadoop credential` behind it',
    );
  }
  if (type === undefined) return refuse('is missing: env or external');
  const near = nearest(lower, ['env', 'external']);
  return refuse(`no config filter has the type '${type.value}': ${near === undefined ? '' : `do you mean '${near}'? `}\
there are env, external`);
}

function makeExternalFilter(part: Part, problems: Problems): Filter | undefined {
  const command = part.settings.get('command')?.value.split(/\s+/);
  const charset = part.settings.get('charset');
  if (command === undefined) {
    problems.drop(part.at, `${part.prefix}command`, 'is missing: the program that is asked', 'the filter');
    return undefined;
  }
  const encoding = charset?.value ?? 'UTF-8';
  if (!iconv.encodingExists(encoding)) {
    problems.drop(charset?.valueAt ?? part.at, `${part.prefix}charset`, `no charset '${encoding}'`, 'the filter');
    return undefined;
  }
  const [file = '', ...args] = command;
  return async (key) => {
    try {
      const { stdout } = await run(file, [...args, key], { encoding: 'buffer', timeout: commandMs });
      const line = iconv.decode(stdout, encoding).split(/\r\n|[\n\r\u2028\u2029\u0085]/)[0] ?? '';
      return stdout.length === 0 ? { problem: `${file} printed nothing for ${key}` } : { value: line };
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      return { problem: typeof code === 'number' ? `${file} ended with status ${code} for ${key}` : message };
    }
  };
}
