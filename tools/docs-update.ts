/**
 * Writes what is in docs/ twice anew: `npm run docs:update`. The tables of flume-compat.md are the components' own
 * declarations, those of hdfs-exactly-once.md are what the sink decides by.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compatPage } from '../test/support/compat-page.ts';
import { withProtocolTables } from '../test/support/protocol-tables.ts';

const docs = resolve(fileURLToPath(import.meta.url), '../../docs');
const pages: Readonly<Record<string, (page: string) => string>> = {
  'flume-compat.md': compatPage,
  'hdfs-exactly-once.md': withProtocolTables,
};
for (const [name, make] of Object.entries(pages)) {
  const path = resolve(docs, name);
  writeFileSync(path, make(readFileSync(path, 'utf8')));
  console.log(path);
}
