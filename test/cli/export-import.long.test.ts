/** What export and import need of memory for a million events, and for a file that would fill it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test from 'node:test';
import { createDeflateRaw } from 'node:zlib';
import { AvroContainer } from '../../src/adapters/serializers/avro-container.ts';
import { systemClock } from '../../src/base/clock.ts';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { mib } from '../../src/base/units.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { viewChannel } from '../../src/channel/reader/channel-view.ts';
import { dumpEvents } from '../../src/channel/reader/dump.ts';
import { flumeSchema } from '../support/avro-events.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const count = 1_000_000;
const putEvents = 10_000;
const filler = 'x'.repeat(150);
/** Whole processes, as in channels/memory.long.test.ts; besides, a block in the making, and those being compressed. */
const peakBytesMax = 360 * mib;
/** A block of the largest event that a channel takes may be this large; it is inflated in pieces, which are joined. */
const bombPeakBytesMax = peakBytesMax + 2 * 528 * mib;

function bodyOf(number: number): string {
  return `${number} ${filler}`;
}

interface Cost {
  readonly status: number | null;
  readonly stderr: string;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** A process of its own, which says what it needed at most. */
function run(home: string, ...args: string[]): Cost {
  const notes = join(home, 'peak');
  const hook = `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(notes)}, String(process.resourceUsage().maxRSS)));`;
  const imports = [`--import=data:text/javascript;base64,${Buffer.from(hook).toString('base64')}`, '--import=tsx'];
  const startMs = performance.now();
  const command = [...imports, 'src/cli/main.ts', 'channel', ...args];
  const { status, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  const seconds = (performance.now() - startMs) / 1000;
  return { status, stderr, peakBytes: Number(readFileSync(notes, 'utf8')) * 1024, seconds };
}

async function fill(directory: string): Promise<void> {
  const options = { minimumFreeBytes: 0, capacityEvents: count, checkpoint: 'memory' } as const;
  await using channel = await FileChannel.open(directory, options);
  for (let from = 0; from < count; from += putEvents) {
    const headers = { host: `web${from % 7}` };
    await channel.put(
      Array.from({ length: putEvents }, (_, at) => ({ headers, body: Buffer.from(bodyOf(from + at)) })),
    );
  }
}

test('a million events are exported and imported in little memory', { timeout: 600_000 }, async (t) => {
  const home = await tempDir(t);
  const [from, to, out] = [join(home, 'c1'), join(home, 'c2'), join(home, 'out.avro')];
  await fill(from);
  for (const args of [
    ['export', from, out],
    ['import', to, out],
  ]) {
    const { status, stderr, peakBytes, seconds } = run(home, ...args);
    assert.equal(status, 0, stderr);
    assert.ok(peakBytes < peakBytesMax, `${args[0]}: ${Math.round(peakBytes / mib)} MiB`);
    const size = `a file of ${Math.round((await stat(out)).size / mib)} MiB`;
    const figures = `${Math.round(peakBytes / mib)} MiB at most, ${seconds.toFixed(1)} s, ${size}`;
    console.log(`shows: channel ${args[0]} of ${count / 1e6} million events: ${figures}`);
  }
  const view = await viewChannel(to, {}, { disk: nodeDisk(), clock: systemClock });
  let number = 0;
  for await (const { event } of dumpEvents(view, {})) {
    assert.ok(event.body.equals(Buffer.from(bodyOf(number))), `event ${number}`);
    number += 1;
  }
  assert.equal(number, count);
});

test('a block that inflates to gigabytes is refused before it has', { timeout: 600_000 }, async (t) => {
  const home = await tempDir(t);
  const [path, deflated] = [join(home, 'in.avro'), join(home, 'deflated')];
  const zeros = Buffer.alloc(mib);
  const gibibytes = 1;
  await pipeline(
    function* () {
      for (let piece = 0; piece < gibibytes * 1024; piece += 1) yield zeros;
    },
    createDeflateRaw(),
    createWriteStream(deflated),
  );
  const container = new AvroContainer(flumeSchema, 'deflate');
  await writeFile(path, [container.header(), ...container.storedBlock(1, await readFile(deflated))]);
  const { status, stderr, peakBytes } = run(home, 'import', join(home, 'c1'), path);
  assert.equal(status, 1);
  assert.match(stderr, /damaged Avro block at byte \d+: its deflated data cannot be inflated/);
  assert.ok(peakBytes < bombPeakBytesMax, `${Math.round(peakBytes / mib)} MiB`);
  const size = `${Math.round((await stat(path)).size / mib)} MiB that inflate to ${gibibytes} GiB`;
  console.log(`shows: channel import of ${size}: refused, ${Math.round(peakBytes / mib)} MiB at most`);
});
