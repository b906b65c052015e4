/**
 * The decision table of recovery: complete, printed in docs/durability.md as it is, and each of its rows reached by an
 * open that shows what the row says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../src/base/clock.ts';
import type { Disk } from '../../src/base/disk.ts';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { isForebayError } from '../../src/base/errors.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import { decide, type Finding, type RecoveryRow, recoveryTable } from '../../src/wal/recovery-table.ts';
import { changeField, outcomeOf, sealFrame, sealGroup } from '../support/changed-header.ts';
import { diskWith, goldenDirectory, openGoldenOn, readTree } from '../support/golden-channel.ts';
import { readThroughGroups } from '../support/group-list.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

const pageBytes = 4096;
const newest = '0000000000000005.seg';
const beforeNewest = '0000000000000004.seg';
const docsUrl = new URL('../../docs/durability.md', import.meta.url);
const golden = await readTree(resolve(fileURLToPath(import.meta.url), '../../golden/format-v1/plain'));
const openCheckpoint = async () => ({ store: undefined, notice: undefined });

/** Every finding, as the compiler knows them. */
const findings: Readonly<Record<Finding, true>> = {
  goodGroup: true,
  damagedFrame: true,
  nothingThere: true,
  otherBytes: true,
  voidGroup: true,
  segmentHeadersBad: true,
  strayName: true,
  segmentMissing: true,
  directoryMissing: true,
  unsupported: true,
  stateBad: true,
  checkpointForeign: true,
  recordBeyondEnd: true,
  unreadable: true,
  noSegment: true,
};

function provenText({ proven }: RecoveryRow): string {
  if (proven === undefined) return 'either';
  return proven ? 'yes' : 'no';
}

describe('the table', () => {
  it('says what is done about every finding, proven or not, once', () => {
    for (const found of Object.keys(findings) as Finding[]) {
      for (const proven of [true, false]) {
        const rows = recoveryTable.filter((row) => row.found === found && (row.proven ?? proven) === proven);
        assert.equal(rows.length, 1, `${found}, ${proven ? 'proven' : 'not proven'}`);
        assert.equal(decide(found, proven), rows[0]?.decision);
      }
    }
    assert.equal(new Set(recoveryTable.map(({ row }) => row)).size, recoveryTable.length);
  });

  it('stands in docs/durability.md as it is', () => {
    const printed = recoveryTable.map(
      (row) => `| ${row.row} | \`${row.found}\` | ${provenText(row)} | \`${row.decision}\` | ${row.text} |`,
    );
    const inDocs = readFileSync(docsUrl, 'utf8')
      .split('\n')
      .filter((line) => /^\| \d+[ab]? \| `/.test(line));
    assert.deepEqual(inDocs, printed);
  });
});

/** A golden file, changed. */
function changed(name: string, change: (bytes: Buffer) => void): Map<string, Buffer> {
  const bytes = Buffer.from(golden.get(name) ?? assert.fail(name));
  change(bytes);
  return new Map([...golden, [name, bytes]]);
}

function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
}

/** Spoils the STATE at the head of the newest segment, so that the one before is replayed too. */
function withBadState(files: Map<string, Buffer>): Map<string, Buffer> {
  const bytes = Buffer.from(files.get(newest) ?? assert.fail());
  flip(bytes, 2 * pageBytes + 120);
  return new Map([...files, [newest, bytes]]);
}

async function bytesOf(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, { mode: 'read' });
  const bytes = Buffer.alloc(await file.bytes());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** Opens the golden channel and closes it; the frame types of the first group of its then newest segment. */
async function firstFramesAfter(files: Map<string, Buffer>): Promise<number[]> {
  const disk = await diskWith(files);
  await (await openGoldenOn('plain', disk)).close();
  const names = (await disk.list(goldenDirectory)) ?? [];
  const last = names.filter((name) => /^[0-9a-f]{16}\.seg$/.test(name)).at(-1) as string;
  const frames = readThroughGroups(await bytesOf(disk, posix.join(goldenDirectory, last)));
  return frames.filter(({ groupOffset }) => groupOffset === 2 * pageBytes).map(({ type }) => type);
}

/** The open is refused with this code, and every file but the lock is as it was. */
async function refusedUntouched(disk: Disk, directory: string, code: string): Promise<void> {
  const before = await contents(disk, directory);
  const environment = { disk, openCheckpoint };
  await assert.rejects(
    FileChannel.open(directory, {}, environment),
    (error) => isForebayError(error) && error.code === code,
  );
  assert.deepEqual(await contents(disk, directory), before);
}

async function contents(disk: Disk, directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await disk.list(directory)) ?? []) {
    const path = posix.join(directory, name);
    if (name === 'owner.lock' || (await disk.entry(path))?.kind !== 'file') continue;
    files[name] = (await bytesOf(disk, path)).toString('latin1');
  }
  return files;
}

/** Time for which nobody waits. */
const hurriedClock: Clock = {
  wallMs: () => 1_000_000,
  monotonicMs: () => 0,
  after(delayMs, call) {
    if (delayMs > 2000 || delayMs < 100) return { cancel: () => undefined };
    const timer = setImmediate(call);
    return { cancel: () => clearImmediate(timer) };
  },
};

/** A live channel on a simulated disk: five puts, the first three events acknowledged, then killed. */
async function killedChannel(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  const channel = await FileChannel.open('/c', { segmentBytes: 65_536 }, { disk, openCheckpoint });
  for (let put = 0; put < 5; put++) await channel.put([{ headers: {}, body: Buffer.from(`event ${put}`) }]);
  await (await channel.take(3)).commit();
  await channel.put([{ headers: {}, body: Buffer.from('last') }]);
  return disk.kill();
}

type Scenarios = Readonly<Record<string, () => Promise<void>>>;

/** What each row says, seen from outside. */
const reached: Scenarios = {
  '1a': async () => {
    assert.equal(await outcomeOf(golden), 'as written');
    assert.deepEqual(await firstFramesAfter(golden), [6, 13, 1, 7], 'no new segment');
  },
  '1b': async () => {
    const cut = changed(newest, (bytes) => bytes.fill(0, 4 * pageBytes));
    assert.equal(await outcomeOf(cut), 'frame@1:24656 lost 3', 'what was quarantined behind it is met again');
    assert.deepEqual(await firstFramesAfter(cut), [6, 13, 1, 7]);
    assert.notDeepEqual(
      await firstFramesAfter(changed(newest, (bytes) => bytes.fill(0, 5 * pageBytes))),
      [6, 13, 1, 7],
    );
  },
  '2': async () => {
    const bad = changed(newest, (bytes) => flip(bytes, 3 * pageBytes + 80 + 8));
    assert.equal(await outcomeOf(bad), 'frame@5:12368 lost 3, 18 events');
  },
  '3': async () => {
    const bad = changed(newest, (bytes) => flip(bytes.fill(0, 4 * pageBytes), 3 * pageBytes + 130));
    assert.equal(await outcomeOf(bad), 'unprovenTail@5:12368, frame@1:24656 lost 3, 18 events, put 33');
  },
  '4a': async () => {
    const zeros = withBadState(changed(beforeNewest, (bytes) => bytes.fill(0, 13 * pageBytes, 14 * pageBytes)));
    assert.match(await outcomeOf(zeros), /group@4:53248 lost 3/);
  },
  '4b': async () => {
    const bad = changed(newest, (bytes) => flip(bytes, 3 * pageBytes + 30));
    assert.equal(await outcomeOf(bad), 'group@5:12288 lost 3, 18 events');
  },
  '5': async () => {
    const cut = changed(newest, (bytes) => bytes.fill(0, 6 * pageBytes));
    assert.equal(await outcomeOf(cut), 'as written');
    assert.deepEqual(await firstFramesAfter(cut), [6, 13, 10, 7], 'a new segment, with the unproven QUARANTINE');
  },
  '6': async () => {
    const more = changed(newest, (bytes) => bytes.fill(7, 7 * pageBytes, 7 * pageBytes + 10));
    assert.equal(await outcomeOf(more), 'unprovenTail@5:28672');
  },
  '7a': async () => {
    const other = changed(newest, (bytes) => {
      changeField(bytes, 3 * pageBytes, { at: 24, bytes: 8, to: 40 });
      sealGroup(bytes, 3 * pageBytes);
    });
    assert.equal(await outcomeOf(other), 'group@5:12288 lost 3, 18 events');
  },
  '7b': async () => {
    const broken = changed(newest, (bytes) => {
      changeField(bytes, 6 * pageBytes, { at: 60, bytes: 4, to: 1 });
      sealGroup(bytes, 6 * pageBytes);
    });
    assert.equal(await outcomeOf(broken), 'unprovenTail@5:24576');
  },
  '8': async () => {
    const bad = changed(newest, (bytes) => [30, pageBytes + 30].forEach((at) => void flip(bytes, at)));
    assert.equal(await outcomeOf(bad), 'segmentHeader@5:0');
  },
  '9': async () => {
    const stray = '00000000000000ff.seg';
    const disk = await diskWith(new Map([...golden, [stray, golden.get(newest) as Buffer]]));
    const channel = await openGoldenOn('plain', disk);
    assert.deepEqual(channel.damages, []);
    await channel.close();
    assert.equal((await disk.list(goldenDirectory))?.includes(stray), false);
  },
  '10': async () => {
    const files = new Map(golden);
    files.delete('0000000000000002.seg');
    assert.equal(await outcomeOf(files), 'segmentMissing@2:0 lost 2, 19 events');
  },
  '11': async () => {
    const whole = memoryDisk();
    const dataDirs = ['/a', '/b'];
    await (await FileChannel.open('/a', { dataDirs, segmentBytes: 65_536 }, { disk: whole, openCheckpoint })).close();
    const half = memoryDisk();
    await half.makeDirectory('/a');
    for (const [name, text] of Object.entries(await contents(whole, '/a'))) {
      const file = await half.open(posix.join('/a', name), { mode: 'create' });
      await file.write(Buffer.from(text, 'latin1'), 0);
    }
    await refusedUntouched(half, '/a', 'CHANNEL_DIR_MISSING');
  },
  '12': async () => {
    const newer = changed(newest, (bytes) => {
      bytes.writeUInt8(15, 3 * pageBytes + 84);
      sealFrame(bytes, 3 * pageBytes + 80);
    });
    await refusedUntouched(await diskWith(newer), goldenDirectory, 'FORMAT_UNSUPPORTED');
  },
  '13': async () => {
    assert.equal(await outcomeOf(withBadState(golden)), 'state@5:8192, record@5:8272');
  },
  '14': async () => {
    const store = memoryCheckpointStore();
    const disk = await diskWith(golden);
    const environment = { disk, openCheckpoint: async () => ({ store, notice: undefined }) };
    const first = await FileChannel.open(goldenDirectory, {}, environment);
    await first.close();
    const record = (await store.load()) ?? assert.fail('a record');
    await store.save({ ...record, epoch: '0123456789abcdef', serial: record.serial + 10 });
    const again = await FileChannel.open(goldenDirectory, {}, environment);
    await again.checkpoint();
    assert.match(again.stats().health.reasons.join(), /names a group that is not in this log, and was ignored/);
    assert.deepEqual(again.damages, []);
    await again.close();
  },
  '15': async () => {
    const disk = await killedChannel();
    const path = '/c/0000000000000001.seg';
    const bytes = await bytesOf(disk, path);
    const ack = readThroughGroups(bytes).find(({ type }) => type === 2) ?? assert.fail('an ACK');
    changeField(bytes, ack.offset, { at: 8, bytes: 8, to: 5000 });
    sealFrame(bytes, ack.offset);
    const file = await disk.open(path, { mode: 'write' });
    await file.write(bytes, 0);
    await file.close();
    const channel = await FileChannel.open('/c', { segmentBytes: 65_536 }, { disk, openCheckpoint });
    assert.deepEqual(channel.damages.map(({ kind }) => kind).sort(), ['padding', 'record']);
    const [range] = await channel.put([{ headers: {}, body: Buffer.from('new') }]);
    assert.ok((range?.first ?? 0) > 5002 + 2 ** 20 - 1, `${range?.first}`);
    await channel.close();
  },
  '16': async () => {
    const disk = await killedChannel();
    const bytes = await bytesOf(disk, '/c/0000000000000001.seg');
    const puts = readThroughGroups(bytes).filter(({ type }) => type === 1);
    const at = puts[1]?.groupOffset ?? assert.fail('a second put');
    disk.inject({
      at: ({ kind, position, bytes: read }) => kind === 'read' && position <= at && at < position + read,
      error: 'EIO',
      sticky: true,
    });
    const channel = await FileChannel.open(
      '/c',
      { segmentBytes: 65_536 },
      { disk, openCheckpoint, clock: hurriedClock },
    );
    const seen = channel.damages.map(({ kind, offset }) => [kind, offset]);
    assert.deepEqual(seen, [['unreadable', at]]);
    assert.equal((await disk.list('/c'))?.includes('0000000000000001.seg'), true, 'the bytes stay in place');
    await channel.close();
  },
  '17': async () => {
    const files = new Map([...golden].filter(([name]) => !name.endsWith('.seg')));
    const disk = await diskWith(files);
    const channel = await openGoldenOn('plain', disk);
    assert.deepEqual(
      channel.damages.map(({ kind, path }) => [kind, path]),
      [['segmentMissing', goldenDirectory]],
    );
    const [range] = await channel.put([{ headers: {}, body: Buffer.from('new') }]);
    assert.equal(range?.first, 1 + 2 ** 32);
    await channel.close();
  },
};

describe('each row is reached', () => {
  for (const { row, found, text } of recoveryTable) {
    it(`${row} ${found}: ${text}`, async () => {
      const scenario = reached[row] ?? assert.fail(`no scenario for row ${row}`);
      await scenario();
    });
  }
});
