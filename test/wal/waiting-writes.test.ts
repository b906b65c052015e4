/** Which groups are written while the thread waits: small ones, while nobody else has anything to write. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryDisk } from '../../src/base/disk-memory.ts';
import { diskWith, fileWith } from '../../src/base/disk-with.ts';
import { kib } from '../../src/base/units.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';

const event = (bytes: number) => ({ headers: {}, body: Buffer.alloc(bytes, 7) });

/** A disk that counts how groups are written: `waited` by `writeSync`, `pooled` by `write`. */
function countingDisk() {
  const plain = memoryDisk();
  const counts = { waited: 0, pooled: 0 };
  const disk = diskWith(plain, {
    open: async (path, options) => {
      const file = await plain.open(path, options);
      if (options.writeThrough !== true) return file;
      return fileWith(file, {
        writeSync: (source, position) => {
          counts.waited += 1;
          file.writeSync(source, position);
        },
        write: async (source, position) => {
          // Zeros ahead are no group.
          if (source[0] !== 0) counts.pooled += 1;
          await new Promise(setImmediate);
          await file.write(source, position);
        },
      });
    },
  });
  const opened = async (path: string): Promise<FileChannel> => {
    const channel = await FileChannel.open(path, { checkpoint: 'memory', minimumFreeBytes: 0 }, { disk });
    await channel.put([event(10)]);
    return channel;
  };
  const during = async (work: () => Promise<unknown>): Promise<{ waited: number; pooled: number }> => {
    Object.assign(counts, { waited: 0, pooled: 0 });
    await work();
    return { ...counts };
  };
  return { disk, opened, during };
}

test('a small group of several commits is waited for, a large one is not', async () => {
  const { disk, opened, during } = countingDisk();
  await using channel = await opened('/a');
  const puts = (count: number, bytes: number) => () =>
    Promise.all(Array.from({ length: count }, () => channel.put([event(bytes)])));
  assert.deepEqual(await during(puts(16, 500)), { waited: 1, pooled: 0 });
  assert.deepEqual(await during(puts(16, 16 * kib)), { waited: 0, pooled: 1 });
  assert.equal(disk.writers.size, 0);
});

test('where two logs have something to write, neither holds up the other', async () => {
  const { disk, opened, during } = countingDisk();
  await using one = await opened('/a');
  await using other = await opened('/b');
  const both = await during(() => Promise.all([one.put([event(500)]), other.put([event(500)])]));
  assert.deepEqual(both, { waited: 0, pooled: 2 });
  assert.deepEqual(await during(() => one.put([event(500)])), { waited: 1, pooled: 0 });
  assert.equal(disk.writers.size, 0);
});

test('a log that was closed stands in nobody’s way', async () => {
  const { disk, opened, during } = countingDisk();
  await using one = await opened('/a');
  const other = await opened('/b');
  const last = other.put([event(500)]);
  await other.close();
  await last;
  assert.equal(disk.writers.size, 0);
  assert.deepEqual(await during(() => one.put([event(500)])), { waited: 1, pooled: 0 });
});
