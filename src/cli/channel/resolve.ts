/** `forebay channel resolve`: settles one prepared range by hand. */
import { Command } from 'commander';
import { countSequences } from '../../base/units.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import { offlineOptions } from '../../channel/repair/offline-options.ts';
import { countOfNoun, rangesText } from './damage-text.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { inert, printJson, runVerb, UsageError } from './verb.ts';

interface ResolveOptions extends PlaceOptions {
  readonly commit?: boolean;
  readonly rollback?: boolean;
}

const example = `
Example:
  $ forebay channel unresolved /var/lib/forebay/c1
  $ forebay channel resolve /var/lib/forebay/c1 3-17 --commit
  $ forebay channel resolve -f agent.properties -n a1 --channel c1 3-17 --rollback

--commit: the far side has these events, they are done. --rollback: it does not, they are delivered again. Look there
first: nothing else can tell. The agent must be stopped.

Exit status: 0 settled, 1 failed or no such id, 64 usage, 75 an agent has the channel, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function resolveCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('resolve'))
    .summary('settle a prepared range that nobody settles')
    .description('Settles one take that a sink has prepared, as `unresolved` lists it.')
    .argument('[id]', 'which one; with -f it is the only argument')
    .option('--commit', 'its events are done')
    .option('--rollback', 'its events are delivered again')
    .addHelpText('after', example)
    .action((directory: string | undefined, id: string | undefined, options: ResolveOptions) =>
      runVerb(finish, () => {
        const isInFile = options.confFile !== undefined && id === undefined;
        return isInFile ? run(undefined, directory, options) : run(directory, id, options);
      }),
    );
}

async function run(directory: string | undefined, id: string | undefined, options: ResolveOptions): Promise<number> {
  const { commit = false, rollback = false } = options;
  if (commit === rollback) throw new UsageError('one of --commit and --rollback is due');
  const outcome = commit ? 'commit' : 'rollback';
  const place = await placeOf(directory, options);
  if (id === undefined) throw new UsageError('ID is missing: `forebay channel unresolved` lists them');
  const view = await viewAt(place);
  const take = view.queue.prepared.get(id);
  if (take === undefined) throw unknownId(id, [...view.queue.prepared.keys()]);
  const home = view.found.present[0]?.path ?? '';
  await using channel = await FileChannel.open(home, await offlineOptions(view, place.options));
  // Somebody else may have been here between the look and the lock.
  if (!(await channel.resolve(id, outcome))) throw unknownId(id, []);
  const { consumer, ranges } = take;
  const events = countSequences(ranges);
  if (options.json === true) printJson({ id, outcome, consumer, events, sequences: ranges });
  else {
    const what = `${events === 1 ? 'is' : 'are'} ${outcome === 'commit' ? 'done' : 'pending again'}`;
    console.log(`${countOfNoun(events, 'event')} of ${inert(consumer)} ${what}: ${rangesText(ranges)}`);
  }
  return 0;
}

function unknownId(id: string, known: readonly string[]): Error {
  const there = known.length === 0 ? 'nothing is prepared' : `there is ${known.map(inert).join(', ')}`;
  return new Error(`no take is prepared as '${inert(id)}': ${there}`);
}
