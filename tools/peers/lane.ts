/** One contender's way through the cells: its process, the warm-up, the measurement, and the disk as it was before. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChannelFigures } from '../../src/bench/channel-work.ts';
import type { DiskRate } from '../../src/bench/disk-rate.ts';
import { type Cell, mainSideOf } from './cells.ts';
import type { Contender } from './contenders.ts';
import { LineProcess } from './line-process.ts';
import { emptyPageCache } from './page-cache.ts';
import type { Program } from './programs.ts';
import type { ResultLine, Settings } from './results-file.ts';

/** What a driver answers to put, take and mixed. */
interface Answer extends ChannelFigures {
  readonly groups?: { readonly writes: number; readonly bytesMedian: number };
  readonly error?: string;
}

/** What came out of one measurement. */
export type Measured = Pick<ResultLine, 'figures' | 'groups' | 'diskRate'>;

/** What a queue holds before it is drained, at most: it has to be filled, and lies on the disk. */
const filledEventsMax = 4_000_000;
const filledBytesMax: number = 2 * 2 ** 30;
/** Flume's channel holds a million. */
const flumeEventsMax = 900_000;
/** What a peer that does not sync puts into the page cache, at most: the kernel would write it while others work. */
const unsyncedBytesMax: number = 2 * 2 ** 30;
/** So often a kept process, which is a JVM, does a warm-up's length of puts before its first cell. */
const firstWarmUps = 5;
/** A driver that says nothing for so long hangs. */
const answerMsMax = 180_000;

/** From the first cell to `end`. */
export class Lane {
  readonly #contender: Contender;
  readonly #program: Program;
  readonly #scratch: string;
  readonly #settings: Settings;
  #process: LineProcess | undefined;
  #directories = 0;

  /** Works below `scratch`, which is there. */
  constructor(contender: Contender, program: Program, scratch: string, settings: Settings) {
    this.#contender = contender;
    this.#program = program;
    this.#scratch = scratch;
    this.#settings = settings;
  }

  /** Warm-up and measurement of one cell, each in a fresh directory. A rejection leaves no process behind. */
  async measure(cell: Cell): Promise<Measured> {
    try {
      const { windowMs, warmUpMs } = this.#settings;
      await this.#start();
      const warm = await this.#work(cell, warmUpMs, this.#guess(cell));
      const { groups, ...figures } = await this.#work(cell, windowMs, this.#filling(cell, warm));
      const diskRate = groups === undefined ? undefined : await this.#gauge(groups.bytesMedian);
      if (!this.#contender.isKept) await this.end();
      return { figures, ...(groups && { groups }), ...(diskRate && { diskRate }) };
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async end(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.close();
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.kill();
  }

  async #start(): Promise<void> {
    if (this.#process !== undefined) return;
    this.#process = new LineProcess(this.#program);
    if (!this.#contender.isKept) return;
    const cell: Cell = { id: '', work: 'put', producers: 4, consumers: 0, batch: 100, bodyBytes: 500 };
    await this.#work(cell, firstWarmUps * this.#settings.warmUpMs, 0);
  }

  async #work(cell: Cell, windowMs: number, events: number): Promise<Answer> {
    const directory = join(this.#scratch, `${this.#contender.name}-${++this.#directories}`);
    try {
      if (cell.work === 'take') {
        const filled = await this.#ask<Partial<Answer>>(this.#fillWords(cell, directory, events));
        if (filled.error !== undefined) throw new Error(filled.error);
        if (this.#settings.coldTakes) emptyPageCache();
      }
      const answer = await this.#ask<Answer>(this.#words(cell, directory, windowMs, events));
      if (answer.error !== undefined) throw new Error(answer.error);
      if (answer[mainSideOf(cell.work)] === undefined) throw new Error('no figures in the answer');
      return answer;
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      removeDurably(directory);
    }
  }

  #words(cell: Cell, directory: string, windowMs: number, events: number): readonly (string | number)[] {
    const { work, producers, consumers, batch, bodyBytes } = cell;
    const command = work === 'both' ? 'mixed' : work;
    if (this.#contender.name !== 'flume') {
      return [command, directory, producers, consumers, batch, bodyBytes, windowMs, events];
    }
    if (work === 'take') return [command, directory, consumers, batch, windowMs];
    const clients = work === 'both' ? [producers, consumers] : [producers];
    return [command, directory, ...clients, batch, bodyBytes, windowMs];
  }

  #fillWords(cell: Cell, directory: string, events: number): readonly (string | number)[] {
    const { producers, consumers, batch, bodyBytes } = cell;
    if (this.#contender.name === 'flume') return ['fill', directory, events, bodyBytes, 'close'];
    return ['fill', directory, producers, consumers, batch, bodyBytes, 0, events];
  }

  /** Twice of what it takes, as the warm-up showed; of puts where they have to end. */
  #filling(cell: Cell, warm: ChannelFigures): number {
    if (cell.work !== 'take') return this.#guess(cell);
    const { windowMs, warmUpMs } = this.#settings;
    const taken = (2 * (warm.taken?.eventsPerSecond ?? 0) * windowMs) / 1000;
    return this.#allowed(cell, Math.max(taken, (this.#guess(cell) * windowMs) / warmUpMs / 4));
  }

  #guess(cell: Cell): number {
    const { syncsFirst, takesPerSecond } = this.#contender;
    if (cell.work !== 'take') return syncsFirst ? 0 : Math.ceil(unsyncedBytesMax / cell.bodyBytes);
    const [singly, hundreds, thousands] = takesPerSecond;
    const perSecond = cell.batch === 1 ? singly : cell.batch < 1000 ? hundreds : thousands;
    return this.#allowed(cell, (perSecond * this.#settings.warmUpMs) / 1000);
  }

  #allowed({ batch, bodyBytes }: Cell, events: number): number {
    const eventsMax = this.#contender.name === 'flume' ? flumeEventsMax : filledEventsMax;
    return Math.floor(Math.min(Math.max(events, 2 * batch), eventsMax, filledBytesMax / bodyBytes));
  }

  async #gauge(bytes: number): Promise<DiskRate | undefined> {
    if (bytes === 0) return undefined;
    const rate = await this.#ask<DiskRate & { error?: string }>([
      'gauge',
      this.#scratch,
      bytes,
      this.#settings.gaugeMs,
    ]);
    if (rate.error !== undefined) throw new Error(rate.error);
    syncDirectory(this.#scratch);
    return rate;
  }

  /** Ends the process where it does not answer in time. */
  async #ask<Answered>(words: readonly (string | number)[]): Promise<Answered> {
    const process = this.#process;
    if (process === undefined) throw new Error('stopped');
    const timer = setTimeout(() => void process.kill(), answerMsMax + 20 * this.#settings.windowMs);
    try {
      return await process.ask<Answered>(...words);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Freeing blocks costs a disk time (discard): it is over when this returns, and no other measurement's time. */
function removeDurably(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  syncDirectory(dirname(directory));
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
