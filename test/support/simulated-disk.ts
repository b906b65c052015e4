/**
 * A disk that crashes as it is told, and forgets what it may forget: see docs/durability.md on what a disk
 * promises. Deterministic from its seed, without timers. Three layers (simulated-file.ts, simulated-tree.ts):
 * what is durable, what is cached, and what a failed sync left in the cache as if it were durable.
 *
 *   const disk = new SimulatedDisk({ seed: 1 });
 *   disk.stopAt(17, 'during');        // the 17th mutation stops in the middle; calls throw DiskStopped from then on
 *   const next = disk.kill();         // what the next process finds: the cache is kept
 *   const cut = disk.powerCut(42);    // what is found after a power cut: one of many, by seed
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import {
  type Disk,
  type DiskEntry,
  type DiskFile,
  type DiskLock,
  type OpenOptions,
  type OwnerState,
  pageBytes,
} from '../../src/base/disk.ts';
import { systemError } from '../../src/base/system-error.ts';
import { SeededRandom } from './seeded-random.ts';
import {
  type FailedOperation,
  type Fault,
  type Operation,
  OperationGate,
  type ReadKind,
  type StopPhase,
} from './simulated-faults.ts';
import { FileNode } from './simulated-file.ts';
import { type FileHost, SimulatedFile } from './simulated-open-file.ts';
import { DirectoryNode, Tree, type TreeNode } from './simulated-tree.ts';

/** How the disk behaves; the disk found after a crash behaves the same. */
export interface SimulatedDiskOptions {
  readonly seed: number;
  /** Room for pages of files. Default: none to speak of. */
  readonly capacityBytes?: number;
  /** What `isDirect` says. Default true; files behave the same. */
  readonly direct?: boolean;
  /** Deliberate bugs: a sync that answers and does nothing. */
  readonly lies?: { readonly skipSync?: boolean; readonly skipDirectorySync?: boolean };
}

/** Garbage, the same each time: what the engine does not overwrite must not be zero by luck. */
const allocatedByte = 0xdb;
const freeBytesWithoutLimit: number = 2 ** 40;

/** @see the head of this file. One process at a time: `kill` and `powerCut` end the one that used this disk. */
export class SimulatedDisk implements Disk, FileHost {
  readonly options: SimulatedDiskOptions;
  readonly gate: OperationGate;
  readonly random: SeededRandom;
  readonly #tree: Tree;
  readonly #locked = new Set<FileNode>();

  constructor(options: SimulatedDiskOptions, tree: Tree = new Tree()) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    this.gate = new OperationGate(this.random);
    this.#tree = tree;
  }

  // What tests do with it.

  /** Every mutation so far, to name crash points by; the next has index `operations.length + 1`. */
  get operations(): readonly Operation[] {
    return this.gate.operations;
  }

  /** Those of them that failed. */
  get failed(): readonly FailedOperation[] {
    return this.gate.failed;
  }

  get readCount(): number {
    return this.gate.readCount;
  }

  get stopped(): boolean {
    return this.gate.isStopped;
  }

  /** The disk stops at the mutation with this index. */
  stopAt(operation: number, phase: StopPhase): void {
    this.gate.stopAt = { operation, phase };
  }

  /** Gives a function that takes the fault back. */
  inject(fault: Fault): () => void {
    return this.gate.inject(fault);
  }

  /** Called after each mutation that succeeded: a place to take snapshots from. */
  watch(call: (operation: Operation) => void): void {
    this.gate.watcher = call;
  }

  /** A copy as the next process would find it, without stopping this one. Cheap: pages are shared. */
  snapshot(): SimulatedDisk {
    return new SimulatedDisk(this.#nextOptions(0), this.#tree.clone());
  }

  /** Ends the process: everything written is there, synced or not; locks are free. */
  kill(): SimulatedDisk {
    this.gate.isStopped = true;
    return this.snapshot();
  }

  /** Cuts the power: one of the states the disk may be found in, chosen by the seed. */
  powerCut(seed: number): SimulatedDisk {
    this.gate.isStopped = true;
    return new SimulatedDisk(this.#nextOptions(seed), this.#tree.afterPowerCut(new SeededRandom(seed)));
  }

  /** What failed syncs left in the cache leaves it: reads see what the disk has. */
  evictLost(): void {
    for (const file of this.#tree.visibleFiles()) file.evictLost();
  }

  /** Equal for equal states: names, bytes, and what is unsynced. */
  fingerprint(): string {
    return createHash('sha1').update(this.#tree.fingerprint()).digest('hex');
  }

  // The disk.

  readonly writers: Set<object> = new Set();

  allocate(bytes: number): Buffer {
    return Buffer.allocUnsafeSlow(bytes).fill(allocatedByte);
  }

  async makeDirectory(path: string): Promise<void> {
    const names = path.split('/').filter((name) => name !== '');
    for (let depth = 1; depth <= names.length; depth += 1) {
      this.#makeLevel(`/${names.slice(0, depth).join('/')}`);
      await this.turn();
    }
  }

  async list(path: string): Promise<string[] | undefined> {
    const node = await this.#look('list', path);
    if (node?.kind === 'file') throw systemError('ENOTDIR', 'not a directory', path);
    return node && [...node.visible.keys()].sort();
  }

  async entry(path: string): Promise<DiskEntry | undefined> {
    const node = await this.#look('entry', path);
    const bytes = node?.kind === 'file' ? node.visible.bytes : 0;
    return node && { kind: node.kind, bytes, storedBytes: bytes };
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (options.mode === 'create') {
      if (this.#find(path) !== undefined) throw systemError('EEXIST', 'file already exists', path);
      const created = this.#create(path);
      await this.turn();
      return new SimulatedFile(this, path, created, options);
    }
    const node = await this.#look('open', path);
    if (node === undefined) throw systemError('ENOENT', 'no such file', path);
    if (node.kind === 'directory') throw systemError('EISDIR', 'is a directory', path);
    return new SimulatedFile(this, path, node, options);
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#find(from);
    if (node === undefined) throw systemError('ENOENT', 'no such file', from);
    this.#tree.parentOf(to);
    if (node.kind === 'file' && this.#find(to)?.kind === 'directory') {
      throw systemError('EISDIR', 'is a directory', to);
    }
    this.gate.mutate('rename', to, { run: () => this.#tree.rename(from, to, node) });
    await this.turn();
  }

  async unlink(path: string): Promise<void> {
    const node = this.#find(path);
    if (node?.kind === 'directory') throw systemError('EISDIR', 'is a directory', path);
    if (node !== undefined) this.gate.mutate('unlink', path, { run: () => this.#tree.unlink(path) });
    await this.turn();
  }

  async syncDirectory(path: string): Promise<void> {
    const node = this.#find(path);
    if (node === undefined) throw systemError('ENOENT', 'no such directory', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'not a directory', path);
    this.#syncNames(path, node);
    await this.turn();
  }

  async freeBytes(path: string): Promise<number> {
    await this.#lookAt('freeBytes', path);
    const { capacityBytes } = this.options;
    return capacityBytes === undefined ? freeBytesWithoutLimit : Math.max(0, capacityBytes - this.#usedBytes());
  }

  async locality(path: string): Promise<'local' | 'network'> {
    await this.#lookAt('entry', path);
    return 'local';
  }

  async isDirect(path: string): Promise<boolean> {
    await this.#lookAt('entry', path);
    return this.options.direct ?? true;
  }

  async lock(path: string): Promise<DiskLock | undefined> {
    const node = this.#find(path);
    if (node?.kind === 'directory') throw systemError('EISDIR', 'is a directory', path);
    const file = node ?? this.#create(path);
    if (this.#locked.has(file)) return undefined;
    this.#locked.add(file);
    await this.turn();
    return {
      release: async () => {
        this.gate.check();
        this.#locked.delete(file);
      },
    };
  }

  async owner(path: string): Promise<OwnerState> {
    const node = this.#find(path);
    return node?.kind === 'file' && this.#locked.has(node) ? 'running' : 'none';
  }

  // What open files need of it (FileHost).

  /** Lets others run before the caller goes on; a stopped disk lets nobody go on. */
  async turn(kind: 'microtask' | 'immediate' = 'microtask'): Promise<void> {
    if (kind === 'microtask') await undefined;
    else await new Promise<void>((resolve) => setImmediate(resolve));
    this.gate.check();
  }

  /** @throws ENOSPC where the file's new pages have no room. */
  reserve(path: string, pageCount: number): void {
    const { capacityBytes } = this.options;
    if (capacityBytes === undefined || pageCount === 0) return;
    if (this.#usedBytes() + pageCount * pageBytes > capacityBytes) {
      throw systemError('ENOSPC', 'no space left on the simulated disk', path);
    }
  }

  #usedBytes(): number {
    return this.#tree.visibleFiles().reduce((sum, file) => sum + file.visible.usedBytes(), 0);
  }

  #nextOptions(seed: number): SimulatedDiskOptions {
    return { ...this.options, seed: this.options.seed * 31 + this.operations.length * 7 + seed + 1 };
  }

  #find(path: string): TreeNode | undefined {
    this.gate.check();
    return this.#tree.find(path);
  }

  /** A look that may find nothing. */
  async #look(kind: ReadKind, path: string): Promise<TreeNode | undefined> {
    this.gate.read(kind, path);
    const node = this.#tree.find(path);
    await this.turn();
    return node;
  }

  async #lookAt(kind: ReadKind, path: string): Promise<void> {
    const node = await this.#look(kind, path);
    if (node === undefined) throw systemError('ENOENT', 'no such file or directory', path);
  }

  #create(path: string): FileNode {
    this.#tree.parentOf(path);
    const file = new FileNode();
    this.gate.mutate('create', path, { run: () => this.#tree.link(path, file) });
    return file;
  }

  /** One directory of a path: made if missing, durable in its parent either way. */
  #makeLevel(path: string): void {
    const found = this.#find(path);
    if (found?.kind === 'file') throw systemError('ENOTDIR', 'not a directory', path);
    if (found === undefined) {
      const made = new DirectoryNode();
      this.gate.mutate('makeDirectory', path, { run: () => this.#tree.link(path, made) });
    }
    const { directory } = this.#tree.parentOf(path);
    if (this.#tree.hasUnsynced(directory)) this.#syncNames(posix.dirname(path), directory);
  }

  #syncNames(path: string, directory: DirectoryNode): void {
    const isLie = this.options.lies?.skipDirectorySync === true;
    this.gate.mutate('syncDirectory', path, {
      run: () => (isLie ? undefined : this.#tree.sync(directory)),
      part: () => undefined,
      fail: () => this.#tree.failSync(directory),
    });
  }
}
