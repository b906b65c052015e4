/**
 * Writes golden files anew: `npm run golden:update`. The bytes of test/golden/format-v1 are what released versions
 * wrote and stay as they are: a difference means that the format has changed, which needs a new version of it
 * (docs/format.md). The texts of test/golden/channel-tools are what commands print: read the difference.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath, goldenText, importedText } from '../test/cli/channels/golden-text.ts';
import { unpackSample } from '../test/support/flume-samples.ts';
import { contentsOf, goldenVariants, openGolden, tellGolden } from '../test/support/golden-channel.ts';
import { samples } from '../test/support/sample-damage.ts';
import { makeTempDir } from '../test/support/temp-dir.ts';

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

for (const [name, make] of Object.entries(samples)) {
  const home = await makeTempDir();
  const path = goldenPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await goldenText(name, await make(home), home));
  rmSync(home, { recursive: true });
  console.log(path);
}

const cleanUps: (() => Promise<void>)[] = [];
const flumes = await unpackSample({ after: (cleanUp) => cleanUps.push(cleanUp) }, 'clean');
const imported = await makeTempDir();
writeFileSync(goldenPath('import-flume'), await importedText(flumes, imported));
rmSync(imported, { recursive: true });
for (const cleanUp of cleanUps) await cleanUp();
