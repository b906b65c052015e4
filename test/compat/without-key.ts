/**
 * Loaded before a test (`node --import tsx --import ./test/compat/without-key.ts FILE`), makes the declaration of the
 * key that FOREBAY_TEST_WITHOUT_KEY names, `source spooldir fileSuffix`, ignore what a configuration says. The key
 * stays known and allowed, and reads as where it is not set; one that has to be set reads as the text that its proof
 * names instead. Without the variable nothing is changed.
 */
import { registry } from '../../src/adapters/registry.ts';
import type { Definition } from '../../src/agent/contracts/components.ts';
import type { Key, Keys } from '../../src/agent/contracts/keys.ts';
import { type KeyName, proofOf } from './key-proofs.ts';

/** The variable that names the key. */
const variable = 'FOREBAY_TEST_WITHOUT_KEY';

const asked = process.env[variable];
if (asked !== undefined && asked !== '') ignoreKey(readName(asked));

function readName(text: string): KeyName {
  const [noun = '', type = '', key = ''] = text.split(' ');
  const kind = Object.keys(registry).find((one) => one === `${noun}s`);
  if (kind === undefined) throw new Error(`${variable}='${text}': there is no kind '${noun}'`);
  return { kind: kind as KeyName['kind'], type, key };
}

function ignoreKey(name: KeyName): void {
  const { kind, type, key } = name;
  const definitions: readonly Definition<Keys, unknown, never>[] = registry[kind];
  const definition = definitions.find(({ types }) => types[0] === type);
  if (definition?.serializer?.key === key) {
    // Set all the same, it is a key that nobody knows: that is only warned of.
    Object.assign(definition, { serializer: { ...definition.serializer, key: `not.${key}` } });
    return;
  }
  const declared = definition?.keys[key];
  if (definition === undefined || declared === undefined) throw new Error(`${variable}: no ${kind} ${type} ${key}`);
  const keys = definition.keys as Record<string, Key<unknown>>;
  if (declared.isPrefix) {
    ignorePrefix(keys, key, declared);
    return;
  }
  // Now, not when it is read: a test must not fail by what is wrong here.
  const value = absentValue(name, declared);
  keys[key] = { ...declared, type: { ...declared.type, parse: () => ({ value }) } };
}

/** Nothing is found behind the prefix any more; a shorter one takes what is set, so that it stays known. */
function ignorePrefix(keys: Record<string, Key<unknown>>, key: string, declared: Key<unknown>): void {
  const swallows = key.slice(0, -1);
  if (Object.hasOwn(keys, swallows)) throw new Error(`${variable}: ${swallows} is a key as well`);
  keys[key] = { ...declared, isPrefix: false };
  keys[swallows] = declared;
}

function absentValue(name: KeyName, declared: Key<unknown>): unknown {
  if (!declared.isRequired) return declared.default;
  const instead = proofOf(name)?.instead;
  if (instead === undefined)
    throw new Error(`${variable}: ${name.key} has to be set, and its proof says no other text`);
  const parsed = declared.type.parse(instead);
  if ('problem' in parsed) throw new Error(`${variable}: ${name.key}: ${parsed.problem}`);
  return parsed.value;
}
