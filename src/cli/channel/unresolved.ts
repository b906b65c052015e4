/** `forebay channel unresolved`: what a sink has prepared and not settled. */
import { Command } from 'commander';
import { countSequences } from '../../base/units.ts';
import type { UnresolvedTake } from '../../queue/control-record.ts';
import { rangesText } from './damage-text.ts';
import { type PlaceOptions, placeOf, viewAt, withPlace } from './place.ts';
import { tableOf } from './table.ts';
import { counted, inert, printJson, runVerb } from './verb.ts';

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
        else for (const line of linesOf(takes)) console.log(line);
        return 0;
      }),
    );
}

function linesOf(takes: readonly UnresolvedTake[]): string[] {
  return tableOf(
    ['id', 'consumer', 'prepared', 'events', 'sequences', 'note'],
    takes.map(({ id, consumer, ranges, note, preparedAt }) => [
      id,
      inert(consumer),
      new Date(preparedAt).toISOString(),
      counted(countSequences(ranges)),
      rangesText(ranges),
      inert(JSON.stringify(note)),
    ]),
    ['events'],
  );
}
