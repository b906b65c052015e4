/** Hadoop's client configuration: core-site.xml and hdfs-site.xml of a directory, as Hadoop's own client reads them. */
import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type HadoopProperty, HadoopXmlError, readHadoopXml } from './hadoop-xml.ts';

/** In this order: what the later one says replaces what the earlier one said. */
export const hadoopFiles: readonly string[] = ['core-site.xml', 'hdfs-site.xml'];
/** The largest ones have some 100 KiB. */
const fileBytesMax = 4 * 1024 * 1024;
/** As in Hadoop. */
const substitutionsMax = 20;

/** What Hadoop calls by another name now. */
const formerNames: Readonly<Record<string, string>> = {
  'fs.default.name': 'fs.defaultFS',
  'dfs.block.size': 'dfs.blocksize',
  'dfs.http.address': 'dfs.namenode.http-address',
  'dfs.https.address': 'dfs.namenode.https-address',
  'dfs.federation.nameservices': 'dfs.nameservices',
};

/** Settings by name, with `${…}` replaced. */
export class HadoopConfiguration {
  /** The directory, for messages. */
  readonly directory: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(
    directory: string,
    values: ReadonlyMap<string, string>,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.directory = directory;
    this.#values = values;
    this.#environment = environment;
  }

  /**
   * Undefined where it is not set, or empty.
   *
   * @throws {Error} where `${…}` in it leads nowhere.
   */
  get(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const replaced = this.#replace(name, value);
    return replaced === '' ? undefined : replaced;
  }

  /** Names separated by commas. */
  list(name: string): readonly string[] {
    const names = (this.get(name) ?? '').split(',').map((one) => one.trim());
    return names.filter((one) => one !== '');
  }

  /** Inside first, one at a time. */
  #replace(name: string, value: string): string {
    let text = value;
    for (let round = 0; round < substitutionsMax; round += 1) {
      const match = /\$\{([^{}$\s]+)\}/.exec(text);
      if (match === null) return text;
      const [whole, variable = ''] = match;
      const found = this.#variable(variable);
      if (found === undefined) {
        throw new Error(`${this.directory}: ${name} is '${value}': '${whole}' is not known here: write it out`);
      }
      text = text.slice(0, match.index) + found + text.slice(match.index + whole.length);
    }
    throw new Error(`${this.directory}: ${name} is '${value}': that goes through more than ${substitutionsMax} others`);
  }

  #variable(variable: string): string | undefined {
    const [, name = '', preset] = /^env\.([^:]*?)(?::?-(.*))?$/.exec(variable) ?? [];
    if (name !== '') return this.#environment[name] ?? preset;
    if (variable === 'user.name') return userInfo().username;
    return this.#values.get(variable);
  }
}

/**
 * Reads the directory's two files, of which one may be absent.
 *
 * @throws {Error} naming the file, and where in it, what cannot be read.
 */
export async function readHadoopConfiguration(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<HadoopConfiguration> {
  const values = new Map<string, string>();
  const final = new Set<string>();
  let seen = 0;
  for (const file of hadoopFiles) {
    const path = join(directory, file);
    const text = await readText(path);
    if (text === undefined) continue;
    seen += 1;
    for (const { name, value, isFinal } of parse(path, text)) {
      const current = formerNames[name] ?? name;
      if (final.has(current)) continue;
      values.set(current, value);
      if (isFinal) final.add(current);
    }
  }
  if (seen > 0) return new HadoopConfiguration(directory, values, environment);
  throw new Error(
    `${directory} holds neither ${hadoopFiles.join(' nor ')}: it is no directory of Hadoop's configuration`,
  );
}

function parse(path: string, text: string): HadoopProperty[] {
  try {
    return readHadoopXml(text);
  } catch (error) {
    throw error instanceof HadoopXmlError ? new Error(`${path}, ${error.message}`, { cause: error }) : error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    await using handle = await open(path);
    const { size } = await handle.stat();
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, and ${fileBytesMax} at most are read`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot read ${path}: ${why}`, { cause: error });
  }
}
