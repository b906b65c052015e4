/** `forebay bench disk`: what a disk can do with no channel on it. */
import { Command } from 'commander';
import { nodeDisk } from '../../base/disk-node.ts';
import { kib, mib } from '../../base/units.ts';
import { type DiskBenchOptions, measureDisk } from '../../bench/disk-bench.ts';
import { type DiskChoice, diskCells, spaceNeeded } from '../../bench/disk-cells.ts';
import type { WriteLayout } from '../../bench/disk-lane.ts';
import type { WriteWay } from '../../bench/raw-file.ts';
import { readable } from '../../bench/readable.ts';
import { choiceOption } from '../channel/event-options.ts';
import { progressLine } from '../channel/progress.ts';
import { runVerb } from '../channel/verb.ts';
import { type BenchOptions, numberOf, numbersOf, withBenchOptions, wordsOf } from './bench-options.ts';
import { cellText, diskJsonRow, diskLines, diskSvg } from './disk-report.ts';
import { runBench } from './session.ts';

const layouts: readonly WriteLayout[] = ['appending', 'overwriting', 'zero-filled'];
const ways: readonly WriteWay[] = ['direct', 'buffered', 'dsync'];
const sizesKib: readonly number[] = [4, 16, 64, 256, 512, 1024];
const filesPreset: readonly number[] = [1, 4];
const roundsPreset = 3;
const durationMsPreset = 200;

const example = `
Examples:
  $ forebay bench disk /var/lib/forebay
  $ forebay bench disk /var/lib/forebay --way direct --size 4,512 --rounds 7 --svg disk.svg

Every write is durable before the next one begins. Layouts: appending (behind the end of a file), overwriting (over
blocks that hold data), zero-filled (over zeros that are written 1 MiB ahead; the filling is in the figures). Ways:
direct (O_DIRECT | O_DSYNC, what a channel uses where it can), buffered (write, then fdatasync), dsync (O_DSYNC through
the cache). Several files are written at once, each by a thread of its own, four at the most.

Works in a new subdirectory of DIR, which is removed at the end; nothing else there is touched. Stop what else uses the
disk. docs/benchmarks.md says how to read the table, and what makes figures lie.

Exit status: 0 fine (a pipe closed early too), 1 failed (no room, not allowed), 64 usage, 130 interrupted.`;

interface DiskOptions extends BenchOptions {
  readonly size?: string;
  readonly layout?: string;
  readonly way?: string;
  readonly files?: string;
  readonly durationMs?: string;
}

/** Makes the command. `finish` is told the exit status. */
export function diskCommand(finish: (status: number) => void): Command {
  const command = new Command('disk')
    .summary('what a disk can do with no channel on it')
    .description('Measures durable writes and sequential reads on the disk that holds DIR.')
    .argument('<dir>', 'a directory on the disk to measure')
    .option('--size <list>', `KiB of one write, with commas (default: ${sizesKib.join(',')})`)
    .addOption(choiceOption('--layout <list>', 'where writes go, with commas (default: all)', layouts))
    .addOption(choiceOption('--way <list>', 'how they are made durable, with commas (default: all)', ways))
    .option('--files <list>', `so many files at once, with commas (default: ${filesPreset.join(',')})`)
    .option('--duration-ms <n>', `of each measurement in each round (default: ${durationMsPreset})`);
  return withBenchOptions(command, roundsPreset)
    .addHelpText('after', example)
    .action((directory: string, options: DiskOptions) => runVerb(finish, () => benchDisk(directory, options)));
}

/** What is not said in full. */
function choiceOf(options: DiskOptions): DiskChoice {
  return {
    layouts: wordsOf('--layout', options.layout, layouts, layouts),
    ways: wordsOf('--way', options.way, ways, ways),
    files: numbersOf('--files', options.files, filesPreset, { min: 1, max: 64 }),
    sizes: numbersOf('--size', options.size, sizesKib, { min: 4, max: 16_384, step: 4 }).map((size) => size * kib),
  };
}

function settingsOf(options: DiskOptions, { sizes, files }: DiskChoice): DiskBenchOptions {
  const isQuick = options.quick === true;
  const [most, filesMax] = [Math.max(...sizes), Math.max(...files)];
  return {
    rounds: numberOf('--rounds', options.rounds, isQuick ? 1 : roundsPreset, { min: 1, max: 1000 }),
    durationMs: numberOf('--duration-ms', options.durationMs, isQuick ? 10 : durationMsPreset, {
      min: 1,
      max: 600_000,
    }),
    overwrittenBytes: Math.max((isQuick ? 4 : 32) * mib, 4 * most),
    appendedBytesMax: Math.max((isQuick ? 16 : 512) * mib, 4 * most * filesMax),
    readableBytes: (isQuick ? 4 : 128) * mib,
  };
}

async function benchDisk(directory: string, options: DiskOptions): Promise<number> {
  const choice = choiceOf(options);
  const settings = settingsOf(options, choice);
  const request = { name: 'disk', directory, neededBytes: spaceNeeded(choice, settings), options };
  return await runBench(request, async (scratch, signal, on) => {
    let last = '';
    const progress = progressLine('bench disk', () => last);
    const onProgress: DiskBenchOptions['onProgress'] = (done, total, cell, perSecond) => {
      last = `${cellText(cell)}: ${readable(perSecond)}`;
      progress.at(done, total);
    };
    try {
      const rows = await measureDisk(nodeDisk(), scratch, diskCells(choice), { ...settings, signal, onProgress });
      return {
        settings: { ...choice, ...settings },
        rows: rows.map(diskJsonRow),
        lines: diskLines(rows, on.ground.isDirect),
        svg: () => diskSvg(rows, on, settings.rounds),
      };
    } finally {
      progress.end();
    }
  });
}
