/** `forebay channel verify`: reads every byte, and names each place that does not hold. */
import { Command } from 'commander';
import { checkpointDamages, type VerifyReport, verifyChannel } from '../../channel/reader/verify.ts';
import { readCheckpointCopy } from '../../checkpoint/lmdb-copy.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { counted, exitDamage, inert, printJson, runVerb, sizeText } from './verb.ts';

const example = `
Example:
  $ forebay channel verify /var/lib/forebay/c1

Reads each header, group, frame and state, the checkpoint, and the copies of the identity; reports every damage, with
the events that it costs. Safe beside a running agent: what is being written at the moment is left out.

Exit status: 0 all holds, 1 failed, 2 damage was found, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function verifyCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('verify'))
    .summary('read every byte, and name each damage')
    .description('Reads every byte of a channel that counts, and changes nothing.')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: PlaceOptions) =>
      runVerb(finish, async () => {
        const report = await verify(directory, options);
        if (options.json === true) printJson(report);
        else print(report);
        return report.ok ? 0 : exitDamage;
      }),
    );
}

async function verify(directory: string | undefined, options: PlaceOptions): Promise<VerifyReport> {
  const view = await viewAt(await placeOf(directory, options));
  const progress = progressLine('verify');
  const report = await verifyChannel(view, ({ bytesRead, bytesTotal }) => progress.at(bytesRead, bytesTotal));
  progress.end();
  const { checkpointPath } = view.found;
  const checkpoint = checkpointPath === undefined ? undefined : await readCheckpointCopy(view.disk, checkpointPath);
  const more = checkpoint === undefined ? [] : checkpointDamages(view, checkpoint);
  return { ...report, ok: report.ok && more.length === 0, damages: [...report.damages, ...more] };
}

function print({ damages, bytesRead, groups, frames, events }: VerifyReport): void {
  for (const { path, offset, bytes, kind, eventsLost, sequences, message } of damages) {
    const place = `${inert(path)} at ${offset}${bytes > 0 ? `, ${bytes} bytes` : ''}`;
    const ranges = sequences.map(({ first, last }) => (first === last ? `${first}` : `${first}…${last}`)).join(' ');
    const lost = sequences.length === 0 ? '' : ` (${counted(eventsLost)} events lost: ${ranges})`;
    console.log(`${place}: ${kind}: ${message}${lost}`);
  }
  const lost = damages.reduce((sum, { eventsLost }) => sum + eventsLost, 0);
  const parts = `${counted(groups)} groups, ${counted(frames)} frames, ${counted(events)} events`;
  const read = `${sizeText(bytesRead)} read: ${parts}`;
  const verdict =
    damages.length === 0 ? 'all of it holds' : `${counted(damages.length)} damages, ${counted(lost)} events lost`;
  console.log(`${read}; ${verdict}`);
}
