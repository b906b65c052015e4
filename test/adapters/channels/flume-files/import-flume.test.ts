/**
 * Directories that Apache Flume 1.11 wrote, and what it delivered from copies of them after a full replay: clean,
 * killed with open transactions and encrypted, and of an agent that was killed. Expected events are Flume's own.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { importFlume } from '../../../../src/adapters/channels/flume-files/import-flume.ts';
import { FlumeLogFile, type PlacedRecord } from '../../../../src/adapters/channels/flume-files/log-file.ts';
import { FlumeChannelFiles } from '../../../../src/adapters/channels/flume-files/read-flume-channel.ts';
import { type Channel, FileChannel } from '../../../../src/engine.ts';
import { eventText, type FlumeSample, sampleNames, unpackSample } from '../../../support/flume-samples.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { drain } from '../../contexts.ts';

const damagesEach = { clean: 60, 'agent-kill9': 60, 'kill9-encrypted': 4 };

async function eventsOf({
  dataDirs,
  keyStore,
}: Pick<FlumeSample, 'dataDirs' | 'keyStore'>): Promise<{ events: string[]; damages: number }> {
  const files = await FlumeChannelFiles.open({ dataDirs, keyStore });
  try {
    const events: string[] = [];
    let damages = files.replayed.damages.length;
    for await (const event of files.events()) {
      if ('message' in event) damages += 1;
      else events.push(eventText(event.headers, event.body));
    }
    return { events, damages };
  } finally {
    await files.close();
  }
}

for (const name of sampleNames) {
  test(`what Flume would deliver, in its order: ${name}`, async (t) => {
    const sample = await unpackSample(t, name);
    assert.deepEqual(await eventsOf(sample), { events: sample.expected, damages: 0 });
  });

  test(`damage is said, and never a raw exception: ${name}`, { timeout: 100_000 }, async (t) => {
    const sample = await unpackSample(t, name);
    const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
    const random = new SeededRandom(seed);
    const paths = sample.dataDirs.flatMap((one) => readdirSync(one).map((file) => join(one, file)));
    const logs = paths.filter((path) => /log-\d+(\.meta)?$/.test(path));
    if (sample.keyStore !== undefined) logs.push(sample.keyStore.path);
    let refused = 0;
    let said = 0;
    for (let round = 0; round < damagesEach[name]; round += 1) {
      const path = random.pick(logs);
      const whole = readFileSync(path);
      const used = Math.max(1, whole.findLastIndex((byte) => byte !== 0) + 1);
      const bytes = Buffer.from(random.chance(0.3) ? whole.subarray(0, random.below(used)) : whole);
      for (let flip = 0; flip < 3 && bytes.length > 0; flip += 1) {
        const at = random.below(Math.min(used, bytes.length));
        bytes[at] = random.below(256);
      }
      writeFileSync(path, bytes);
      try {
        const { events, damages } = await eventsOf(sample);
        if (damages > 0) said += 1;
        assert.ok(events.length <= sample.expected.length + 100, `FOREBAY_SEED=${seed}`);
      } catch (error) {
        assert.ok(
          error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError),
          `${seed}: ${error}`,
        );
        assert.match(error.message, /log-\d|keystore/, `FOREBAY_SEED=${seed}`);
        refused += 1;
      }
      writeFileSync(path, whole);
    }
    assert.ok(refused + said > 0, `${refused} ${said}`);
    t.diagnostic(`${damagesEach[name]} damages: ${said} said, ${refused} refused`);
  });
}

/** Bytes behind the last record of a log file of Flume's, and the last transaction once more behind those. */
async function appendTo(path: string, between: readonly Buffer[]): Promise<{ whole: Buffer; repeated: number }> {
  const whole = readFileSync(path);
  const file = await FlumeLogFile.open({ path, fileId: 1, encryption: undefined });
  const records: PlacedRecord[] = [];
  for await (const one of file.records()) if ('record' in one) records.push(one);
  await file.close();
  const last = records.at(-1);
  assert.ok(last?.record.kind === 'commit' && last.record.of === 'puts');
  const puts = records.filter(({ record }) => record.transactionId === last.record.transactionId).slice(0, -1);
  const end = last.offset + 36;
  const bytes = Buffer.concat([...between, whole.subarray(puts[0]?.offset, end)]);
  writeFileSync(path, Buffer.concat([whole.subarray(0, end), bytes, whole.subarray(end + bytes.length)]));
  return { whole, repeated: puts.length };
}

test('a commit that Flume wrote again as zeros is nothing, and what follows a damaged record counts', async (t) => {
  const sample = await unpackSample(t, 'agent-kill9');
  const path = join(sample.dataDirs[0] ?? '', 'log-1');
  const record = (payload: Buffer): Buffer => Buffer.concat([Buffer.from([127, 0, 0, 0, payload.length]), payload]);
  const [empty, damaged] = [record(Buffer.alloc(31)), record(Buffer.alloc(31, 0x55))];
  for (const [between, damages, isRead] of [
    [[empty, empty, empty], 0, true],
    [[damaged, empty], 1, true],
    [[damaged, damaged], 2, false],
    [[record(Buffer.alloc(30))], 1, true],
  ] as const) {
    const { whole, repeated } = await appendTo(path, between);
    assert.ok(repeated > 0);
    const again = isRead ? sample.expected.slice(-repeated) : [];
    assert.deepEqual(await eventsOf(sample), { events: [...sample.expected, ...again], damages });
    writeFileSync(path, whole);
  }
});

/** A channel whose puts stop working behind the first `puts`. */
function failingAfter(channel: Channel, puts: number): Channel {
  let left = puts;
  return new Proxy(channel, {
    get(target, property) {
      const value = Reflect.get(target, property) as unknown;
      if (property === 'put') {
        return async (...args: Parameters<Channel['put']>) => {
          left -= 1;
          if (left < 0) throw new Error('killed');
          return await target.put(...args);
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('an import that was cut off is gone on with, and a finished one is not done again', async (t) => {
  const sample = await unpackSample(t, 'clean');
  const directory = join(await tempDir(t), 'c1');
  const options = { segmentBytes: 1024 * 1024, minimumFreeBytes: 0 };
  const files = await FlumeChannelFiles.open(sample);
  // Copies of the events, so that they are more than one transaction.
  const many = Array.from({ length: 20 }, () => files);
  const repeated = {
    paths: files.paths,
    replayed: files.replayed,
    async *events() {
      for (const one of many) yield* one.events();
    },
  };
  const first = await FileChannel.open(directory, options);
  await assert.rejects(
    importFlume(repeated, failingAfter(first, 2), () => undefined),
    /killed/,
  );
  assert.equal(first.stats().depthEvents, 2000);
  await first.close();
  const second = await FileChannel.open(directory, options);
  const { events, eventsBefore, damages } = await importFlume(repeated, second, () => undefined);
  assert.deepEqual([events, eventsBefore, damages], [20 * sample.expected.length, 2000, []]);
  await assert.rejects(
    importFlume(repeated, second, () => undefined),
    /was finished here before/,
  );
  const drained = (await drain(second)).map(({ headers, body }) => eventText(headers, body));
  assert.deepEqual(
    drained,
    many.flatMap(() => sample.expected),
  );
  await second.close();
  const used = await FileChannel.open(join(await tempDir(t), 'c2'), options);
  await used.put([{ headers: {}, body: Buffer.from('x') }]);
  await assert.rejects(
    importFlume(files, used, () => undefined),
    /has events already/,
  );
  await used.close();
  await files.close();
});

test('keys: without a store, a wrong password, another file; directories that are none', async (t) => {
  const sample = await unpackSample(t, 'kill9-encrypted');
  const { keyStore } = sample;
  assert.ok(keyStore);
  const open = (changed: Partial<FlumeSample>) => eventsOf({ ...sample, ...changed });
  await assert.rejects(open({ keyStore: undefined }), /log-1 is encrypted: name the key store/);
  const wrong = join(await tempDir(t), 'wrong.pw');
  writeFileSync(wrong, 'not it');
  await assert.rejects(open({ keyStore: { ...keyStore, passwordPath: wrong } }), /the password is wrong/);
  const keyPasswordPaths = new Map([['key-0', wrong]]);
  await assert.rejects(open({ keyStore: { ...keyStore, keyPasswordPaths } }), /password of the key 'key-0' is wrong/);
  await assert.rejects(open({ keyStore: { ...keyStore, path: wrong } }), /it is no JCEKS key store/);
  await assert.rejects(open({ dataDirs: ['/nowhere'] }), /\/nowhere cannot be read: name the dataDirs/);
  await assert.rejects(open({ dataDirs: [await tempDir(t)] }), /no log-1 is there/);
  await assert.rejects(open({ dataDirs: [...sample.dataDirs, ...sample.dataDirs] }), /name each directory once/);
});
