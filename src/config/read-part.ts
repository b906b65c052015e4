/** Makes a planned component of what is set for it: finds its definition, and reads its keys. */
import { createHash } from 'node:crypto';
import type { Binding, KeyProblem } from '../agent/contracts/components.ts';
import type { Keys } from '../agent/contracts/keys.ts';
import { type ReadKeys, readKeys } from '../agent/contracts/read-keys.ts';
import type { Registry } from '../agent/contracts/registry.ts';
import type { Planned } from '../agent/plan.ts';
import type { Part } from './agent-settings.ts';
import { findDefinition, nouns } from './definitions.ts';
import type { Problems } from './problems.ts';
import type { Setting } from './settings.ts';

/** What reading the parts of one agent needs. */
export interface Reading {
  readonly registry: Registry;
  readonly problems: Problems;
}

/** Where a part's type is, and what it is where it is not set. */
export interface TypeOf {
  readonly key: string;
  readonly setting: Setting | undefined;
  readonly preset?: string;
  /** What goes with the part: `the source` also for its selector. */
  readonly dropped: string;
}

/** The definition that a part's type names; undefined after a problem. */
export async function definitionOf<Kind extends keyof Registry>(
  { registry, problems }: Reading,
  kind: Kind,
  part: Part,
  { key, setting, preset, dropped }: TypeOf,
): Promise<Registry[Kind][number] | undefined> {
  const type = setting?.value ?? preset;
  const at = setting?.valueAt ?? part.at;
  if (type === undefined) {
    problems.drop(part.at, key, `is missing: which ${nouns[kind]} it is`, dropped);
    return undefined;
  }
  const found = await findDefinition(registry, kind, type, at.file);
  if ('definition' in found) return found.definition;
  problems.drop(at, key, found.problem, dropped);
  return undefined;
}

/** Reads a part's own keys: `part` has no others, but `type` and `config`. Undefined after a problem. */
export function readPart<Kind extends keyof Registry>(
  { problems }: Reading,
  definition: Registry[Kind][number],
  part: Part,
  { dropped, binding }: { readonly dropped: string; readonly binding?: Binding },
): Planned<Registry[Kind][number]> | undefined {
  const settings = new Map(part.settings);
  settings.delete('type');
  const config = settings.get('config');
  if (config !== undefined && definition.keys['config'] === undefined) {
    problems.warn(config.keyAt, config.key, 'has no effect: it names a class of Java');
    settings.delete('config');
  }
  const { read, checked } = readAndCheck(definition, settings, binding);
  for (const { key, message } of read.warnings) {
    problems.warn(settings.get(key)?.keyAt ?? part.at, `${part.prefix}${key}`, message);
  }
  const wrong = [...read.problems, ...checked];
  for (const { key, message } of wrong) {
    problems.drop(part.settings.get(key)?.valueAt ?? part.at, `${part.prefix}${key}`, message, dropped);
  }
  if (read.values === undefined || wrong.length > 0) return undefined;
  return { name: part.name, definition, values: read.values, fingerprint: fingerprintOf(definition, part) };
}

/** A part of an operator's own may throw: that is a problem of its type. */
function readAndCheck(
  definition: Registry[keyof Registry][number],
  settings: ReadonlyMap<string, Setting>,
  binding: Binding | undefined,
): { readonly read: ReadKeys<Keys>; readonly checked: readonly KeyProblem[] } {
  try {
    const read = readKeys(definition.keys, new Map([...settings].map(([key, { value }]) => [key, value])));
    return { read, checked: read.values === undefined ? [] : (definition.check?.(read.values, binding) ?? []) };
  } catch (error) {
    const problem = { key: 'type', message: `it fails when its keys are checked: ${String(error)}` };
    return { read: { values: undefined, problems: [problem], warnings: [] }, checked: [] };
  }
}

/**
 * Of the type and everything set for the part. Modules may call their types the same: of them it is where they are. A
 * hash: among the values may be passwords.
 */
export function fingerprintOf({ types }: { readonly types: readonly [string, ...string[]] }, part: Part): string {
  const written = part.settings.get('type');
  const isNamed = types.some((one) => one.toLowerCase() === written?.value.toLowerCase());
  const type = written === undefined || isNamed ? types[0] : [written.value, written.valueAt.file];
  const entries = [...part.settings].filter(([key]) => key !== 'type').map(([key, { value }]) => [key, value] as const);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([type, entries]))
    .digest('hex');
}
