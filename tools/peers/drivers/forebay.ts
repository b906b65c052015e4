/** forebay's file channel with its defaults (LMDB checkpoint), and what the disk does with writes like its own. */
import { nodeDisk } from '../../../src/base/disk-node.ts';
import { DiskGauge } from '../../../src/bench/disk-rate.ts';
import { measuredDisk } from '../../../src/bench/measured-disk.ts';
import { FileChannel } from '../../../src/channel/file-channel.ts';
import { serve } from './serve.ts';

/** More than any window brings, so that producers never wait for room. */
const capacityEvents = 1_000_000_000;

const plain = nodeDisk();
const { disk, counts, reset } = measuredDisk(plain);

serve({
  open: (directory) => FileChannel.open(directory, { capacityEvents }, { disk }),
  reset,
  counted: () => {
    const { writes, bytesMedian } = counts();
    return { groups: { writes, bytesMedian } };
  },
  commands: {
    /** `gauge DIRECTORY BYTES MS`: what the disk itself does with writes of that size, for so long each way. */
    gauge: async ([directory = '', bytes = '', durationMs = '']) => {
      const gauge = new DiskGauge(plain, directory);
      try {
        return await gauge.measure(Number(bytes), Number(durationMs));
      } finally {
        await gauge.close();
      }
    },
  },
});
