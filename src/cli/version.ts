/** Which forebay this is. */
import { createRequire } from 'node:module';

/** As the package's manifest has it. */
export function packageVersion(): string {
  // From src/cli/ and from dist/cli/ the manifest is two folders up.
  const manifest: { version: string } = createRequire(import.meta.url)('../../package.json');
  return manifest.version;
}
