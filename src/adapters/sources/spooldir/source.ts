/**
 * The spooldir source: finished files of a directory, one after the other. It goes on where its channels' notes say
 * that they are; Flume's own meta file takes part where Flume has written it since.
 */
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Log, Source, SourceContext } from '../../../agent/contracts/components.ts';
import type { DeserializerKind } from './deserializer.ts';
import { Feeder, type FeederOptions } from './feeder.ts';
import { identify, isUnchanged } from './file-identity.ts';
import { FileProblem } from './file-problem.ts';
import { deleteFlumeMeta, prepareFlumeMeta, readFlumeMeta } from './flume-meta.ts';
import { Ledger } from './ledger.ts';
import { NoteKeys } from './progress.ts';
import { retire } from './retire.ts';
import { type Candidate, candidateAt, listCandidates, type SpoolOptions } from './spool-directory.ts';
import { type SpoolerParts, spool, type Unfinished } from './spooler.ts';
import { Waiter } from './waiter.ts';

/** So much time may pass between listings, in times of what one takes. */
const listingShare = 10;
const retryMsMin = 250;
const retryMsMax = 4000;
/** Made and removed at each start. Hidden: one that a kill leaves is not spooled, and the next start removes it. */
const canaryName = '.forebay-permission-check';

/** What the source is told. Paths are absolute. */
export interface SpoolDirectoryOptions extends SpoolOptions, FeederOptions {
  readonly deletesDone: boolean;
  /** As Flume writes it down. */
  readonly configuredSpoolDir: string;
  readonly pollDelayMs: number;
  readonly kind: DeserializerKind;
  readonly headersOf: SpoolerParts['headersOf'];
}

/** A file that is left alone, as it was then. */
interface Parked {
  readonly candidate: Candidate;
  readonly blockedBy: string | undefined;
}

/** See Source. */
export class SpoolDirectorySource implements Source {
  readonly #options: SpoolDirectoryOptions;
  readonly #context: SourceContext;
  readonly #log: Log;
  readonly #waiter: Waiter;
  readonly #ledger: Ledger;
  readonly #parts: SpoolerParts;
  readonly #parked: Map<string, Parked> = new Map();
  #candidates: Candidate[] = [];
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listingMs = 0;
  #hasMeta = false;
  #running: Promise<void> | undefined;

  constructor(options: SpoolDirectoryOptions, context: SourceContext) {
    this.#options = options;
    this.#context = context;
    this.#log = context.log;
    this.#waiter = new Waiter(context.clock);
    const keys = new NoteKeys(context.name);
    this.#ledger = new Ledger(context.processor, keys, context.log);
    this.#parts = {
      context,
      ledger: this.#ledger,
      feeder: new Feeder(context, keys, options, this.#waiter),
      kind: options.kind,
      headersOf: options.headersOf,
      retire: (path) => retire(path, options),
    };
  }

  async start(): Promise<void> {
    await this.#checkDirectories();
    const candidates = await listCandidates(this.#options);
    const paths = new Set(candidates.map(({ path }) => path));
    const inodes = new Set(candidates.map(({ inode }) => inode));
    await this.#ledger.load(async ({ path, inode }) => paths.has(path) || inodes.has(inode));
    await this.#importMeta(paths);
    if (this.#ledger.needsSave) await this.#ledger.save();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#waiter.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    let unfinished: Unfinished | undefined;
    while (!this.#waiter.isStopped && unfinished === undefined) {
      try {
        const next = await this.#next();
        if (next === undefined) {
          if (this.#ledger.needsSave) await this.#ledger.save();
          await this.#waiter.wait(this.#options.pollDelayMs);
        } else unfinished = await this.#spool(next);
      } catch (error) {
        this.#context.count('GenericProcessingFail');
        this.#log.error(`${this.#options.spoolDir} cannot be spooled; it is tried again`, { error });
        await this.#waiter.wait(Math.max(this.#options.pollDelayMs, retryMsMin));
      }
    }
    try {
      await this.#leave(unfinished);
    } catch (error) {
      this.#log.warn('the place in the file is in the channels, but not in the meta file of Flume', { error });
    }
  }

  async #spool(candidate: Candidate): Promise<Unfinished | undefined> {
    const { path } = candidate;
    try {
      const unfinished = await spool(path, this.#parts);
      if (unfinished === undefined && this.#hasMeta) {
        await deleteFlumeMeta(this.#options.trackerDir);
        this.#hasMeta = false;
      }
      return unfinished;
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      this.#context.count('EventReadFail');
      this.#log.error(`${error.message}. It is left alone until it changes; the other files go on`, { error });
      this.#parked.set(path, { candidate: (await candidateAt(path)) ?? candidate, blockedBy: error.blockedBy });
      await this.#saveSurely();
      return undefined;
    }
  }

  /** What is known of a file left alone must be durable before the lanes are used for another. */
  async #saveSurely(): Promise<void> {
    for (let waitMs = retryMsMin; !this.#waiter.isStopped; waitMs = Math.min(waitMs * 2, retryMsMax)) {
      try {
        return await this.#ledger.save();
      } catch (error) {
        this.#log.warn('a channel did not take the place in a file: it is offered again', { error });
        await this.#waiter.wait(waitMs);
      }
    }
  }

  /** Lists anew when all was used, and so often that files that came since have their turn. */
  async #next(): Promise<Candidate | undefined> {
    const { clock } = this.#context;
    const ageMs = clock.monotonicMs() - this.#listedAtMs;
    const isOld = ageMs > Math.max(this.#options.pollDelayMs, this.#listingMs * listingShare);
    if (this.#candidates.length === 0 || (isOld && this.#options.order !== 'random')) {
      const beganMs = clock.monotonicMs();
      const found = await listCandidates(this.#options);
      // Taken from the end.
      this.#candidates = (await this.#notParked(found)).reverse();
      this.#listedAtMs = clock.monotonicMs();
      this.#listingMs = this.#listedAtMs - beganMs;
    }
    return this.#candidates.pop();
  }

  async #notParked(found: readonly Candidate[]): Promise<Candidate[]> {
    const waiting: Candidate[] = [];
    const parked = new Map(this.#parked);
    this.#parked.clear();
    for (const candidate of found) {
      const known = parked.get(candidate.path);
      if (known !== undefined && (await isStillParked(known, candidate))) this.#parked.set(candidate.path, known);
      else waiting.push(candidate);
    }
    return waiting;
  }

  async #checkDirectories(): Promise<void> {
    const { spoolDir, trackerDir, isTracked, deletesDone } = this.#options;
    const found = await stat(spoolDir).catch((error: unknown) => {
      throw new Error(`spoolDir ${spoolDir} cannot be read: make the directory, or correct the path`, { cause: error });
    });
    if (!found.isDirectory()) throw new Error(`spoolDir ${spoolDir} is not a directory`);
    try {
      await mkdir(trackerDir, { recursive: true });
    } catch (error) {
      throw new Error(`trackerDir ${trackerDir} cannot be made: set trackerDir to one that can`, { cause: error });
    }
    if (isTracked && !deletesDone) return;
    const canary = join(spoolDir, canaryName);
    try {
      await (await open(canary, 'w')).close();
      await rm(canary, { force: true });
    } catch (error) {
      const cure = 'give write permission, or set trackingPolicy = tracker_dir';
      throw new Error(`spoolDir ${spoolDir} cannot be written to, so files cannot be renamed: ${cure}`, {
        cause: error,
      });
    }
  }

  /** A Flume that was stopped or killed in mid-file is continued. What was written here, the notes know better. */
  async #importMeta(candidates: ReadonlySet<string>): Promise<void> {
    const meta = await readFlumeMeta(this.#options.trackerDir);
    this.#hasMeta = meta !== undefined;
    if (meta?.place === undefined || this.#ledger.knows(meta.signature)) return;
    const path = resolve(meta.place.path);
    if (!candidates.has(path)) return;
    const handle = await open(path, 'r');
    try {
      const now = await identify(path, handle);
      const file = { handle, path, sizeBytes: now.sizeBytes, headers: {} };
      const position = await this.#options.kind.positionOf(file, meta.place.offset);
      this.#ledger.import(now, position);
      this.#log.info(`${path} is continued at byte ${meta.place.offset}, where Flume's meta file says`);
    } finally {
      await handle.close();
    }
    await this.#ledger.save(meta.signature);
  }

  /** First the note, then the meta file: a crash between them leaves one that is known. */
  async #leave(unfinished: Unfinished | undefined): Promise<void> {
    const { trackerDir, spoolDir, configuredSpoolDir } = this.#options;
    if (unfinished === undefined) {
      if (this.#ledger.needsSave) await this.#ledger.save();
      if (this.#hasMeta) await deleteFlumeMeta(trackerDir);
      return;
    }
    this.#ledger.refresh();
    const { reading, deserializer } = unfinished;
    const offset = deserializer.flumeOffsetOf(this.#parts.feeder.startOf(reading));
    const path = join(configuredSpoolDir, relative(spoolDir, reading.file.path));
    const meta = prepareFlumeMeta(trackerDir, { path, offset }, this.#context.clock.wallMs());
    await this.#ledger.save(meta.signature);
    await meta.write();
  }
}

/** Unchanged, also in its permissions, and what was in its way still is. */
async function isStillParked({ candidate: then, blockedBy }: Parked, now: Candidate): Promise<boolean> {
  const isSame = then.inode === now.inode && isUnchanged(then, now) && then.ctimeMs === now.ctimeMs;
  if (!isSame || blockedBy === undefined) return isSame;
  return stat(blockedBy).then(
    () => true,
    () => false,
  );
}
