/** `forebay channel unresolved`: what a sink has prepared and not settled. */
import { Command } from 'commander';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { inert, printJson, runVerb } from './verb.ts';

const example = `
Example:
  $ forebay channel unresolved /var/lib/forebay/c1
  $ forebay channel resolve /var/lib/forebay/c1 3-17 --commit

An agent that is started settles what its own sinks have prepared. What is left belongs to a sink that was removed or
renamed, or is held for a decision (hdfs.onInDoubt = hold).

Exit status: 0 fine, 1 failed, 64 usage, 78 bad configuration.`;

/** Makes the command. `finish` is told the exit status. */
export function unresolvedCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('unresolved'))
    .summary('prepared ranges that nobody has settled')
    .description('Lists the takes that a sink has prepared and that were not settled, and changes nothing.')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: PlaceOptions) =>
      runVerb(finish, async () => {
        const { queue } = await viewAt(await placeOf(directory, options));
        const takes = [...queue.prepared.values()];
        if (options.json === true) printJson({ unresolved: takes });
        else if (takes.length === 0) console.log('nothing is prepared');
        else {
          for (const { id, consumer, ranges, note, preparedAt } of takes) {
            const events = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
            const named = ranges.map(({ first, last }) => `${first}…${last}`).join(' ');
            const when = new Date(preparedAt).toISOString();
            console.log(
              `${id}  ${inert(consumer)}  ${when}  ${events} events: ${named}  ${inert(JSON.stringify(note))}`,
            );
          }
        }
        return 0;
      }),
    );
}
