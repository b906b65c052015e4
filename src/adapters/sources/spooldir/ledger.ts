/** What this source knows of the files it reads: from the notes of its channels, and from Flume's meta file. */
import type { FileHandle } from 'node:fs/promises';
import type { ChannelProcessor, Log } from '../../../agent/contracts/components.ts';
import { type FileIdentity, isSameFile } from './file-identity.ts';
import { baseNotes, loadProgress, type MetaSignature, type NoteKeys, type Reading } from './progress.ts';
import { unionOf } from './ranges.ts';

/** Of a crash between note and file the one before is there: so two are known. */
const signaturesKept = 2;

/** See above. */
export class Ledger {
  readonly #processor: ChannelProcessor;
  readonly #keys: NoteKeys;
  readonly #log: Log;
  #readings: Reading[] = [];
  /** Files that are done: what the notes still say of them is over. */
  readonly #over: Set<number> = new Set();
  #lastReading = 0;
  #signatures: readonly MetaSignature[] = [];
  #needsSave = false;

  constructor(processor: ChannelProcessor, keys: NoteKeys, log: Log) {
    this.#processor = processor;
    this.#keys = keys;
    this.#log = log;
  }

  /** From the notes. `isThere`: whether the file may still be spooled. @throws Where a channel is closed. */
  async load(isThere: (file: FileIdentity) => Promise<boolean>): Promise<void> {
    const progress = loadProgress(this.#processor, this.#keys);
    this.#readings = [];
    this.#over.clear();
    this.#signatures = progress.meta ?? [];
    this.#lastReading = progress.lastReading;
    this.#needsSave = progress.hasLanes;
    for (const reading of progress.readings) {
      if (await isThere(reading.file)) this.#readings.push(reading);
      else this.#over.add(reading.id);
    }
  }

  /** Whether it was written here. */
  knows([mtimeMs, sizeBytes]: MetaSignature): boolean {
    return this.#signatures.some((known) => known[0] === mtimeMs && known[1] === sizeBytes);
  }

  /** All channels have `file` up to `position`: so says Flume. */
  import(file: FileIdentity, position: number): void {
    for (const reading of this.#readings) if (reading.file.path === file.path) this.#over.add(reading.id);
    const reading = this.#begin(file);
    for (const channel of this.#processor.channels) reading.done.set(channel, [[0, position]]);
    this.#needsSave = true;
  }

  /** The reading of this file that goes on, or a new one. */
  async readingOf(now: FileIdentity, handle: FileHandle): Promise<Reading> {
    for (const reading of this.#readings) {
      if (this.#over.has(reading.id) || !(await isSameFile(reading.file, now, handle))) continue;
      const furthest = Math.max(0, ...[...reading.done.values()].flat(2));
      const wasEmpty = reading.file.sizeBytes === 0;
      if (wasEmpty === (now.sizeBytes === 0) && (wasEmpty || furthest <= now.sizeBytes)) {
        reading.file = now;
        this.#needsSave = true;
        return reading;
      }
      this.#log.warn(`${now.path} is shorter than what was read of it: it is read from its beginning`);
      this.#over.add(reading.id);
    }
    this.#needsSave = true;
    return this.#begin(now);
  }

  /** The file is done with, or gone. */
  isOver(reading: Reading): void {
    this.#over.add(reading.id);
    this.#readings = this.#readings.filter((one) => one !== reading);
  }

  /** The notes say something that only a base note should. */
  get needsSave(): boolean {
    return this.#needsSave;
  }

  /** Takes up what has become durable. @throws Where a channel is closed. */
  refresh(): void {
    for (const found of loadProgress(this.#processor, this.#keys).readings) {
      const known = this.#readings.find(({ id }) => id === found.id);
      if (known === undefined) continue;
      for (const [channel, ranges] of found.done) {
        known.done.set(channel, unionOf([...(known.done.get(channel) ?? []), ...ranges]));
      }
    }
  }

  /** All that is known, durable in all channels. With what was written to Flume's meta file, or will be next. */
  async save(signature?: MetaSignature): Promise<void> {
    this.refresh();
    const meta = signature === undefined ? this.#signatures : [...this.#signatures, signature].slice(-signaturesKept);
    const readings = this.#readings.filter(({ id }) => !this.#over.has(id));
    const { notes, left } = baseNotes(this.#keys, { lastReading: this.#lastReading, readings, meta });
    for (const { file } of left) {
      this.#log.warn(`too many files are unfinished: after a restart ${file.path} is read from its beginning`);
    }
    await this.#processor.process([], { notes });
    this.#signatures = meta;
    this.#readings = readings;
    this.#over.clear();
    this.#needsSave = false;
  }

  #begin(file: FileIdentity): Reading {
    this.#lastReading += 1;
    const reading: Reading = { id: this.#lastReading, file, done: new Map() };
    this.#readings.push(reading);
    return reading;
  }
}
