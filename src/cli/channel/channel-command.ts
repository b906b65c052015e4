/** `forebay channel`: the verbs that look into a channel and mend it. */
import { Command } from 'commander';
import { dumpCommand } from './dump.ts';
import { importFlumeCommand } from './import-flume.ts';
import { segmentsCommand } from './segments.ts';
import { statsCommand } from './stats.ts';
import { unresolvedCommand } from './unresolved.ts';
import { verifyCommand } from './verify.ts';

const verbs = [statsCommand, segmentsCommand, verifyCommand, dumpCommand, unresolvedCommand, importFlumeCommand];

/** Makes the command. `finish` is told the exit status. */
export function channelCommand(finish: (status: number) => void): Command {
  const channel = new Command('channel').description(
    "look into a channel (stats, segments, verify, dump, unresolved), or take over Flume's (import-flume)",
  );
  for (const make of verbs) channel.addCommand(make(finish));
  return channel;
}
