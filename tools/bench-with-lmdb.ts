/**
 * The benchmarks of native-free-bench with what a channel has by default: the LMDB checkpoint and the kernel's lock.
 *
 *     tsx tools/bench-with-lmdb.ts --disk DIR [as native-free-bench/main.ts]
 */
import { runProgram } from '../native-free-bench/program.ts';
import { nodeDisk } from '../src/base/disk-node.ts';

process.exitCode = await runProgram(
  { name: 'real disk, LMDB checkpoint', disk: nodeDisk(), options: {} },
  process.argv.slice(2),
);
