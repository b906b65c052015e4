/**
 * The simulated disk's names. Creating, renaming and unlinking change what processes see at once, and what a
 * power cut leaves only with the directory's sync: without it each change survives or not, in order, a rename
 * as a whole.
 */
import { systemError } from '../../src/base/system-error.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { FileNode } from './simulated-file.ts';

/** A directory's names: what processes see, and what a power cut leaves for certain. */
export class DirectoryNode {
  readonly kind = 'directory';
  readonly visible: Map<string, TreeNode> = new Map();
  readonly durable: Map<string, TreeNode> = new Map();
}

/** What a name leads to. */
export type TreeNode = FileNode | DirectoryNode;

/** `link` sets a name, `unlink` removes it, `rename` does both: it is one change. */
interface Change {
  readonly unlink: { readonly directory: DirectoryNode; readonly name: string } | undefined;
  readonly link: { readonly directory: DirectoryNode; readonly name: string; readonly node: TreeNode } | undefined;
  /** Its directory's sync failed: no later one makes it durable. */
  isLost: boolean;
}

/** All names, from the root. Paths are absolute and POSIX. */
export class Tree {
  readonly #root: DirectoryNode;
  #changes: Change[];

  constructor(root: DirectoryNode = new DirectoryNode(), changes: Change[] = []) {
    this.#root = root;
    this.#changes = changes;
  }

  /** What the path leads to, as processes see it. @throws ENOTDIR where a file stands in the way. */
  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node === undefined) return undefined;
      if (node.kind === 'file') throw systemError('ENOTDIR', 'not a directory', path);
      node = node.visible.get(name);
    }
    return node;
  }

  /** The directory that holds the path's last name. @throws ENOENT, ENOTDIR. */
  parentOf(path: string): { directory: DirectoryNode; name: string } {
    const cut = path.lastIndexOf('/');
    const directory = this.find(path.slice(0, cut));
    if (directory === undefined) throw systemError('ENOENT', 'no such directory', path);
    if (directory.kind === 'file') throw systemError('ENOTDIR', 'not a directory', path);
    return { directory, name: path.slice(cut + 1) };
  }

  link(path: string, node: TreeNode): void {
    this.#change({ unlink: undefined, link: { ...this.parentOf(path), node }, isLost: false });
  }

  unlink(path: string): void {
    this.#change({ unlink: this.parentOf(path), link: undefined, isLost: false });
  }

  rename(from: string, to: string, node: TreeNode): void {
    this.#change({ unlink: this.parentOf(from), link: { ...this.parentOf(to), node }, isLost: false });
  }

  hasUnsynced(directory: DirectoryNode): boolean {
    return this.#changes.some((change) => !change.isLost && touches(change, directory));
  }

  /** A rename between two directories is made durable by the sync of either, with both. */
  sync(directory: DirectoryNode): void {
    const synced = this.#joined(directory);
    const done = this.#changes.filter((change) => !change.isLost && synced.some((one) => touches(change, one)));
    for (const change of done) apply(change, 'durable');
    // A name that is durable again cannot fall back to what an earlier, failed sync left in doubt.
    const isSettled = (change: Change): boolean => change.isLost && done.some((later) => shareName(change, later));
    this.#changes = this.#changes.filter((change) => !done.includes(change) && !isSettled(change));
  }

  failSync(directory: DirectoryNode): void {
    for (const change of this.#changes) if (touches(change, directory)) change.isLost = true;
  }

  /** Files that have a name. */
  visibleFiles(from: DirectoryNode = this.#root): FileNode[] {
    return [...from.visible.values()].flatMap((node) => (node.kind === 'file' ? [node] : this.visibleFiles(node)));
  }

  clone(copyFile: (file: FileNode) => FileNode = (file) => file.clone()): Tree {
    const copies = new Map<TreeNode, TreeNode>();
    const copyDirectory = (directory: DirectoryNode): DirectoryNode => {
      const known = copies.get(directory);
      if (known?.kind === 'directory') return known;
      const copied = new DirectoryNode();
      copies.set(directory, copied);
      for (const [name, node] of directory.visible) copied.visible.set(name, copy(node));
      for (const [name, node] of directory.durable) copied.durable.set(name, copy(node));
      return copied;
    };
    const copy = (node: TreeNode): TreeNode => {
      if (node.kind === 'directory') return copyDirectory(node);
      const copied = copies.get(node) ?? copyFile(node);
      copies.set(node, copied);
      return copied;
    };
    const root = copyDirectory(this.#root);
    const changes = this.#changes.map(({ unlink, link, isLost }) => ({
      unlink: unlink && { ...unlink, directory: copyDirectory(unlink.directory) },
      link: link && { ...link, directory: copyDirectory(link.directory), node: copy(link.node) },
      isLost,
    }));
    return new Tree(root, changes);
  }

  /** The names and files found after a power cut. */
  afterPowerCut(random: SeededRandom): Tree {
    const cut = this.clone((file) => file.afterPowerCut(random));
    // Journals keep a prefix; without one each change is on its own.
    const prefix = random.chance(0.5) ? random.below(cut.#changes.length + 1) : undefined;
    const kept = random.pick([0, 1, 0.5]);
    cut.#changes.forEach((change, index) => {
      if (prefix === undefined ? random.chance(kept) : index < prefix) apply(change, 'durable');
    });
    cut.#changes = [];
    forgetCache(cut.#root);
    return cut;
  }

  fingerprint(): string {
    const numbers = new Map<TreeNode, number>();
    const lines: string[] = [];
    const numberOf = (node: TreeNode): number => {
      const known = numbers.get(node);
      if (known !== undefined) return known;
      const number = numbers.size;
      numbers.set(node, number);
      if (node.kind === 'file') lines.push(`${number} ${node.fingerprint()}`);
      else lines.push(`${number} ${names(node.visible)} | ${names(node.durable)}`);
      return number;
    };
    const names = (map: Map<string, TreeNode>): string =>
      [...map.keys()]
        .sort()
        .map((name) => `${name}=${numberOf(map.get(name) as TreeNode)}`)
        .join();
    numberOf(this.#root);
    for (const { unlink, link, isLost } of this.#changes) {
      const linked = link && `${numberOf(link.directory)} ${link.name} ${numberOf(link.node)}`;
      lines.push(`${unlink && `${numberOf(unlink.directory)} ${unlink.name}`} ${linked} ${isLost}`);
    }
    return lines.join('\n');
  }

  #change(change: Change): void {
    apply(change, 'visible');
    this.#changes.push(change);
  }

  /** The directory, and those that unsynced renames tie to it. */
  #joined(directory: DirectoryNode): DirectoryNode[] {
    const joined = new Set([directory]);
    for (let before = 0; before < joined.size; ) {
      before = joined.size;
      for (const { unlink, link, isLost } of this.#changes) {
        if (unlink === undefined || link === undefined || isLost) continue;
        if (!joined.has(unlink.directory) && !joined.has(link.directory)) continue;
        joined.add(unlink.directory).add(link.directory);
      }
    }
    return [...joined];
  }
}

function touches({ unlink, link }: Change, directory: DirectoryNode): boolean {
  return unlink?.directory === directory || link?.directory === directory;
}

function shareName(one: Change, other: Change): boolean {
  const names = [other.unlink, other.link];
  return [one.unlink, one.link].some(
    (mine) => mine && names.some((name) => name?.directory === mine.directory && name.name === mine.name),
  );
}

function apply({ unlink, link }: Change, layer: 'visible' | 'durable'): void {
  const isSame = link === undefined || unlink?.directory[layer].get(unlink.name) === link.node;
  if (isSame) unlink?.directory[layer].delete(unlink.name);
  link?.directory[layer].set(link.name, link.node);
}

function forgetCache(directory: DirectoryNode): void {
  directory.visible.clear();
  for (const [name, node] of directory.durable) {
    directory.visible.set(name, node);
    if (node.kind === 'directory') forgetCache(node);
  }
}
