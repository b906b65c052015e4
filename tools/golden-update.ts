/**
 * Writes test/golden/format-v1 anew: `npx tsx tools/golden-update.ts`. Its bytes are what released versions wrote and
 * stay as they are: a difference means that the format has changed, which needs a new version of it (docs/format.md).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentsOf, goldenVariants, openGolden, tellGolden } from '../test/support/golden-channel.ts';

const root = resolve(fileURLToPath(import.meta.url), '../../test/golden/format-v1');

for (const variant of Object.keys(goldenVariants)) {
  const files = await tellGolden(variant);
  const directory = join(root, variant);
  rmSync(directory, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const channel = await openGolden(variant, files);
  writeFileSync(join(root, `${variant}.json`), `${JSON.stringify(await contentsOf(channel), null, 2)}\n`);
  await channel.close();
  console.log(`${variant}: ${files.size} files`);
}
