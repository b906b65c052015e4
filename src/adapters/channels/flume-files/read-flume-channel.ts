/** The events of an Apache Flume 1.x file channel, by its own directories. Nothing in them is changed. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Event } from '../../../engine.ts';
import { readKeyStore, type SealedKey, unsealKey } from './jceks.ts';
import { FlumeLogFile, type LogDamage } from './log-file.ts';
import { type LogEncryption, readLogMeta } from './log-meta.ts';
import { placeOf, type Replayed, replayFlumeLogs } from './replay.ts';

/** Where the keys of an encrypted channel are. */
export interface FlumeKeyStore {
  readonly path: string;
  readonly passwordPath: string;
  /** By alias; the store's own where none is named. */
  readonly keyPasswordPaths: ReadonlyMap<string, string>;
}

/** Flume's directories. */
export interface FlumeChannelOptions {
  readonly dataDirs: readonly string[];
  readonly keyStore: FlumeKeyStore | undefined;
}

const version = 3;
const logName = /^log-(\d+)$/;
const cipherName = 'AESCTRNOPADDING';

/** An open channel of Flume's. */
export class FlumeChannelFiles {
  readonly replayed: Replayed;
  readonly #files: ReadonlyMap<number, FlumeLogFile>;

  private constructor(files: ReadonlyMap<number, FlumeLogFile>, replayed: Replayed) {
    this.#files = files;
    this.replayed = replayed;
  }

  /** Reads all of the logs once. @throws {Error} a sentence that names the file and what to do. */
  static async open(options: FlumeChannelOptions): Promise<FlumeChannelFiles> {
    const keys = new Keys(options.keyStore);
    const files = new Map<number, FlumeLogFile>();
    try {
      for (const path of await logPaths(options.dataDirs)) {
        const file = await openLog(path, keys);
        if (file === undefined) continue;
        const other = files.get(file.fileId);
        files.set(file.fileId, file);
        if (other !== undefined) throw new Error(`${path} and ${other.path} have one number: name each directory once`);
      }
      return new FlumeChannelFiles(files, await replayFlumeLogs([...files.values()]));
    } catch (error) {
      for (const file of files.values()) await file.close();
      throw error;
    }
  }

  /** Of log files. */
  get paths(): readonly string[] {
    return [...this.#files.values()].map(({ path }) => path);
  }

  /** In the order of Flume's full replay; in the place of an event that cannot be read what is wrong with it. */
  async *events(): AsyncGenerator<Event | LogDamage> {
    for (const pointer of this.replayed.pointers) {
      const { fileId, offset } = placeOf(pointer);
      const file = this.#files.get(fileId);
      if (file !== undefined) yield await file.event(offset);
      else yield { path: `log-${fileId}`, offset, message: 'the file that an event was put into is missing' };
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}

/** Ascending by number, over all directories. */
async function logPaths(dataDirs: readonly string[]): Promise<readonly string[]> {
  const found: { readonly path: string; readonly number: number }[] = [];
  for (const directory of dataDirs) {
    const names = await readdir(directory).catch((cause: unknown) => {
      throw new Error(`${directory} cannot be read: name the dataDirs of Flume's channel`, { cause });
    });
    for (const name of names) {
      const digits = logName.exec(name)?.[1];
      if (digits !== undefined) found.push({ path: join(directory, name), number: Number(digits) });
    }
  }
  if (found.length === 0)
    throw new Error(`${dataDirs.join(', ')}: no log-1 is there: name the dataDirs of Flume's channel`);
  return found.sort((one, other) => one.number - other.number).map(({ path }) => path);
}

/** Undefined where Flume never began to write it. */
async function openLog(path: string, keys: Keys): Promise<FlumeLogFile | undefined> {
  const meta = await readLogMeta(path);
  const fileId = Number(basename(path).slice('log-'.length));
  if (meta === undefined) return await openUnnoted(path, fileId);
  if (meta.version !== version) {
    throw new Error(`${path} is of version ${meta.version}: start Flume 1.11 on it once, which writes version 3`);
  }
  if (meta.fileId !== fileId) {
    throw new Error(`${path}.meta is that of log-${meta.fileId}: put back the one that belongs there`);
  }
  const encryption = meta.encryption && { ...meta.encryption, key: await keys.of(meta.encryption, path) };
  return await FlumeLogFile.open({ path, fileId, encryption });
}

async function openUnnoted(path: string, fileId: number): Promise<FlumeLogFile | undefined> {
  const file = await FlumeLogFile.open({ path, fileId, encryption: undefined });
  const { value } = await file.records().next();
  await file.close();
  if (value === undefined) return undefined;
  throw new Error(`${path} has records and no ${path}.meta: restore that, Flume does not start without it either`);
}

/** Read when one is asked for. */
class Keys {
  readonly #store: FlumeKeyStore | undefined;
  #sealed: { readonly keys: readonly SealedKey[]; readonly password: string } | undefined;
  readonly #open = new Map<string, Buffer>();

  constructor(store: FlumeKeyStore | undefined) {
    this.#store = store;
  }

  async of({ cipherProvider, keyAlias }: LogEncryption, path: string): Promise<Buffer> {
    const known = this.#open.get(keyAlias);
    if (known !== undefined) return known;
    if (cipherProvider.toUpperCase() !== cipherName) {
      throw new Error(`${path} is encrypted by ${cipherProvider}, a class of one's own: only ${cipherName} is read`);
    }
    const store = this.#store;
    if (store === undefined) {
      throw new Error(`${path} is encrypted: name the key store with --key-store and --key-store-password-file`);
    }
    try {
      this.#sealed ??= await this.#read(store);
      const sealed = this.#sealed.keys.find(({ alias }) => alias.toLowerCase() === keyAlias.toLowerCase());
      if (sealed === undefined) throw new Error(`it has no key '${keyAlias}', which ${path} needs`);
      const passwordPath = store.keyPasswordPaths.get(keyAlias);
      const password = passwordPath === undefined ? this.#sealed.password : await passwordIn(passwordPath);
      const key = unsealKey(sealed, password);
      this.#open.set(keyAlias, key);
      return key;
    } catch (error) {
      throw new Error(`${store.path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  async #read(store: FlumeKeyStore): Promise<{ readonly keys: readonly SealedKey[]; readonly password: string }> {
    const password = await passwordIn(store.passwordPath);
    return { keys: readKeyStore(await readFile(store.path), password), password };
  }
}

/** As Flume: without blanks around it. */
async function passwordIn(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}
