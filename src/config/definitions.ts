/** Finds what a `type` names: Flume's alias or class, or a module of the operator's own. */
import { nearest } from '../agent/contracts/read-keys.ts';
import type { Registry } from '../agent/contracts/registry.ts';
import { loadCustomPart } from './custom-parts.ts';

/** As messages name a component of the kind. */
export const nouns: Readonly<Record<keyof Registry, string>> = {
  sources: 'source',
  sinks: 'sink',
  channels: 'channel',
  interceptors: 'interceptor',
  selectors: 'selector',
  processors: 'sink processor',
  serializers: 'serializer',
};

/** A definition, or why there is none. */
export type Found<Kind extends keyof Registry> =
  | { readonly definition: Registry[Kind][number] }
  | { readonly problem: string };

/** Looks up a type in any case of letters. `file`: the configuration, which paths and packages are looked up from. */
export async function findDefinition<Kind extends keyof Registry>(
  registry: Registry,
  kind: Kind,
  type: string,
  file: string,
): Promise<Found<Kind>> {
  const definitions: readonly Registry[Kind][number][] = registry[kind];
  const lower = type.toLowerCase();
  const definition = definitions.find(({ types }) => types.some((one) => one.toLowerCase() === lower));
  if (definition !== undefined) return { definition };
  const custom = await loadCustomPart(type, file);
  if (custom !== undefined)
    return 'problem' in custom ? custom : { definition: custom.definition as Registry[Kind][number] };
  const near = nearest(
    type,
    definitions.flatMap(({ types }) => types),
  );
  const all = definitions.map(({ types }) => types[0]).join(', ');
  const hint = near === undefined ? `there are ${all}` : `do you mean '${near}'? There are ${all}`;
  return { problem: `no ${nouns[kind]} has the type '${type}': ${hint}; or the path or package of a module` };
}
