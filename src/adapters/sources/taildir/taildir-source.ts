/**
 * Flume's taildir source: follows files by their inode, line by line. Its positions are notes in the transactions that
 * bring the lines, so that each channel has each line exactly once, whatever ends the process.
 */

import type { Source, SourceContext, SourceDefinition, Timer } from '../../../agent/contracts/components.ts';
import { Coverage } from './coverage.ts';
import { Directories, lookAt } from './directories.ts';
import { FileSet } from './file-set.ts';
import { readGroups, type TaildirValues, taildirKeys } from './keys.ts';
import { PositionKeeper } from './position-keeper.ts';
import { Registry } from './registry.ts';
import { Sender } from './sender.ts';
import type { TailedFile } from './tailed-file.ts';
import { oldestFirst, positionsOf, transactionOf } from './transactions.ts';

/** Between two looks at files that are written to all the time: lines come in batches then. */
const pauseMs = 20;
/** Flume's, before the first write of the position file. */
const firstWriteMs = 5000;
const failureDelayMs = 1000;

/** Follows files that match, line by line. */
export const taildirSource: SourceDefinition<typeof taildirKeys> = {
  types: ['TAILDIR', 'org.apache.flume.source.taildir.TaildirSource'],
  keys: taildirKeys,
  check: (values) => readGroups(values).problems,
  create: (values, context) => new TaildirSource(values, context),
};

interface Parts {
  readonly directories: Directories;
  readonly files: FileSet;
  readonly sender: Sender;
  readonly keeper: PositionKeeper;
}

class TaildirSource implements Source {
  readonly #values: TaildirValues;
  readonly #context: SourceContext;
  readonly #batchCountMax: number;
  #state: 'new' | 'running' | 'stopping' = 'new';
  #parts: Parts | undefined;
  #loop: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #isWoken = false;
  #lookDueMs = 0;
  #emptyLooks = 0;
  #writeDueMs = 0;
  readonly #unreadable: Set<string> = new Set();

  constructor(values: TaildirValues, context: SourceContext) {
    this.#values = values;
    this.#context = context;
    this.#batchCountMax = values.maxBatchCount > 0 ? values.maxBatchCount : Number.MAX_SAFE_INTEGER;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    const { positionFile, cachePatternMatching, skipToEnd } = this.#values;
    const context = this.#context;
    const { groups } = readGroups(this.#values);
    const keeper = new PositionKeeper(positionFile, context);
    const foreign = await keeper.readForeign();
    const paths = groups.map(({ path }) => path);
    const registry = new Registry(context.processor, context.name, paths);
    const directories = new Directories(groups, cachePatternMatching, context, () => this.#changed());
    const files = new FileSet(context, registry, directories, foreign, skipToEnd);
    this.#parts = { directories, files, sender: new Sender(context), keeper };
    this.#writeDueMs = context.clock.monotonicMs() + firstWriteMs;
    this.#state = 'running';
    this.#loop = this.#run(this.#parts);
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running' || this.#parts === undefined) {
      await this.#loop;
      return;
    }
    this.#state = 'stopping';
    const { directories, files, sender, keeper } = this.#parts;
    this.#changed();
    await sender.stop();
    await this.#loop;
    await sender.stop();
    directories.close();
    await keeper.write(positionsOf(files.files));
    for (const file of files.files) await file.close();
  }

  #changed(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async #run(parts: Parts): Promise<void> {
    while (this.#state === 'running') {
      this.#isWoken = false;
      try {
        const hasMore = await this.#pass(parts);
        if (hasMore) continue;
        await this.#wait(this.#lookDueMs - this.#nowMs, true);
        await this.#wait(pauseMs, false);
      } catch (error) {
        this.#context.count('GenericProcessingFail');
        this.#context.log.error('files could not be tailed: it is tried again', { error });
        this.#lookDueMs = 0;
        await this.#wait(failureDelayMs, false);
      }
    }
  }

  get #nowMs(): number {
    return this.#context.clock.monotonicMs();
  }

  /** Until then, until a change where that is asked for, or until the stop. */
  async #wait(delayMs: number, endsWithChange: boolean): Promise<void> {
    if (delayMs <= 0 || this.#state !== 'running' || (endsWithChange && this.#isWoken)) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      timer = this.#context.clock.after(delayMs, resolve, true);
      this.#wake = () => {
        if (endsWithChange || this.#state !== 'running') resolve();
      };
    });
    timer?.cancel();
    this.#wake = () => undefined;
  }

  /** Looks, and reads what is there. True: a file had its share and has more. */
  async #pass(parts: Parts): Promise<boolean> {
    const isLook = this.#nowMs >= this.#lookDueMs || parts.directories.isListDue;
    if (isLook) await this.#lookAtAll(parts);
    else await this.#lookAtChanged(parts);
    let hasMore = false;
    let hasRead = false;
    for (const file of oldestFirst(parts.files.files)) {
      if (this.#state !== 'running') return false;
      const outcome = await this.#tailIfDue(parts, file);
      hasMore ||= outcome === 'more';
      hasRead ||= outcome !== 'nothing';
    }
    this.#planLook(isLook, hasRead);
    await this.#writePositions(parts);
    return hasMore;
  }

  #planLook(hasLooked: boolean, hasRead: boolean): void {
    const { backoffSleepIncrement, maxBackoffSleep } = this.#values;
    if (hasRead) this.#emptyLooks = 1;
    else if (hasLooked) this.#emptyLooks += 1;
    const dueMs = this.#nowMs + Math.min(this.#emptyLooks * backoffSleepIncrement, maxBackoffSleep);
    if (hasLooked) this.#lookDueMs = dueMs;
    else if (hasRead) this.#lookDueMs = Math.min(this.#lookDueMs, dueMs);
  }

  async #lookAtAll({ directories, files, sender }: Parts): Promise<void> {
    await files.update(await directories.look());
    const join = files.takeJoinNotes();
    if (join !== undefined) await sender.send({ events: [], options: () => join, settled: () => undefined });
    const notes = files.takeNotes();
    if (Object.keys(notes).length === 0) return;
    await sender.send({ events: [], options: () => ({ notes }), settled: () => undefined });
    await sender.drain();
  }

  async #lookAtChanged({ directories, files }: Parts): Promise<void> {
    for (const path of directories.takeChanged()) {
      const file = files.at(path);
      const found = file === undefined ? undefined : await lookAt(path, file.found.group);
      if (file === undefined && directories.groupOf(path) === undefined) continue;
      const isSame = found?.inode === file?.found.inode && found?.device === file?.found.device;
      if (file !== undefined && found !== undefined && isSame) file.see(found, this.#nowMs);
      else this.#lookDueMs = 0;
    }
    for (const file of files.files) if (!file.isThere) await file.look(this.#nowMs);
  }

  async #tailIfDue(parts: Parts, file: TailedFile): Promise<'more' | 'read' | 'nothing'> {
    const isIdle = file.isOpen && this.#nowMs - file.changedMs > this.#values.idleTimeout;
    const { size } = file.found;
    if (size === file.readTo && !file.hasHadShare && !isIdle) {
      if (!file.isThere && !file.isOpen) parts.files.drop(file);
      return 'nothing';
    }
    try {
      const outcome = await this.#tail(parts, file, isIdle);
      file.hasHadShare = outcome === 'more';
      this.#unreadable.delete(file.found.path);
      if (isIdle && outcome !== 'more') await this.#close(parts, file);
      return outcome;
    } catch (error) {
      await this.#readFailed(file, error);
      return 'nothing';
    }
  }

  async #close({ files, sender }: Parts, file: TailedFile): Promise<void> {
    await file.close();
    // Its position counts as long as something is in flight.
    if (!file.isThere && (await sender.drain())) files.drop(file);
  }

  async #readFailed(file: TailedFile, error: unknown): Promise<void> {
    await file.close();
    const { path } = file.found;
    this.#lookDueMs = Math.min(this.#lookDueMs, this.#nowMs + failureDelayMs);
    // Its path leads elsewhere by now: the next look finds out where it went.
    if ((error as { code?: unknown }).code === 'ENOENT') return;
    this.#context.count('EventReadFail');
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#context.log.error(`${path} cannot be read: it is tried again`, { error });
  }

  async #tail({ sender }: Parts, file: TailedFile, withRest: boolean): Promise<'more' | 'read' | 'nothing'> {
    const isSame = await file.prepare(this.#nowMs);
    if (!isSame) {
      if (!(await sender.drain())) return 'nothing';
      const { path } = file.found;
      this.#context.log.warn(`${path} was truncated: it is read from its start`);
      await file.restart(Coverage.of(this.#context.processor.channels, 0));
      const notes = file.notes.noteAt(0, path, file.head);
      await sender.send({ events: [], options: () => ({ notes }), settled: () => undefined });
    }
    for (let count = 0; count < this.#batchCountMax; count += 1) {
      const batch = await file.next(this.#values.batchSize, withRest);
      if (batch === undefined) return count > 0 ? 'read' : 'nothing';
      if (!(await sender.send(transactionOf(file, batch, this.#values, this.#context)))) return 'nothing';
    }
    return 'more';
  }

  async #writePositions({ files, keeper }: Parts): Promise<void> {
    if (this.#nowMs < this.#writeDueMs) return;
    this.#writeDueMs = this.#nowMs + this.#values.writePosInterval;
    await keeper.write(positionsOf(files.files));
  }
}
