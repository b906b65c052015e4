/** What `channel export` writes, read by Avro's own Java classes; what those write, imported by `channel import`. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { readableCodecs } from '../../src/adapters/sources/spooldir/avro-container.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import type { Event } from '../../src/event/event.ts';
import { avroFile, numberedEvents } from '../support/avro-events.ts';
import { forebay } from '../support/forebay-here.ts';
import { tempDir } from '../support/temp-dir.ts';
import { askHadoop, assertSame, buildReader, readAnswer, skip } from './hadoop-jobs.ts';

const events: readonly Event[] = [
  { headers: {}, body: Buffer.alloc(0) },
  { headers: { '': '', ключ: '値 🦊', two: 'lines\nof it' }, body: Buffer.from([0xff, 0xfe, 0, 10]) },
  { headers: { large: 'yes' }, body: Buffer.alloc(3_000_000, 'large ') },
  ...numberedEvents(0, 5000),
];

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

/** As HadoopReader shows headers and body. */
function shown({ headers, body }: Event): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${hexOf(name)}=${hexOf(value)}`);
  return `${pairs.sort().join(',')}\t${Buffer.from(body).toString('hex')}`;
}

async function taken(directory: string): Promise<Event[]> {
  await using channel = await FileChannel.open(directory, { minimumFreeBytes: 0, checkpoint: 'memory' });
  const found: Event[] = [];
  for (;;) {
    const batch = await channel.take(10_000);
    if (batch.events.length === 0) break;
    found.push(...batch.events);
  }
  return found;
}

test("what is exported is read by Avro's own classes, and as Flume's readers ask for it", { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const home = await tempDir(t);
  const directory = join(home, 'c1');
  const channel = await FileChannel.open(directory, { minimumFreeBytes: 0, checkpoint: 'memory' });
  await channel.put(events);
  await channel.close();
  const codecs = ['deflate', 'null'];
  const pathOf = (codec: string): string => join(home, `${codec}.avro`);
  for (const codec of codecs) {
    const { status, stderr } = await forebay('channel', 'export', directory, pathOf(codec), '--codec', codec);
    assert.equal(status, 0, stderr);
  }
  await askHadoop(
    classPath,
    codecs.flatMap((codec) => ['avro', 'events'].map((job) => [job, pathOf(codec), `${pathOf(codec)}.${job}`])),
  );
  for (const codec of codecs) {
    const whole = await readAnswer(`${pathOf(codec)}.avro`);
    const time = whole[0]?.split('\t')[1] ?? '';
    assert.match(time, /^\d{13}$/);
    assertSame(
      whole,
      events.map((event, at) => `${at + 1}\t${time}\tpending\t${shown(event)}`),
      `${codec}, all fields`,
    );
    assertSame(await readAnswer(`${pathOf(codec)}.events`), events.map(shown), `${codec}, as Flume's`);
  }
  const what = `${events.length} events each, codecs ${codecs.join(' and ')}`;
  t.diagnostic(`shows: channel export: ${what}: read by Avro's Java classes, all fields, and resolved to Flume's two`);
});

test("what Avro's own classes write with each codec is imported, each event once", { skip }, async (t) => {
  const classPath = await buildReader(t);
  if (classPath === undefined) return;
  const home = await tempDir(t);
  const given = join(home, 'given.avro');
  await writeFile(given, avroFile(events, { blockEvents: 1000 }).bytes);
  const pathOf = (codec: string): string => join(home, `${codec}.avro`);
  await askHadoop(
    classPath,
    readableCodecs.map((codec) => ['rewrite', given, pathOf(codec), codec]),
  );
  for (const codec of readableCodecs) {
    const directory = join(home, codec);
    const ran = await forebay('channel', 'import', directory, pathOf(codec), '--json');
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).events, events.length);
    const again = await forebay('channel', 'import', directory, pathOf(codec), '--json');
    assert.equal(JSON.parse(again.stdout).events, 0);
    assertSame((await taken(directory)).map(shown), events.map(shown), codec);
  }
  const codecs = readableCodecs.join(', ');
  t.diagnostic(
    `shows: channel import: ${events.length} events of files by Avro's Java classes, codecs ${codecs}: equal`,
  );
});
