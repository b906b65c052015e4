/** The store on LMDB keeps the contract, and its opening does what the table in lmdb.ts says. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { RootDatabaseOptionsWithPath } from 'lmdb';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import type { LmdbModule } from '../../src/checkpoint/lmdb-store.ts';
import { checkpointStoreSuite, makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertHolds, disk, filledStore, mustOpen } from './opened-store.ts';

function asides(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('set-aside-'));
}

checkpointStoreSuite('lmdb', async (context) => {
  const { store } = await mustOpen(await tempDir(context));
  context.after(() => store.close());
  return store;
});

test('what was saved is there after a clean stop, and nothing is set aside', async (context) => {
  const directory = join(await tempDir(context), 'made', 'anew');
  for (let serial = 1; serial <= 3; serial += 1) {
    await filledStore(directory, serial);
    const again = await mustOpen(directory);
    assert.equal(again.setAside, undefined);
    await assertHolds(again, serial);
    await again.store.close();
  }
  assert.deepEqual(readdirSync(directory).sort(), ['data.mdb', 'data.mdb-lock', 'seal.json']);
});

test('after an unclean stop a child copies what is there, and nothing is set aside', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const inodeBefore = statSync(join(directory, 'data.mdb')).ino;
  const again = await mustOpen(directory, { unclean: true });
  assert.equal(again.setAside, undefined);
  assert.notEqual(statSync(join(directory, 'data.mdb')).ino, inodeBefore);
  await assertHolds(again, 1);
  await again.store.save(makeRecord(2));
  await assertHolds(again, 2);
  await again.store.close();
});

test('a copy holds a large record whole, and another copy after it', async (context) => {
  const directory = await tempDir(context);
  const { store } = await mustOpen(directory);
  await store.save(makeRecord(1, 5_000_000));
  await store.close();
  for (let round = 0; round < 2; round += 1) {
    const again = await mustOpen(directory, { unclean: true });
    assert.equal(again.setAside, undefined);
    assert.deepEqual(await again.store.load(), makeRecord(1, 5_000_000));
    await again.store.close();
  }
});

test('a seal that is absent or damaged makes a child copy it, after a clean stop too', async (context) => {
  const directory = await tempDir(context);
  for (const seal of ['', '{}', 'null', '{"bytes":8192,"crc":1,"check":1}', '\0'.repeat(128)]) {
    await filledStore(directory, 1);
    writeFileSync(join(directory, 'seal.json'), seal);
    const inodeBefore = statSync(join(directory, 'data.mdb')).ino;
    const again = await mustOpen(directory);
    assert.equal(again.setAside, undefined);
    assert.notEqual(statSync(join(directory, 'data.mdb')).ino, inodeBefore);
    await assertHolds(again, 1);
    await again.store.close();
  }
});

test('a process that was killed while opening leaves its marker: set aside, unopened', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const bytes = readFileSync(join(directory, 'data.mdb'));
  writeFileSync(join(directory, 'opening'), '');
  const again = await mustOpen(directory);
  assert.match(again.setAside?.why ?? '', /did not survive/);
  assert.deepEqual(readFileSync(again.setAside?.path ?? ''), bytes);
  assert.equal(await again.store.load(), undefined);
  await again.store.save(makeRecord(2));
  await again.store.close();
  assert.ok(!existsSync(join(directory, 'opening')));
  assert.equal((await mustOpen(directory)).setAside, undefined);
});

test('only the newest two that were set aside are kept, and the identity beside them is untouched', async (context) => {
  const directory = await tempDir(context);
  writeFileSync(join(directory, 'channel.json'), 'identity');
  const paths: (string | undefined)[] = [];
  for (let round = 0; round < 4; round += 1) {
    await filledStore(directory, 1);
    writeFileSync(join(directory, 'opening'), '');
    const { store, setAside } = await mustOpen(directory);
    await store.close();
    paths.push(setAside?.path);
  }
  assert.deepEqual(
    asides(directory)
      .map((name) => join(directory, name))
      .sort(),
    paths.slice(2).sort(),
  );
  assert.equal(readFileSync(join(directory, 'channel.json'), 'utf8'), 'identity');
});

test('a file shorter than recorded, or other than sealed, is set aside unopened', async (context) => {
  const directory = await tempDir(context);
  const data = join(directory, 'data.mdb');
  await filledStore(directory, 1);
  truncateSync(data, statSync(data).size - 1);
  const short = await mustOpen(directory, { unclean: true });
  assert.match(short.setAside?.why ?? '', /were recorded/);
  await short.store.close();

  await filledStore(directory, 1);
  const bytes = readFileSync(data);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(data, bytes);
  const flipped = await mustOpen(directory);
  assert.match(flipped.setAside?.why ?? '', /not those of the last save/);
  await flipped.store.close();
});

test('what no process can read is set aside, with the reason', async (context) => {
  const directory = await tempDir(context);
  for (const garbage of [Buffer.alloc(0), Buffer.alloc(8192), Buffer.alloc(100_000, 'forebay')]) {
    writeFileSync(join(directory, 'data.mdb'), garbage);
    const { store, setAside } = await mustOpen(directory);
    assert.match(setAside?.why ?? '', /a process/);
    await store.save(makeRecord(1));
    await store.close();
    copyFileSync(setAside?.path ?? '', join(directory, 'data.mdb'));
    writeFileSync(join(directory, 'seal.json'), '');
  }
});

test('a lock file full of garbage is no matter', async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  writeFileSync(join(directory, 'data.mdb-lock'), Buffer.alloc(300, 0xff));
  const again = await mustOpen(directory);
  await assertHolds(again, 1);
  await again.store.close();
});

test("another channel's store is set aside, and said", async (context) => {
  const directory = await tempDir(context);
  await filledStore(directory, 1);
  const other = 'ffeeddccbbaa99887766554433221100';
  const { store, setAside } = await mustOpen(directory, { channelId: other });
  assert.match(setAside?.why ?? '', new RegExp(`belongs to channel ${suiteChannelId}, not ${other}`));
  assert.equal(await store.load(), undefined);
  await store.save({ ...makeRecord(5), channelId: other });
  await store.close();
  assert.equal((await mustOpen(directory, { channelId: other })).setAside, undefined);
});

/** What a crash at this moment leaves, in a directory of its own. The store stays open. */
async function crashed(directory: string): Promise<string> {
  const left = `${directory}-crashed-${readdirSync(dirname(directory)).length}`;
  mkdirSync(left);
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(left, name));
  return left;
}

test('after a crash a file that lost its end is told by the length of the last save', async (context) => {
  const directory = join(await tempDir(context), 'c');
  const { store } = await mustOpen(directory);
  for (let serial = 1; serial <= 3; serial += 1) {
    await store.save(makeRecord(serial, serial * 50_000));
    const left = await crashed(directory);
    const data = join(left, 'data.mdb');
    const { size } = statSync(data);
    truncateSync(data, size - 4096);
    const short = await mustOpen(left, { unclean: true });
    assert.equal(short.setAside?.why, `it has ${size - 4096} bytes, ${size} were recorded`);
    await short.store.close();
  }
  await store.close();
});

test('a copy, smaller than its source, is good after a crash before its first save', async (context) => {
  const directory = join(await tempDir(context), 'c');
  for (const stateBytes of [400_000, 1000]) {
    const { store } = await mustOpen(directory);
    await store.save(makeRecord(1, stateBytes));
    await store.close();
  }
  const copied = await mustOpen(directory, { unclean: true });
  const left = await crashed(directory);
  await copied.store.close();
  const again = await mustOpen(left, { unclean: true });
  assert.equal(again.setAside, undefined);
  await assertHolds(again, 1);
  await again.store.close();
});

test('the marker stands while the environment is being opened and first read, and not after', async (context) => {
  const directory = await tempDir(context);
  const standing = (): boolean => existsSync(join(directory, 'opening'));
  const seen: boolean[] = [];
  const loadLmdb = async (): Promise<LmdbModule> => {
    const lmdb = await import('lmdb');
    const open = (options: RootDatabaseOptionsWithPath): unknown => {
      seen.push(standing());
      const environment = lmdb.open<Buffer, Buffer>(options);
      const { getBinary } = environment;
      environment.getBinary = (...key) => {
        seen.push(standing());
        return getBinary.apply(environment, key);
      };
      return environment;
    };
    return { open } as LmdbModule;
  };
  const options = { channelId: suiteChannelId, afterUncleanStop: false, loadLmdb };
  const opened = await openLmdbCheckpoint(disk, directory, options);
  assert.ok(opened.kind === 'opened');
  assert.deepEqual(seen, [true, true]);
  assert.ok(!standing());
  await opened.store.close();
});
