/** Configurations that Flume's agent and ours run alike: spooled or tailed files, a file channel, an hdfs sink. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One such. */
export interface SpooledOptions {
  /** Holds `spool`, and what the agent keeps. */
  readonly home: string;
  /** Events of a transaction, at both ends. */
  readonly batchSize: number;
  /** A file of `home` that grows, in place of those in `spool`. */
  readonly tailed?: string;
  /** Lines begin with a word that becomes the header `host`. */
  readonly hosts?: boolean;
  /** Keys of the sink, without `hdfs.`; `path` is due. */
  readonly sink: Readonly<Record<string, string | number>>;
}

const hostKeys: readonly string[] = [
  'sources.r1.interceptors = i1',
  'sources.r1.interceptors.i1.type = regex_extractor',
  'sources.r1.interceptors.i1.regex = ^(\\\\S+)',
  'sources.r1.interceptors.i1.serializers = s1',
  'sources.r1.interceptors.i1.serializers.s1.name = host',
];

function sourceKeys({ home, tailed }: SpooledOptions): string[] {
  if (tailed === undefined) return ['type = spooldir', `spoolDir = ${join(home, 'spool')}`, 'pollDelay = 100'];
  const positions = `positionFile = ${join(home, 'positions.json')}`;
  const pauses = ['backoffSleepIncrement = 10', 'maxBackoffSleep = 50'];
  return ['type = TAILDIR', 'filegroups = f1', `filegroups.f1 = ${join(home, tailed)}`, positions, ...pauses];
}

/** Writes it. @returns where. */
export async function writeSpooled(options: SpooledOptions): Promise<string> {
  const { home, batchSize, hosts = false, sink } = options;
  const keys = { fileType: 'DataStream', batchSize, rollInterval: 0, rollCount: 0, ...sink };
  const lines = [
    ...['sources = r1', 'channels = c1', 'sinks = k1'],
    ...['channels = c1', `batchSize = ${batchSize}`, ...sourceKeys(options)].map((line) => `sources.r1.${line}`),
    ...(hosts ? hostKeys : []),
    ...['channels.c1.type = file', `channels.c1.checkpointDir = ${join(home, 'checkpoint')}`],
    `channels.c1.dataDirs = ${join(home, 'data')}`,
    ...['sinks.k1.type = hdfs', 'sinks.k1.channel = c1'],
    ...Object.entries(keys).map(([key, value]) => `sinks.k1.hdfs.${key} = ${value}`),
  ];
  const path = join(home, 'agent.properties');
  await writeFile(path, lines.map((line) => `a1.${line}\n`).join(''));
  return path;
}

/** Whether all files of `home/spool` were taken. */
export async function isSpooled(home: string): Promise<boolean> {
  return (await readdir(join(home, 'spool'))).every((name) => name.endsWith('.COMPLETED') || name[0] === '.');
}

/** How bytes came: told what is there by now, again and again. */
export class Progress {
  readonly #beganMs: number = performance.now();
  readonly #marks: { readonly atMs: number; readonly bytes: number }[] = [];

  /** From the first bytes to the last, the longest time without any, ms. */
  get stallMs(): number {
    const moves = this.#marks.filter(({ bytes }, index) => bytes > (this.#marks[index - 1]?.bytes ?? 0));
    return moves.reduce((most, { atMs }, index) => Math.max(most, atMs - (moves[index - 1]?.atMs ?? atMs)), 0);
  }

  /** Since it was made. */
  get seconds(): number {
    return ((this.#marks.at(-1)?.atMs ?? this.#beganMs) - this.#beganMs) / 1000;
  }

  add(bytes: number): void {
    this.#marks.push({ atMs: performance.now(), bytes });
  }

  /** Bytes a second between these shares of the last bytes told. */
  rate(fromShare: number, toShare: number): number {
    const all = this.#marks.at(-1)?.bytes ?? 0;
    const [from, to] = [fromShare, toShare].map((share) => this.#marks.find(({ bytes }) => bytes >= share * all));
    if (from === undefined || to === undefined || to.atMs === from.atMs) return 0;
    return ((to.bytes - from.bytes) / (to.atMs - from.atMs)) * 1000;
  }
}
