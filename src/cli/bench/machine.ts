/** What figures were measured on: the machine, and the file system and the device of a directory. */
import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The machine and what runs on it. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the minute before. */
  readonly loadAverage: number;
}

/** About this machine. */
export function machineHere(): Machine {
  const cpus = os.cpus();
  return {
    node: process.version,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: cpus[0]?.model ?? 'unknown',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
    loadAverage: os.loadavg()[0] ?? 0,
  };
}

/** Where a directory lies. Undefined: this system does not tell. */
export interface Ground {
  /** `ext4`. */
  readonly fileSystem: string | undefined;
  /** `rw,relatime,…`. */
  readonly mountOptions: string | undefined;
  /** What is mounted: `/dev/sda1`, `tmpfs`, `server:/export`. */
  readonly device: string | undefined;
  /** As its maker calls it. */
  readonly model: string | undefined;
  readonly isRotational: boolean | undefined;
  /** `write back`: the device has a cache that a sync must empty; `write through`: none, or a protected one. */
  readonly writeCache: string | undefined;
  /** Nothing there survives a restart, and no sync costs anything. */
  readonly isMemory: boolean;
}

/** `f_type` of statfs(2): tmpfs and ramfs. */
const memoryTypes: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** About a directory that exists. */
export function groundOf(directory: string): Ground {
  const mount = mountOf(realpathSync(directory));
  const queue = mount === undefined ? undefined : deviceFolder(mount.device);
  const rotational = queue === undefined ? undefined : lineOf(join(queue, 'queue/rotational'));
  const type = (statfsSync(directory).type % 2 ** 32) >>> 0;
  return {
    fileSystem: mount?.type,
    mountOptions: mount?.options,
    device: mount?.device,
    model: queue === undefined ? undefined : lineOf(join(queue, 'device/model')),
    isRotational: rotational === undefined ? undefined : rotational === '1',
    writeCache: queue === undefined ? undefined : lineOf(join(queue, 'queue/write_cache')),
    isMemory: memoryTypes.has(type),
  };
}

/** `ext4 on /dev/vda (rw,relatime)`. */
export function groundText({ fileSystem, device, mountOptions }: Ground): string | undefined {
  return fileSystem === undefined ? undefined : `${fileSystem} on ${device} (${mountOptions})`;
}

interface Mount {
  readonly device: string;
  readonly type: string;
  readonly options: string;
}

/** By the longest mount point that holds `directory`; of two at one point the later one, which hides the other. */
function mountOf(directory: string): Mount | undefined {
  let best: { readonly point: string; readonly mount: Mount } | undefined;
  for (const line of (textOf('/proc/mounts') ?? '').split('\n')) {
    const [device = '', point = '', type = '', options = ''] = line.split(' ').map(unescaped);
    const holds = point === '/' || directory === point || directory.startsWith(`${point}/`);
    if (!holds || point === '' || point.length < (best?.point.length ?? 0)) continue;
    best = { point, mount: { device, type, options } };
  }
  return best?.mount;
}

/** In that table a space is `\040`. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Where the system tells about a block device; of a partition, about the whole one. */
function deviceFolder(device: string): string | undefined {
  try {
    const folder = realpathSync(`/sys/class/block/${basename(realpathSync(device))}`);
    return lineOf(join(folder, 'queue/rotational')) === undefined ? dirname(folder) : folder;
  } catch {
    return undefined;
  }
}

function lineOf(path: string): string | undefined {
  const text = textOf(path)?.trim();
  return text === '' ? undefined : text;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The most memory this process ever had, bytes; NaN where the system does not tell. Not `resourceUsage().maxRSS`: that
 * begins with what its parent had.
 */
export function peakRssBytes(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(textOf('/proc/self/status') ?? '')?.[1];
  return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024;
}
