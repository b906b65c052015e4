/**
 * Scratch directories for tests: made fresh, removed when the test ends. In the system's temporary directory,
 * which may be memory; with FOREBAY_DISK_DIR set on a real disk: there, where it is an absolute path, else in
 * the repository's own .bench-data.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where scratch directories are made. */
function scratchParent(): string {
  const asked = process.env['FOREBAY_DISK_DIR'];
  if (asked === undefined || asked === '') return tmpdir();
  return isAbsolute(asked) ? asked : resolve(fileURLToPath(import.meta.url), '../../../.bench-data');
}

/** A fresh empty directory; the caller removes it. */
export async function makeTempDir(): Promise<string> {
  const parent = scratchParent();
  await mkdir(parent, { recursive: true });
  return await mkdtemp(join(parent, 'forebay-'));
}

/** A fresh empty directory, removed after `test` (a TestContext, or anything with `after`) has ended. */
export async function tempDir(test: { after(call: () => Promise<void>): void }): Promise<string> {
  const path = await makeTempDir();
  test.after(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}
