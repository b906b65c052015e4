/** `forebay channel verify`: reads every byte, and names each place that does not hold. */
import { Command } from 'commander';
import { isForebayError } from '../../base/errors.ts';
import { countSequences } from '../../base/units.ts';
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { withCheckpoint } from '../../channel/reader/checkpoint-damages.ts';
import { type VerifyReport, verifyChannel } from '../../channel/reader/verify.ts';
import { checkpointOf } from './checkpoint-of.ts';
import { countOfNoun, damageText, lossText } from './damage-text.ts';
import { type Place, type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { exitDamage, printJson, runVerb, sizeText } from './verb.ts';

const example = `
Example:
  $ forebay channel verify /var/lib/forebay/c1

Reads each header, group, frame and state, the checkpoint, and the copies of the identity; reports every damage, with
the events that it costs. Safe beside a running agent: what is being written at the moment is left out. What can be done
about it: \`forebay channel repair\`.

An encrypted channel without its key is read by its checksums: what was taken, and which segments there should be,
stands encrypted. So the events named are the most that can be lost, and a segment missing as a whole is not noticed.

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

/** `withoutKeys`: only where that is so. */
interface VerifyResult extends VerifyReport {
  readonly withoutKeys?: true;
}

async function verify(directory: string | undefined, options: PlaceOptions): Promise<VerifyResult> {
  const view = await viewToVerify(await placeOf(directory, options));
  const progress = progressLine('verify');
  const report = await verifyChannel(view, ({ bytesRead, bytesTotal }) => progress.at(bytesRead, bytesTotal));
  progress.end();
  if (view.storage.withoutKeys === true) {
    console.error('no key is given: read by checksums alone; what was taken counts as lost too: `--help` says more');
    return { ...report, withoutKeys: true };
  }
  const damages = withCheckpoint(report.damages, view, await checkpointOf(view));
  return { ...report, ok: damages.length === 0, damages };
}

/** The sums need no key (log rule 14). One that is given must be the right one. */
async function viewToVerify({ path, options }: Place): Promise<ChannelView> {
  try {
    return await viewAt({ path, options });
  } catch (error) {
    if (options.encryption !== undefined || !isForebayError(error) || error.code !== 'KEY_WRONG') throw error;
    return await viewAt({ path, options: { ...options, withoutKeys: true } });
  }
}

function print({ damages, bytesRead, groups, frames, events, settled, readable }: VerifyReport): void {
  for (const damage of damages) console.log(damageText(damage));
  if (settled > 0) console.log(`${countOfNoun(settled, 'place')} that a repair has settled: no damage any more`);
  if (readable.length > 0) {
    const count = countOfNoun(countSequences(readable), 'event');
    console.log(`${count} that had been given up for lost read well: \`repair\` takes them up again`);
  }
  const parts = [countOfNoun(groups, 'group'), countOfNoun(frames, 'frame'), countOfNoun(events, 'event')];
  const read = `${sizeText(bytesRead)} read: ${parts.join(', ')}`;
  const verdict =
    damages.length === 0 ? 'all of it holds' : `${countOfNoun(damages.length, 'damage')}, ${lossText(damages)}`;
  console.log(`${read}; ${verdict}`);
}
