/** Every key that a configuration can set for a component of the registry, as it is declared. */
import { registry } from '../../src/adapters/registry.ts';
import type { Definition } from '../../src/agent/contracts/components.ts';
import type { Key, Keys } from '../../src/agent/contracts/keys.ts';
import type { KeyName } from './key-proofs.ts';

/** A component by its kind. */
export interface DeclaredComponent {
  readonly kind: KeyName['kind'];
  readonly definition: Definition<Keys, unknown, never>;
}

/** A key of one. `declared` is undefined for the one that names a serializer, which is a choice between components. */
export interface DeclaredKey extends KeyName {
  readonly declared: Key<unknown> | undefined;
}

/** All components, in the registry's order. */
export function declaredComponents(): readonly DeclaredComponent[] {
  const kinds = Object.entries(registry) as [KeyName['kind'], readonly Definition<Keys, unknown, never>[]][];
  return kinds.flatMap(([kind, definitions]) => definitions.map((definition) => ({ kind, definition })));
}

/** All its keys, in the order in which they are declared; that of its serializer last. */
export function keysOf({ kind, definition }: DeclaredComponent): readonly DeclaredKey[] {
  const [type] = definition.types;
  const own = Object.entries(definition.keys).map(([key, declared]) => ({ kind, type, key, declared }));
  const { serializer } = definition;
  return serializer === undefined ? own : [...own, { kind, type, key: serializer.key, declared: undefined }];
}

/** Whether Flume's key of the name does the same. */
export function isSame({ declared }: DeclaredKey): boolean {
  return declared === undefined || declared.standing === 'same';
}
