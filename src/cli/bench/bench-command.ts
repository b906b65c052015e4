/** `forebay bench`: figures of this machine, by commands that anybody can run. */
import { Command } from 'commander';
import { channelBenchCommand } from './channel.ts';
import { diskCommand } from './disk.ts';

const verbs = [diskCommand, channelBenchCommand];

/** Makes the command. `finish` is told the exit status. */
export function benchCommand(finish: (status: number) => void): Command {
  const bench = new Command('bench').description('measure what a disk can do, and what a channel does on it');
  for (const make of verbs) bench.addCommand(make(finish));
  return bench;
}
