/** FileChannel: the suite of all channels, on the real disk with the real lock and checkpoint. */
import { rm } from 'node:fs/promises';
import { FileChannel } from '../../src/channel/file-channel.ts';
import { channelSuite } from '../conformance/channel.ts';
import { makeTempDir } from '../support/temp-dir.ts';

channelSuite(
  'FileChannel',
  async (given) => {
    const directory = await makeTempDir();
    // Small segments: the suite opens many channels, and each writes its reserve in full.
    const options = { ...given, segmentBytes: 1_048_576, minimumFreeBytes: 0 };
    let channel = await FileChannel.open(directory, options);
    return {
      channel,
      reopen: async () => {
        await channel.close();
        channel = await FileChannel.open(directory, options);
        return channel;
      },
      done: async () => {
        await channel.close();
        await rm(directory, { recursive: true });
      },
    };
  },
  { durable: true },
);
