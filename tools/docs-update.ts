/**
 * Writes what is in docs/ twice anew: `npm run docs:update`. The tables of flume-compat.md are the components' own
 * declarations, those of hdfs-exactly-once.md are what the sink decides by, and channel-tools.md shows what commands
 * print.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withOutputs } from '../test/support/channel-tools-page.ts';
import { compatPage } from '../test/support/compat-page.ts';
import { withProtocolTables } from '../test/support/protocol-tables.ts';
import { makeTempDir } from '../test/support/temp-dir.ts';

const docs = resolve(fileURLToPath(import.meta.url), '../../docs');
const pages: Readonly<Record<string, (page: string) => string | Promise<string>>> = {
  'flume-compat.md': compatPage,
  'hdfs-exactly-once.md': withProtocolTables,
  'channel-tools.md': withSamples,
};
for (const [name, make] of Object.entries(pages)) {
  const path = resolve(docs, name);
  writeFileSync(path, await make(readFileSync(path, 'utf8')));
  console.log(path);
}

async function withSamples(page: string): Promise<string> {
  const homes: string[] = [];
  const makeHome = async (): Promise<string> => {
    const home = await makeTempDir();
    homes.push(home);
    return home;
  };
  try {
    return await withOutputs(page, makeHome);
  } finally {
    for (const home of homes) rmSync(home, { recursive: true });
  }
}
