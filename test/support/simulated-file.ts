/**
 * The layers of one simulated file:
 *
 *   durable   what a power cut leaves
 *   pending   writes since the last sync, in order: a power cut leaves any subset of the sectors of each
 *   lost      sectors a failed sync has marked clean: reads see them, no later sync writes them, a power cut
 *             leaves or loses each
 *   visible   what reads see: all of it
 */

import type { SeededRandom } from './seeded-random.ts';
import { Image, sectorBytes, sectorsOf } from './simulated-image.ts';

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly bytes: number };

/** A file, under whatever names. */
export class FileNode {
  readonly kind = 'file';
  readonly visible: Image;
  readonly #durable: Image;
  #pending: Change[];
  /** Sector number to what it held when the sync failed (short at the file's end). */
  readonly #lost: Map<number, Buffer>;

  constructor(
    visible: Image = new Image(),
    durable: Image = new Image(),
    pending: Change[] = [],
    lost: Map<number, Buffer> = new Map(),
  ) {
    this.visible = visible;
    this.#durable = durable;
    this.#pending = pending;
    this.#lost = lost;
  }

  clone(): FileNode {
    return new FileNode(this.visible.clone(), this.#durable.clone(), this.#pending.slice(), new Map(this.#lost));
  }

  /** Into the cache. Copies `source`. */
  write(source: Buffer, position: number): void {
    const data = Buffer.from(source);
    this.#pending.push({ kind: 'write', position, data });
    this.visible.write(data, position);
  }

  /** Into the cache: each sector with this probability. */
  writePart(source: Buffer, position: number, random: SeededRandom, probability: number): void {
    for (const { from, to } of sectorsOf(position, source.length)) {
      if (random.chance(probability)) this.write(source.subarray(from - position, to - position), from);
    }
  }

  truncate(bytes: number): void {
    this.#pending.push({ kind: 'truncate', bytes });
    this.visible.truncate(bytes);
    for (const sector of this.#lost.keys()) if ((sector + 1) * sectorBytes > bytes) this.#lost.delete(sector);
  }

  sync(): void {
    for (const change of this.#pending) {
      if (change.kind === 'truncate') this.#durable.truncate(change.bytes);
      else this.#durable.write(change.data, change.position);
    }
    for (const sector of this.#pendingSectors()) {
      if (!this.#lost.delete(sector)) continue;
      // The sector is written as a whole, with what was lost of it before.
      this.#durable.write(this.#visibleSector(sector), sector * sectorBytes);
    }
    this.#pending = [];
  }

  /** What the kernel does when writing back fails: says so once, and forgets that the pages are dirty. */
  failSync(): void {
    for (const sector of this.#pendingSectors()) this.#lost.set(sector, this.#visibleSector(sector));
    this.#pending = this.#pending.filter((change) => change.kind === 'truncate');
  }

  /** The lost sectors' pages leave the cache: reads see what the disk has. */
  evictLost(): void {
    const pending = this.#pendingSectors();
    for (const sector of this.#lost.keys()) {
      if (pending.has(sector)) continue;
      const content = Buffer.alloc(this.#lost.get(sector)?.length ?? 0);
      this.#durable.read(content, sector * sectorBytes);
      this.visible.write(content, sector * sectorBytes);
      this.#lost.delete(sector);
    }
  }

  /** The file as found after a power cut, with nothing in the cache. */
  afterPowerCut(random: SeededRandom): FileNode {
    const image = this.#durable.clone();
    const lostKept = survival(random);
    for (const [sector, content] of this.#lost) {
      if (random.chance(lostKept)) image.write(content, sector * sectorBytes);
    }
    for (const change of this.#pending) {
      const kept = survival(random);
      if (change.kind === 'truncate') {
        if (random.chance(kept)) image.truncate(change.bytes);
        continue;
      }
      for (const { from, to } of sectorsOf(change.position, change.data.length)) {
        const part = change.data.subarray(from - change.position, to - change.position);
        if (random.chance(kept)) image.write(part, from);
      }
    }
    return new FileNode(image, image.clone());
  }

  fingerprint(): string {
    const pending = this.#pending.map((change) =>
      change.kind === 'truncate' ? `t${change.bytes}` : `w${change.position}+${change.data.length}`,
    );
    const lost = [...this.#lost.keys()].sort((a, b) => a - b);
    return `${this.visible.fingerprint()} ${this.#durable.fingerprint()} ${pending} ${lost}`;
  }

  #pendingSectors(): Set<number> {
    const sectors = new Set<number>();
    for (const change of this.#pending) {
      if (change.kind === 'truncate') continue;
      for (const { sector } of sectorsOf(change.position, change.data.length)) {
        if (sector * sectorBytes < this.visible.bytes) sectors.add(sector);
      }
    }
    return sectors;
  }

  #visibleSector(sector: number): Buffer {
    const start = sector * sectorBytes;
    const content = Buffer.alloc(Math.min(sectorBytes, this.visible.bytes - start));
    this.visible.read(content, start);
    return content;
  }
}

/** How likely each sector of one write survives: often all or none, as caches tend to. */
function survival(random: SeededRandom): number {
  return random.pick([0, 1, 0.5, 0.1, 0.9]);
}
