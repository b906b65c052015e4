/**
 * A file system in a file, mounted through a loop device, whose power can be cut: ext4 and xfs have a shutdown call
 * that stops all writing at once. After unmounting and mounting again the journal is replayed, and what was synced is
 * there. Needs root, loop devices and python3; `whyNoPowerCuts` says what is missing.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTempDir } from '../support/temp-dir.ts';

/** Both can shut down. */
export type FileSystem = 'ext4' | 'xfs';

const run = promisify(execFile);
const cutter: string = fileURLToPath(new URL('./power-cut.py', import.meta.url));
const imageBytes: Readonly<Record<FileSystem, number>> = { ext4: 256 * 2 ** 20, xfs: 512 * 2 ** 20 };
const makers: Readonly<Record<FileSystem, readonly string[]>> = {
  ext4: ['mkfs.ext4', '-q'],
  xfs: ['mkfs.xfs', '-q'],
};
const unmountTries = 100;
const unmountPauseMs = 50;

/** What is missing for power cuts here; undefined where they can be had. */
export function whyNoPowerCuts(type: FileSystem): string | undefined {
  if (process.getuid?.() !== 0) return 'power cuts need root';
  if (!existsSync('/dev/loop-control')) return 'power cuts need loop devices';
  for (const program of [makers[type][0] as string, 'python3', 'mount']) {
    const found = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, program)));
    if (!found) return `power cuts on ${type} need ${program}`;
  }
  return undefined;
}

/** Whether power cuts are expected here, so that their absence is a failure and not a skip. */
export function mustCutPower(): boolean {
  return process.env['CI'] === 'true' || (process.env['FOREBAY_INTEROP'] ?? '') !== '';
}

/** A mounted file system of its own. `remove` it, whatever happens. */
export class MountedImage {
  /** Where it is mounted. */
  readonly path: string;
  readonly #parent: string;
  readonly #image: string;

  private constructor(parent: string) {
    this.#parent = parent;
    this.#image = join(parent, 'image');
    this.path = join(parent, mountName(process.pid));
  }

  static async make(type: FileSystem): Promise<MountedImage> {
    const parent = await makeTempDir();
    removeLeftovers(dirname(parent));
    const made = new MountedImage(parent);
    await mkdir(made.path);
    await writeFile(made.#image, '');
    await truncate(made.#image, imageBytes[type]);
    const [maker, ...options] = makers[type] as [string, ...string[]];
    await run(maker, [...options, made.#image]);
    await made.#mount();
    return made;
  }

  /** Nothing cached is written any more; every later write fails. */
  async cutPower(): Promise<void> {
    await run('python3', [cutter, this.path]);
  }

  /** The power is back. No process may use the mount any more. */
  async remount(): Promise<void> {
    await this.#unmount();
    await this.#mount();
  }

  async remove(): Promise<void> {
    await this.#unmount();
    await rm(this.#parent, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#image, this.path]);
  }

  /** A process that was just killed may hold it for a moment. */
  async #unmount(): Promise<void> {
    for (let tries = 1; mountPoints().includes(this.path); tries++) {
      try {
        await run('umount', [this.path]);
      } catch (error) {
        if (tries >= unmountTries) throw error;
        await sleep(unmountPauseMs);
      }
    }
  }
}

function mountName(pid: number): string {
  return `powercut-${pid}`;
}

function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[1] ?? '');
}

/** What a run that was killed left: mounts and images whose process is gone. */
function removeLeftovers(scratch: string): void {
  for (const name of readdirSync(scratch)) {
    const parent = join(scratch, name);
    if (!name.startsWith('forebay-') || !existsSync(join(parent, 'image'))) continue;
    const mount = readdirSync(parent).find((inside) => inside.startsWith(mountName(0).slice(0, -1)));
    const pid = Number(mount?.split('-')[1] ?? Number.NaN);
    if (mount === undefined || !Number.isInteger(pid) || existsSync(`/proc/${pid}`)) continue;
    const path = join(parent, mount);
    if (mountPoints().includes(path)) execFileSync('umount', [path]);
    execFileSync('rm', ['-r', parent]);
  }
}
