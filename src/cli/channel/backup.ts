/** `forebay channel backup`: a copy of a channel, beside its running owner. */
import { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { systemRandom } from '../../base/random.ts';
import { type BackupReport, backupChannel } from '../../channel/backup/backup-channel.ts';
import { countOfNoun, damageText } from './damage-text.ts';
import { Interrupt } from './interrupt.ts';
import { type PlaceOptions, placeOf, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { counted, exitDamage, inert, printJson, runVerb, sizeText, UsageError } from './verb.ts';

const example = `
Example:
  $ forebay channel backup /var/lib/forebay/c1 /backup/c1-2026-11-22
  $ forebay channel backup -f agent.properties -n a1 --channel c1 /backup/c1-2026-11-22

The copy is the channel as it stood at one moment, in one directory: open it where it is, or copy it to where a channel
is to be. It has an id of its own. What was not acknowledged at that moment is in it, and the channel may have delivered
it since: the copy says from which sequence on. Safe beside a running agent. A backup that was cut off is no channel,
and says so.

Exit status: 0 fine, 1 failed, 2 damage was found, 64 usage, 78 bad configuration, 130 interrupted.`;

/** Makes the command. `finish` is told the exit status. */
export function backupCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('backup'))
    .summary('a copy that can be opened')
    .description('Copies a channel as it stands at one moment into a new directory.')
    .argument('[dest]', 'a directory that is empty or not there; with -f it is the only argument')
    .addHelpText('after', example)
    .action((directory: string | undefined, destination: string | undefined, options: PlaceOptions) =>
      runVerb(finish, () => {
        const isInFile = options.confFile !== undefined && destination === undefined;
        return isInFile ? run(undefined, directory, options) : run(directory, destination, options);
      }),
    );
}

async function run(
  directory: string | undefined,
  destination: string | undefined,
  options: PlaceOptions,
): Promise<number> {
  const { path: source, options: view } = await placeOf(directory, options);
  if (destination === undefined) throw new UsageError('DEST is missing: a directory that is empty or not there');
  using interrupt = new Interrupt();
  const progress = progressLine('backup');
  const environment = { disk: nodeDisk(), clock: systemClock, random: systemRandom };
  const { signal } = interrupt;
  const onProgress = (done: number, total: number): void => progress.at(done, total);
  let report: BackupReport;
  try {
    report = await backupChannel({ source, destination, view, signal, onProgress }, environment);
  } catch (error) {
    if (interrupt.status === undefined) throw error;
    console.error(`error: interrupted; ${inert(destination)} holds no backup`);
    return interrupt.status;
  } finally {
    progress.end();
  }
  if (options.json === true) printJson(report);
  else for (const line of linesOf(report, destination)) console.log(line);
  return report.damages.length > 0 ? exitDamage : 0;
}

function linesOf(report: BackupReport, destination: string): string[] {
  const { channelId, parentChannelId, segments, bytes, events, depth, mayRepeatFrom, damages } = report;
  const size = `${sizeText(bytes)} in ${countOfNoun(segments, 'segment')}, ${countOfNoun(events, 'event')}`;
  const verdict = damages.length === 0 ? 'read again, all of it holds' : 'read again';
  return [
    ...damages.map(damageText),
    `${inert(destination)}: channel ${channelId}, a copy of ${parentChannelId}`,
    `${size}, ${counted(depth)} of them not acknowledged; ${verdict}`,
    `from sequence ${mayRepeatFrom} on both channels may deliver the same events`,
  ];
}
