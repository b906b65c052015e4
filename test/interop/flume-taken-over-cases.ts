/** A whole agent, of Flume's or ours, by one configuration: files that are spooled and files that are tailed. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelSettings } from './flume-file-channel.ts';

/** What is between a source and a sink: each has a directory of its own. */
export const flows = ['spooled', 'tailed'] as const;
/** One of them. */
export type Flow = (typeof flows)[number];

/** What is special about an agent. */
export interface TakenOver {
  readonly name: string;
  /** Of each channel; `@dir@` is its flow's directory. */
  readonly channel: ChannelSettings;
  /** Of each sink: so many events are in doubt when an agent is killed. The fewer, the slower Flume's is. */
  readonly sinkBatchEvents: number;
  /** Whether it is killed only when Flume has noted of some files that are tailed that it has read them: after 5 s. */
  readonly isLate: boolean;
}

/** Those that are killed and taken over. */
export const takenOver: readonly TakenOver[] = [
  {
    name: 'one directory, late',
    channel: { checkpointDir: '@dir@/channel/checkpoint', dataDirs: '@dir@/channel/data1' },
    sinkBatchEvents: 1,
    isLate: true,
  },
  {
    name: 'two directories, two checkpoints',
    channel: {
      checkpointDir: '@dir@/channel/checkpoint',
      useDualCheckpoints: 'true',
      backupCheckpointDir: '@dir@/channel/backup',
      dataDirs: '@dir@/channel/data1,@dir@/channel/data2',
    },
    sinkBatchEvents: 10,
    isLate: false,
  },
  {
    name: 'several log files, the checkpoint below the data, large batches',
    channel: {
      checkpointDir: '@dir@/channel/data1/checkpoint',
      dataDirs: '@dir@/channel/data1',
      maxFileSize: '700000',
    },
    sinkBatchEvents: 200,
    isLate: false,
  },
];

/** Of each source: so many events are in doubt. */
export const sourceBatchEvents = 100;

const filesPerFlow = 4;
const linesPerFile = 5000;
/** Files that a late one has read, and Flume has noted as read, before there are the others. */
const filesBefore = 2;
/** Their lines. */
export const linesBefore: number = filesBefore * linesPerFile;
/** The sources wait for room, and are in the middle of a file for as long as there are so many lines ahead. */
const capacityEvents = 6000;

const sources: Readonly<Record<Flow, readonly string[]>> = {
  spooled: ['type = spooldir', 'spoolDir = @dir@/in'],
  tailed: [
    'type = TAILDIR',
    'positionFile = @dir@/positions.json',
    'filegroups = g',
    'filegroups.g = @dir@/in/.*\\\\.log',
    'writePosInterval = 500',
  ],
};

/** The lines of each flow's files, all different. */
export function linesOf(flow: Flow): string[] {
  return Array.from({ length: filesPerFlow * linesPerFile }, (_, index) => {
    return `${flow} ${index} zwölf 日本 ${'x'.repeat(index % 90)}`;
  });
}

/** Makes the directories of both flows below `top`, and their first files; all of them unless it is killed late. */
export async function writeFlows(top: string, { isLate }: TakenOver): Promise<void> {
  for (const flow of flows) {
    for (const name of ['in', 'out', 'again']) await mkdir(join(top, flow, name), { recursive: true });
    await writeFiles(top, flow, 0, isLate ? filesBefore : filesPerFlow);
  }
}

/** The others. */
export async function writeRest(top: string): Promise<void> {
  for (const flow of flows) await writeFiles(top, flow, filesBefore, filesPerFlow);
}

/** Whole as soon as they are there, each a minute younger than the one before. */
async function writeFiles(top: string, flow: Flow, from: number, to: number): Promise<void> {
  const lines = linesOf(flow);
  for (let file = from; file < to; file += 1) {
    const path = join(top, flow, `${file}.written`);
    const own = lines.slice(file * linesPerFile, (file + 1) * linesPerFile);
    await writeFile(path, own.map((line) => `${line}\n`).join(''));
    const time = Date.parse('2024-05-05T12:00:00Z') / 1000 + file * 60;
    await utimes(path, time, time);
    await rename(path, join(top, flow, 'in', `${file}.log`));
  }
}

/** Whether Flume has noted that it has read what a late one has of tailed files at first. */
export function hasNoted(top: string): boolean {
  const path = join(top, 'tailed', 'positions.json');
  const noted = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const sizes = Array.from(
    { length: filesBefore },
    (_, file) => statSync(join(top, 'tailed', 'in', `${file}.log`)).size,
  );
  return sizes.every((size) => noted.includes(`"pos":${size},`));
}

/** Of the channel whose flow's directory is `directory`. */
export function channelSettings({ channel }: TakenOver, directory: string): ChannelSettings {
  const settings = {
    capacity: `${capacityEvents}`,
    transactionCapacity: '1000',
    'keep-alive': '1',
    checkpointInterval: '1000',
    minimumRequiredSpace: '1048576',
    ...channel,
  };
  const placed = Object.entries(settings).map(([key, value]) => [key, value.replaceAll('@dir@', directory)]);
  return Object.fromEntries(placed);
}

/** The configuration, with sinks into `out` of each flow's directory. */
export function configurationText(top: string, one: TakenOver, out: 'out' | 'again'): string {
  const lines = flows.flatMap((flow) => {
    const settings = {
      sources: [...sources[flow], `batchSize = ${sourceBatchEvents}`, `channels = ${flow}`],
      channels: [
        'type = file',
        ...Object.entries(channelSettings(one, join(top, flow))).map((pair) => pair.join(' = ')),
      ],
      sinks: [
        'type = file_roll',
        `sink.directory = @dir@/${out}`,
        'sink.rollInterval = 0',
        `sink.batchSize = ${one.sinkBatchEvents}`,
        `channel = ${flow}`,
      ],
    };
    return Object.entries(settings).flatMap(([kind, own]) =>
      own.map((line) => `a1.${kind}.${flow}.${line.replaceAll('@dir@', join(top, flow))}`),
    );
  });
  const lists = ['sources', 'channels', 'sinks'].map((kind) => `a1.${kind} = ${flows.join(' ')}`);
  return [...lists, ...lines, ''].join('\n');
}

/** What sinks have written. */
export interface Written {
  readonly names: readonly string[];
  readonly lines: readonly string[];
  /** Behind the last newline of each file: what a kill has cut off. */
  readonly torn: readonly string[];
}

/** In the order of files and of what is in them, without the files of `others`. */
export function writtenTo(directory: string, others: readonly string[] = []): Written {
  const all = existsSync(directory) ? readdirSync(directory) : [];
  const names = all.filter((name) => !others.includes(name)).sort();
  const pieces = names.map((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
  return {
    names,
    lines: pieces.flatMap((lines) => lines.slice(0, -1)),
    torn: pieces.flatMap((lines) => lines.slice(-1)).filter((line) => line !== ''),
  };
}
