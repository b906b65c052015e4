/** `forebay channel`: the verbs that look into a channel and mend it. */
import { Command } from 'commander';
import { backupCommand } from './backup.ts';
import { dumpCommand } from './dump.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { importFlumeCommand } from './import-flume.ts';
import { repairCommand } from './repair.ts';
import { replayCommand } from './replay.ts';
import { resolveCommand } from './resolve.ts';
import { rewindCommand } from './rewind.ts';
import { segmentsCommand } from './segments.ts';
import { statsCommand } from './stats.ts';
import { tailCommand } from './tail.ts';
import { unresolvedCommand } from './unresolved.ts';
import { verifyCommand } from './verify.ts';

const verbs = [
  statsCommand,
  segmentsCommand,
  verifyCommand,
  repairCommand,
  dumpCommand,
  tailCommand,
  replayCommand,
  exportCommand,
  importCommand,
  rewindCommand,
  unresolvedCommand,
  resolveCommand,
  backupCommand,
  importFlumeCommand,
];

/** Makes the command. `finish` is told the exit status. */
export function channelCommand(finish: (status: number) => void): Command {
  const channel = new Command('channel').description(
    "look into a channel, mend it, send its events again, copy it; or take over Apache Flume's",
  );
  for (const make of verbs) channel.addCommand(make(finish));
  return channel;
}
