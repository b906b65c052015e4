/** docs/flume-compat.md as the declarations of all components make it: `npm run docs:update` writes it. */

import { homedir } from 'node:os';
import { registry } from '../../src/adapters/registry.ts';
import type { Definition } from '../../src/agent/contracts/components.ts';
import type { Key, Keys } from '../../src/agent/contracts/keys.ts';

const introduction = `# Flume's configuration keys, and what becomes of them

Made from the declarations of the components (\`npm run docs:update\`); a test compares. Against Apache Flume 1.11:
**same**, **differs** and how, **needless** where the key is accepted and there is nothing for it to do, **ours** where
Flume has no such key. A key that ends in a dot is the beginning of many. \`type\`, \`channel\`, \`channels\`,
\`interceptors\`, \`selector\` and \`processor\` bind components, as in Flume.

A component that is not on this page is refused by name, with the line; \`--lenient\` leaves it out, as Flume does.
`;

/** The whole page. */
export function compatPage(): string {
  const kinds = Object.entries(registry) as [string, readonly Definition<Keys, unknown, never>[]][];
  const parts = kinds.flatMap(([kind, definitions]) => [
    `\n## ${kind[0]?.toUpperCase()}${kind.slice(1)}\n`,
    ...definitions.map((definition) => componentPart(definition)),
  ]);
  return `${[introduction, ...parts].join('\n').trimEnd()}\n`;
}

function componentPart({ types, keys }: Definition<Keys, unknown, never>): string {
  const [name, ...others] = types;
  const also = others.length === 0 ? '' : `\nAlso ${others.map((type) => `\`${type}\``).join(', ')}.\n`;
  const rows = Object.entries(keys).map(([key, declared]) => rowOf(key, declared));
  const table = ['| key | value | default | does | against Flume |', '|---|---|---|---|---|', ...rows].join('\n');
  return `### ${name}\n${also}\n${rows.length === 0 ? 'No keys.' : table}\n`;
}

function rowOf(name: string, key: Key<unknown>): string {
  const value = key.unit === undefined ? key.type.name : `${key.type.name}, ${key.unit}`;
  const cells = [`\`${name}\``, value, presetOf(key), key.does, standingOf(key)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function presetOf({ isRequired, isPrefix, default: preset }: Key<unknown>): string {
  if (isRequired) return '**required**';
  if (isPrefix || preset === undefined || preset === '') return '–';
  const shown = String(textOf(preset)).replace(homedir(), '~');
  return shown === '' ? '–' : `\`${shown}\``;
}

/** A pattern's source, a charset's name. */
function textOf(preset: unknown): unknown {
  if (typeof preset !== 'object' || preset === null) return preset;
  if ('source' in preset) return preset.source;
  return 'name' in preset ? preset.name : '';
}

function standingOf({ standing }: Key<unknown>): string {
  if (typeof standing === 'string') return standing;
  return 'differs' in standing ? `differs: ${standing.differs}` : `needless: ${standing.needless}`;
}
