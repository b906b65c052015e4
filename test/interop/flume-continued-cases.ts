/** Sources that an agent is stopped in the middle of, and the files that they are in the middle of then. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import avro from 'avsc';

/** In the first file 50 lines, which are a batch, then batches of 100: the gate closes within the second file. */
export const lengths = [50, 700, 30] as const;
/** Events before the gate closes. */
export const gateAt = 350;

function lineOf(index: number): string {
  return `${index} zwölf 日本 ${'x'.repeat(index % 90)}`;
}

/** All lines of all files, in their order. */
export const all: readonly string[] = Array.from(
  { length: lengths.reduce((sum: number, length) => sum + length, 0) },
  (_, index) => lineOf(index),
);
/** The lines of each file. */
const perFile = lengths.map((length, index) => {
  const from = lengths.slice(0, index).reduce((sum: number, one) => sum + one, 0);
  return all.slice(from, from + length);
});

/** A source of files `file-0`, `file-1`, `file-2` in the `in` of its own directory, `@dir@`. */
export interface Continued {
  readonly name: string;
  readonly source: readonly string[];
  readonly makeFile?: (lines: readonly string[]) => Promise<Buffer>;
  readonly lineOfBody?: (body: Buffer) => Buffer;
  /** How many events whoever goes on may repeat: it goes on at a block. */
  readonly repeatsMax: number;
  /** Relative: where an agent writes down how far it is. */
  readonly noteFile: string;
  /** Whether that says that the first so many events of all are in the channel. */
  readonly says: (note: Buffer, events: number) => boolean;
}

async function avroFile(lines: readonly string[]): Promise<Buffer> {
  const schema = { type: 'record' as const, name: 'Line', fields: [{ name: 'line', type: 'string' as const }] };
  const encoder = new avro.streams.BlockEncoder(schema, { blockSize: 4096 });
  for (const line of lines) encoder.write({ line });
  encoder.end();
  return Buffer.concat(await encoder.toArray());
}

/** An Avro string has its length before it: of one or two bytes here. */
function lineOfAvro(body: Buffer): Buffer {
  return body.subarray((body[0] ?? 0) < 0x80 ? 1 : 2);
}

/** Bytes of the second file when so many events have been read of all of them. */
function offsetAfter(events: number): number {
  return Buffer.byteLength((perFile[1] ?? []).slice(0, events - lengths[0]).join('\n')) + 1;
}

/** The last record of Flume's meta file is the offset: a long. */
function saysOffset(meta: Buffer, events: number): boolean {
  const bytes: number[] = [];
  for (let rest = offsetAfter(events) * 2; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) break;
  }
  return meta.subarray(0, -16).toString('latin1').endsWith(Buffer.from(bytes).toString('latin1'));
}

function countMarkers(container: Buffer): number {
  return container.toString('latin1').split(container.subarray(-16).toString('latin1')).length - 1;
}

/** What is continued. */
export const continued: readonly Continued[] = [
  {
    name: 'spooled',
    source: ['type = spooldir', 'spoolDir = @dir@/in'],
    repeatsMax: 0,
    noteFile: 'in/.flumespool/.flumespool-main.meta',
    says: saysOffset,
  },
  {
    name: 'tracked',
    source: ['type = spooldir', 'spoolDir = @dir@/in', 'trackingPolicy = tracker_dir', 'trackerDir = @dir@/tracker'],
    repeatsMax: 0,
    noteFile: 'tracker/.flumespool-main.meta',
    says: saysOffset,
  },
  {
    name: 'records',
    source: ['type = spooldir', 'spoolDir = @dir@/in', 'deserializer = AVRO'],
    makeFile: avroFile,
    lineOfBody: lineOfAvro,
    repeatsMax: 150,
    noteFile: 'in/.flumespool/.flumespool-main.meta',
    // One for each batch of the second file, and the container's own at its head; the offset is of a block.
    says: (meta, events) => meta.includes('/file-1') && countMarkers(meta) === 1 + (events - lengths[0]) / 100,
  },
  {
    name: 'tailed',
    source: [
      'type = TAILDIR',
      'positionFile = @dir@/positions.json',
      'filegroups = g',
      'filegroups.g = @dir@/in/.*',
      'writePosInterval = 200',
    ],
    repeatsMax: 0,
    noteFile: 'positions.json',
    says: (note, events) => note.includes(`"pos":${offsetAfter(events)},`),
  },
];

/** The files, and where the rest goes. */
export async function writeInput(directory: string, { makeFile }: Continued): Promise<void> {
  for (const path of ['in', 'out', 'held']) await mkdir(join(directory, path), { recursive: true });
  for (const [index, lines] of perFile.entries()) {
    const content = makeFile === undefined ? `${lines.join('\n')}\n` : await makeFile(lines);
    const path = join(directory, 'in', `file-${index}`);
    await writeFile(path, content);
    const time = Date.parse('2024-05-05T12:00:00Z') / 1000 + index * 60;
    await utimes(path, time, time);
  }
}
