/**
 * Which files have notes: `taildir/SOURCE` is `{ groups, files }` in each channel. A channel without it is new to the
 * source, and joins where the others are. It is written before a file is read, so that no note is without its entry.
 */
import type { ChannelProcessor } from '../../../agent/contracts/components.ts';
import { Coverage } from './coverage.ts';
import { isMarkOf, type Mark, markKey, type Notes, readMark } from './file-notes.ts';
import type { FoundFile } from './tailed-file.ts';

/** What the channels say of a file. */
interface Remembered {
  readonly coverage: Coverage;
  /** Some channel has more of the file than there is. */
  readonly isTruncated: boolean;
}

/** See the head of the file. */
export class Registry {
  readonly #processor: ChannelProcessor;
  readonly #source: string;
  readonly #groups: readonly string[];
  readonly #knownGroups: ReadonlySet<string>;
  readonly #ids: Set<string>;
  #isChanged = true;

  /** @throws where a channel is not open. */
  constructor(processor: ChannelProcessor, source: string, groups: readonly string[]) {
    this.#processor = processor;
    this.#source = source;
    this.#groups = groups;
    const known = processor.channels.flatMap((channel) => {
      const value = processor.note(channel, `taildir/${source}`) as { groups?: unknown; files?: unknown } | undefined;
      return typeof value?.files === 'string' ? [{ files: value.files, groups: value.groups }] : [];
    });
    this.#ids = new Set(known.flatMap(({ files }) => files.split(' ').filter((id) => id !== '')));
    this.#knownGroups = new Set(known.flatMap((one) => (Array.isArray(one.groups) ? one.groups : [])));
  }

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /** Whether this source tailed the group before. */
  knowsGroup(path: string): boolean {
    return this.#knownGroups.has(path);
  }

  add(id: string): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.#isChanged = true;
  }

  /** Notes that forget a file. */
  remove(id: string): Notes {
    if (this.#ids.delete(id)) this.#isChanged = true;
    return { [markKey(this.#source, id)]: undefined };
  }

  /** The registry as a note, where it has changed since it was last asked for. */
  takeNotes(): Notes {
    if (!this.#isChanged) return {};
    this.#isChanged = false;
    return { [`taildir/${this.#source}`]: { groups: this.#groups, files: [...this.#ids].join(' ') } };
  }

  /** The path that a file had. */
  pathOf(id: string): string | undefined {
    return this.#marks(id).values().next().value?.file;
  }

  /** Names under which the notes of a file can be: inodes of two devices can be equal. */
  static idsOf({ inode, device }: FoundFile): readonly [string, string] {
    return [`${inode}`, `${inode}.${device}`];
  }

  /** What the channels have of the file that begins with `head`; undefined where none knows it. */
  remember(id: string, { size }: FoundFile, head: Buffer): Remembered | undefined {
    const marks = new Map([...this.#marks(id)].filter(([, mark]) => isMarkOf(mark, head)));
    if (marks.size === 0) return undefined;
    const positions = new Map<string, number>();
    for (const channel of this.registered) positions.set(channel, marks.get(channel)?.pos ?? 0);
    const least = Math.min(...positions.values());
    for (const channel of this.#processor.channels) if (!positions.has(channel)) positions.set(channel, least);
    const isTruncated = [...positions.values()].some((position) => position > size);
    const channels = this.#processor.channels;
    return { coverage: isTruncated ? Coverage.of(channels, 0) : new Coverage(positions), isTruncated };
  }

  /** Channels that this source put into before. */
  get registered(): readonly string[] {
    return this.#processor.channels.filter((one) => this.#processor.note(one, `taildir/${this.#source}`) !== undefined);
  }

  #marks(id: string): ReadonlyMap<string, Mark> {
    const marks = new Map<string, Mark>();
    for (const channel of this.#processor.channels) {
      const mark = readMark(this.#processor, channel, markKey(this.#source, id));
      if (mark !== undefined) marks.set(channel, mark);
    }
    return marks;
  }
}
