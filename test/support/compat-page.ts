/** docs/flume-compat.md as the declarations of all components make it: `npm run docs:update` writes it. */

import { homedir } from 'node:os';
import type { Key } from '../../src/agent/contracts/keys.ts';
import { deadLetterKeys } from '../../src/config/dead-letters.ts';
import { absentComponents } from '../compat/absent-components.ts';
import {
  type DeclaredComponent,
  type DeclaredKey,
  declaredComponents,
  isSame,
  keysOf,
} from '../compat/declared-keys.ts';
import { proofOf } from '../compat/key-proofs.ts';

const introduction = `# Flume's configuration keys, and what becomes of them

Made from the declarations of the components (\`npm run docs:update\`); a test compares. Against Apache Flume 1.11:
**same**, **differs** and how, **needless** where the key is accepted and there is nothing for it to do, **ours** where
Flume has no such key. Behind each \`same\` stands the test that fails when the key is ignored, by its file below
test/ and its name: \`npm run test:long -- test/compat\` ignores each key once and sees its test fail.

A key that ends in a dot is the beginning of many. \`type\`, \`channel\`, \`channels\`, \`interceptors\`, \`selector\`
and \`processor\` bind components, as in Flume. What Flume has and forebay has not is at the end.
`;

/** They stand for texts in values, and are no part of the way that events take. */
const configFilters = `
## Config filters

\`\${NAME['key']}\` in a value, for the names in \`configfilters\`. There are \`env\` (variables of the environment) and
\`external\` (the first line that a \`command\` prints, in \`charset\`). \`hadoop\`, a credential store, is refused.

A reference without a value is an error, and the agent does not start (exit status 78); Flume leaves it as it is, as
text. So does \`--lenient\`, with a warning.
`;

/** The whole page. */
export function compatPage(): string {
  const components = declaredComponents();
  const kinds = [...new Set(components.map(({ kind }) => kind))];
  const parts = kinds.flatMap((kind) => [
    `\n## ${kind[0]?.toUpperCase()}${kind.slice(1)}\n`,
    ...components.filter((component) => component.kind === kind).map(componentPart),
  ]);
  return `${[introduction, ...parts, configFilters, oursPart(components), absentPart()].join('\n').trimEnd()}\n`;
}

function componentPart(component: DeclaredComponent): string {
  const [name, ...others] = component.definition.types;
  const also = others.length === 0 ? '' : `\nAlso ${others.map((type) => `\`${type}\``).join(', ')}.\n`;
  const rows = keysOf(component).map((key) => rowOf(component, key));
  const table = ['| key | value | default | does | against Flume |', '|---|---|---|---|---|', ...rows].join('\n');
  return `### ${name}\n${also}\n${rows.length === 0 ? 'No keys.' : table}\n`;
}

function rowOf({ definition }: DeclaredComponent, key: DeclaredKey): string {
  const { declared } = key;
  if (declared === undefined) {
    const does = `what writes the events; its own keys are behind \`${key.key}.\``;
    return cells(key.key, 'serializer', `\`${definition.serializer?.preset}\``, does, standingOf(key));
  }
  const value = declared.unit === undefined ? declared.type.name : `${declared.type.name}, ${declared.unit}`;
  return cells(key.key, value, presetOf(declared), declared.does, standingOf(key));
}

function cells(name: string, ...others: readonly string[]): string {
  const all = [`\`${name}\``, ...others];
  return `| ${all.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
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

function standingOf(key: DeclaredKey): string {
  const standing = key.declared?.standing;
  if (isSame(key)) {
    const proof = proofOf(key);
    return proof === undefined ? 'same' : `same: ${proof.file.replace(/\.test\.ts$/, '')} › ${proof.test}`;
  }
  if (typeof standing !== 'object') return String(standing);
  return 'differs' in standing ? `differs: ${standing.differs}` : `needless: ${standing.needless}`;
}

/** What is ours alone, in one place. */
function oursPart(components: readonly DeclaredComponent[]): string {
  const rows = Object.entries(deadLetterKeys).map(([name, key]) => cells(name, key.type.name, presetOf(key), key.does));
  const others = components.flatMap((component) => {
    const ours = keysOf(component).filter(({ declared }) => declared?.standing === 'ours');
    const names = ours.map(({ key }) => `\`${key}\``).join(', ');
    return ours.length === 0 ? [] : [`- ${component.kind}, ${component.definition.types[0]}: ${names}`];
  });
  const head = `
## Keys of our own

Every sink has, beside its own:

| key | value | default | does |
|---|---|---|---|`;
  return [head, ...rows, '\nOf components, explained above:\n', ...others].join('\n');
}

function absentPart(): string {
  const rows = absentComponents.map(({ kind, types, why }) => {
    const names = types.map((type) => `\`${type}\``).join(', ');
    return `| ${kind} | ${names} | ${why} |`;
  });
  const head = `
## Not there

Refused by name, with the line; \`--lenient\` leaves such a component out with a warning, as Flume leaves out what it
does not know. A module of your own can stand in for any of them: its path or package name is its \`type\`.
`;
  return [head, '| kind | type | why |', '|---|---|---|', ...rows].join('\n');
}
