/** `forebay channel import`: the events of an Avro file into a channel. */
import { Command } from 'commander';
import { refuseFlumeFiles } from '../../adapters/channels/flume-directories.ts';
import { systemClock } from '../../base/clock.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { isForebayError } from '../../base/errors.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import type { ChannelOptions } from '../../channel/options.ts';
import { offlineOptions } from '../../channel/repair/offline-options.ts';
import { AvroEventFile } from './avro-event-file.ts';
import { type AvroImport, importAvro } from './avro-import.ts';
import { countOfNoun } from './damage-text.ts';
import { Interrupt } from './interrupt.ts';
import { filePlaceIn, type Place, type PlaceOptions, placeOf, planOf, viewAt, withPlace } from './place.ts';
import { progressLine } from './progress.ts';
import { counted, inert, printJson, runVerb, UsageError } from './verb.ts';

interface ImportOptions extends PlaceOptions {
  readonly again?: boolean;
}

/** The depth of the channel is no concern of an import: nobody takes from it meanwhile. The disk's room is. */
const limits: ChannelOptions = {
  capacityEvents: Number.MAX_SAFE_INTEGER,
  capacityBytes: undefined,
  transactionCapacity: undefined,
};

const example = `
Examples:
  $ forebay channel import /var/lib/forebay/c1 waiting.avro
  $ forebay channel import -f agent.properties -n a1 --channel c1 FlumeData.1700000000000.avro

Records need \`headers\`, a map of string, and \`body\`, bytes: Flume's avro_event files, what \`channel export\`
writes, and others. Codecs: null, deflate, snappy. The events come behind those that the channel has, with new sequences
and the time of now. The channel is made where there is none; the agent must be stopped.

An import that was cut off, by Ctrl-C, a kill, or damage in FILE, is gone on with by the same command: each event is put
once. A file that was imported is not again, under any name, unless --again says so.

Exit status: 0 all of it is in the channel, durable, 1 failed, 64 usage, 75 an agent has the channel, 78 bad
configuration, 130 and 143 on signals.`;

/** Makes the command. `finish` is told the exit status. */
export function importCommand(finish: (status: number) => void): Command {
  return withPlace(new Command('import'))
    .summary('the events of an Avro file into a channel')
    .description('Puts the events of an Avro file into a channel, each once.')
    .argument('[file]', 'the Avro file; with -f it is the only argument')
    .option('--again', 'also where it was imported before')
    .addHelpText('after', example)
    .action((directory: string | undefined, file: string | undefined, options: ImportOptions) =>
      runVerb(finish, () => {
        const isInFile = options.confFile !== undefined && file === undefined;
        return isInFile ? run(undefined, directory, options) : run(directory, file, options);
      }),
    );
}

async function run(directory: string | undefined, path: string | undefined, options: ImportOptions): Promise<number> {
  const place = await targetOf(directory, options);
  if (path === undefined) throw new UsageError('FILE is missing: the Avro file to import');
  using interrupt = new Interrupt();
  // Whatever is wrong with it is known before there is a channel.
  await using file = await AvroEventFile.open(path);
  await using channel = await FileChannel.open(place.directory, { ...(await place.options()), ...limits });
  const done: AvroImport = { events: 0, eventsBefore: 0, doneBeforeMs: undefined };
  const progress = progressLine('import');
  try {
    await importAvro(file, channel, done, {
      isAgain: options.again === true,
      wallMs: systemClock.wallMs,
      signal: interrupt.signal,
      onProgress: (offset) => progress.at(offset, file.sizeBytes),
    });
  } catch (error) {
    progress.end();
    console.error(
      inert(`${countOfNoun(done.events + done.eventsBefore, 'event')} of ${path} are in the channel${goOn}`),
    );
    throw error;
  } finally {
    progress.end();
  }
  return report(path, place.directory, done, { status: interrupt.status, isJson: options.json === true });
}

const goOn = '; the same command goes on behind them';

function report(
  path: string,
  directory: string,
  { events, eventsBefore, doneBeforeMs }: AvroImport,
  { status, isJson }: { readonly status: number | undefined; readonly isJson: boolean },
): number {
  if (isJson) {
    const doneBefore = doneBeforeMs === undefined ? null : new Date(doneBeforeMs).toISOString();
    printJson({ path, directory, events, eventsBefore, doneBefore, isInterrupted: status !== undefined });
  } else if (doneBeforeMs !== undefined) {
    const when = new Date(doneBeforeMs).toISOString();
    const what = `${countOfNoun(eventsBefore, 'event')} of ${inert(path)} were imported before, at ${when}`;
    console.log(`${what}: nothing is done; --again puts them once more`);
  } else {
    const earlier = eventsBefore === 0 ? '' : `, behind ${counted(eventsBefore)} of an earlier run`;
    console.log(`${countOfNoun(events, 'event')} imported into ${inert(directory)}${earlier}`);
  }
  if (status === undefined || doneBeforeMs !== undefined) return 0;
  console.error(`error: interrupted${goOn}`);
  return status;
}

interface Target {
  readonly directory: string;
  /** To open it with; it need not be there. */
  options(): Promise<ChannelOptions>;
}

async function targetOf(directory: string | undefined, options: ImportOptions): Promise<Target> {
  const { confFile, name, channel } = options;
  if (confFile === undefined || name === undefined || channel === undefined || directory !== undefined) {
    const place = await placeOf(directory, options);
    return { directory: place.path, options: () => optionsAt(place) };
  }
  const { dataDirs, checkpointDir, options: configured } = filePlaceIn(await planOf(confFile, name), channel);
  return {
    directory: dataDirs[0] ?? '',
    options: async () => {
      await refuseFlumeFiles(dataDirs, checkpointDir, {
        name: channel,
        configuration: { files: confFile, agent: name },
      });
      return { ...configured, dataDirs, checkpointDir };
    },
  };
}

/** Of a channel that is there, as it is. */
async function optionsAt(place: Place): Promise<ChannelOptions> {
  const { checkpointDir, encryption } = place.options;
  try {
    const found = await offlineOptions(await viewAt(place), place.options);
    // It takes room: the disk's reserve is left to others.
    return { ...found, minimumFreeBytes: undefined };
  } catch (error) {
    if (!isForebayError(error) || error.code !== 'NOT_A_CHANNEL') throw error;
    const names =
      (await nodeDisk()
        .list(place.path)
        .catch(() => ['?'])) ?? [];
    // An open says what is in the way, but for whose it is.
    if (names.some((one) => /^log-\d+/.test(one))) throw error;
    return { checkpointDir, encryption };
  }
}
