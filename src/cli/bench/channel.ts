/** `forebay bench channel`: what a channel does on a disk, beside what the disk does by itself. */
import { Command } from 'commander';
import { nodeDisk } from '../../base/disk-node.ts';
import { mib } from '../../base/units.ts';
import { type ChannelBenchOptions, measureChannel } from '../../bench/channel-bench.ts';
import { startNode } from '../../bench/child-program.ts';
import { DiskGauge } from '../../bench/disk-rate.ts';
import { readable } from '../../bench/readable.ts';
import { choiceOption } from '../channel/event-options.ts';
import { progressLine } from '../channel/progress.ts';
import { runVerb } from '../channel/verb.ts';
import { withBenchOptions } from './bench-options.ts';
import {
  type ChannelBenchCommandOptions,
  channelCells,
  channelRequestOf,
  channelSpaceNeeded,
  expectedMs,
  workNames,
} from './channel-cells.ts';
import { channelJsonRow, channelLines, channelSvg } from './channel-report.ts';
import { childProgram } from './child.ts';
import { runBench } from './session.ts';

const example = `
Examples:
  $ forebay bench channel /var/lib/forebay
  $ forebay bench channel /var/lib/forebay --work put,both --producers 1,16,64 --batch 1,100,1000 --body 100,8192
  $ forebay bench channel /var/lib/forebay --work open,memory --waiting 10000000 --rounds 1

Works: put (producers, each with one transaction at a time, awaited), take (one taker, from a channel that was closed
and opened again: from the disk), both (as many takers as producers), open (after an orderly end, after kill -9, and
without a checkpoint), memory (of whole processes). Without --producers and --batch: put 1 × 1, 1 × 100, 1 × 1000,
16 × 100, 64 × 1 and 64 × 100, take 1 × 1000, both 8 + 8 × 100. Channels have the default options; bodies are random
bytes.

"disk alone" is what the disk does by itself in the same minute with durable writes of the size of the channel's groups
(or with reading in order), in events; "share" is the channel's part of it.

Works in a new subdirectory of DIR, which is removed at the end; nothing else there is touched. Takes about a minute and
a half. docs/benchmarks.md says how to read the table, and what makes figures lie.

Exit status: 0 fine (a pipe closed early too), 1 failed (no room, not allowed), 64 usage, 130 interrupted.`;

/** Makes the command. `finish` is told the exit status. */
export function channelBenchCommand(finish: (status: number) => void): Command {
  const command = new Command('channel')
    .summary('what a channel does on a disk')
    .description('Measures channels on the disk that holds DIR, beside what the disk does by itself.')
    .argument('<dir>', 'a directory on the disk to measure')
    .addOption(choiceOption('--work <list>', 'what is measured, with commas (default: all)', workNames))
    .option('--producers <list>', 'so many at once, with commas (default: see below)')
    .option('--batch <list>', 'events of one transaction, with commas (default: see below)')
    .option('--body <list>', 'bytes of each body, with commas (default: 500)')
    .option('--headers <list>', 'of each event, with commas (default: 0)')
    .option('--waiting <n>', 'events that wait when a channel is opened (default: 1000000)')
    .option('--window-ms <n>', 'of each work in each round (default: 1000)');
  return withBenchOptions(command, 3)
    .addHelpText('after', example)
    .action((directory: string, options: ChannelBenchCommandOptions) =>
      runVerb(finish, () => benchChannel(directory, options)),
    );
}

const quickGauge = { overwrittenBytes: 4 * mib, readableBytes: 4 * mib };

async function benchChannel(directory: string, options: ChannelBenchCommandOptions): Promise<number> {
  const request = channelRequestOf(options);
  const cells = channelCells(request);
  const neededBytes = channelSpaceNeeded(cells, request);
  return await runBench({ name: 'channel', directory, neededBytes, options }, async (scratch, signal, on) => {
    const disk = nodeDisk();
    const gauge = options.quick === true ? new DiskGauge(disk, scratch, quickGauge) : new DiskGauge(disk, scratch);
    const totalMs = request.rounds * cells.reduce((sum, cell) => sum + expectedMs(cell, request), 0);
    let [doneMs, last] = [0, ''];
    const progress = progressLine('bench channel', () => last);
    const onProgress: ChannelBenchOptions['onProgress'] = (cell, name, eventsPerSecond) => {
      doneMs += expectedMs(cell, request);
      if (eventsPerSecond !== undefined) last = `${name}: ${readable(eventsPerSecond)} events`;
      progress.at(doneMs, totalMs);
    };
    const child = (args: readonly string[]) => startNode([childProgram, ...args]);
    const { rounds, windowMs, warmUpMs, gaugeMs } = request;
    const settings = { rounds, windowMs, warmUpMs, gaugeMs };
    try {
      const where = { disk, directory: scratch, gauge, child, signal, onProgress };
      const rows = await measureChannel(cells, { ...where, ...settings });
      return {
        settings: { works: request.works, ...settings, waitingEvents: request.waitingEvents },
        rows: rows.map(channelJsonRow),
        lines: channelLines(rows, request),
        svg: () => channelSvg(rows, on, request),
      };
    } finally {
      progress.end();
      await gauge.close();
    }
  });
}
