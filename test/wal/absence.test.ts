/** A data directory that is missing for a while: what it held is held back, and delivered when it returns. */
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Channel } from '../../src/channel/channel.ts';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { assertCountsAddUp } from '../conformance/channel-support.ts';
import { tempDir } from '../support/temp-dir.ts';

const small = { segmentBytes: 65_536, minimumFreeBytes: 0, checkpoint: 'memory' } as const;

/** The numbers of the events taken, all that there are. */
async function drain(channel: Channel): Promise<number[]> {
  const numbers: number[] = [];
  for (let batch = await channel.take(50); batch.events.length > 0; batch = await channel.take(50)) {
    numbers.push(...batch.events.map(({ body }) => Number(body.toString().trim())));
    await batch.commit();
  }
  return numbers;
}

async function putNumbers(channel: Channel, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    await channel.put([{ headers: {}, body: Buffer.from(String(number).padEnd(4000)) }]);
  }
}

describe('a missing data directory', () => {
  // So many events that the newest segment lies in the one directory or in the other.
  for (const count of [40, 55, 70, 85]) {
    for (const missing of ['a', 'b']) {
      it(`${missing} of two, ${count} events: nothing is lost, nothing comes twice`, async (test) => {
        const root = await tempDir(test);
        const dataDirs = [join(root, 'a'), join(root, 'b')];
        const options = { ...small, dataDirs, checkpointDir: join(root, 'checkpoint') };
        let channel = await FileChannel.open(root, options);
        await putNumbers(channel, 0, count);
        const early = await channel.take(5);
        await early.commit();
        await channel.close();

        await rename(join(root, missing), join(root, 'away'));
        await assert.rejects(FileChannel.open(root, options), {
          code: 'CHANNEL_DIR_MISSING',
          path: join(root, missing),
        });
        for (const round of [0, 1]) {
          channel = await FileChannel.open(root, { ...options, missingDir: 'continue' });
          assertCountsAddUp(channel);
          await putNumbers(channel, 1000 + round, 1001 + round);
          await channel.close();
        }
        channel = await FileChannel.open(root, { ...options, missingDir: 'continue' });
        const meanwhile = await drain(channel);
        assert.ok(channel.stats().health.reasons.some((reason) => reason.includes('missing')));
        await channel.close();

        await rename(join(root, 'away'), join(root, missing));
        channel = await FileChannel.open(root, options);
        const afterwards = await drain(channel);
        assertCountsAddUp(channel);
        assert.equal(channel.stats().depthEvents, 0);
        await channel.close();

        const fresh = Array.from({ length: count }, (_, number) => number).filter((number) => number >= 5);
        const got = [...meanwhile, ...afterwards].sort((x, y) => x - y);
        // The acknowledgement of the first five may have stood in the missing directory: then they come again.
        assert.deepEqual(
          got.filter((number) => number >= 5),
          [...fresh, 1000, 1001],
        );
        channel = await FileChannel.open(root, options);
        assert.deepEqual(await drain(channel), []);
        await channel.close();
      });
    }
  }
});
