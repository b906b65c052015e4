/** Writes docs/flume-compat.md anew: `npm run docs:update`. Its tables are the components' own declarations. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compatPage } from '../test/support/compat-page.ts';

const path = resolve(fileURLToPath(import.meta.url), '../../docs/flume-compat.md');
writeFileSync(path, compatPage());
console.log(path);
