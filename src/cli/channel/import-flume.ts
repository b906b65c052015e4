/** `forebay channel import-flume`: what an Apache Flume 1.x file channel would still deliver, into a channel. */
import { join } from 'node:path';
import { Command } from 'commander';
import { importFlume } from '../../adapters/channels/flume-files/import-flume.ts';
import { FlumeChannelFiles, type FlumeKeyStore } from '../../adapters/channels/flume-files/read-flume-channel.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { ForebayError } from '../../base/errors.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import { progressLine } from './progress.ts';
import { counted, exitDamage, inert, printJson, runVerb, UsageError } from './verb.ts';

interface ImportOptions {
  readonly dataDirs?: string;
  readonly checkpointDir?: string;
  readonly keyStore?: string;
  readonly keyStorePasswordFile?: string;
  readonly keyPasswordFile?: readonly string[];
  readonly json?: boolean;
}

const flumeLockName = 'in_use.lock';
const capacityEventsMin = 1_000_000;

const example = `
Example:
  $ forebay channel import-flume /var/lib/forebay/c1 --checkpoint-dir /flume/checkpoint --data-dirs /flume/d1,/flume/d2

Puts exactly what Flume would still deliver, in the order of its full replay. Flume must be stopped; after a kill -9
and without its checkpoint too. Its directories are not changed. An import that was cut off is gone on with by the same
command.

Exit status: 0 fine, 1 failed, 2 events of Flume's could not be read (named; the others are there), 64 usage, 75 Flume
is running.`;

/** Makes the command. `finish` is told the exit status. */
export function importFlumeCommand(finish: (status: number) => void): Command {
  const append = (one: string, others: readonly string[] = []): readonly string[] => [...others, one];
  return new Command('import-flume')
    .summary("take over an Apache Flume file channel's events")
    .description('Puts the events of an Apache Flume 1.x file channel into a new channel in DIR.')
    .argument('<dir>', 'where the new channel is to be: a directory that is empty or not there')
    .option('--data-dirs <dirs>', "Flume's dataDirs, separated by commas (required)")
    .option('--checkpoint-dir <dir>', "Flume's checkpointDir: only looked at for a Flume that runs")
    .option('--key-store <file>', 'the JCEKS key store of an encrypted channel')
    .option('--key-store-password-file <file>', 'a file with its password')
    .option('--key-password-file <alias=file>', 'a file with the password of one key, where that is another', append)
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action((directory: string, options: ImportOptions) => runVerb(finish, () => run(directory, options)));
}

async function run(directory: string, options: ImportOptions): Promise<number> {
  const dataDirs = (options.dataDirs ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (dataDirs.length === 0) throw new UsageError("--data-dirs is missing: Flume's dataDirs, separated by commas");
  const keyStore = keyStoreOf(options);
  await refuseRunning([...dataDirs, ...(options.checkpointDir === undefined ? [] : [options.checkpointDir])]);
  const files = await FlumeChannelFiles.open({ dataDirs, keyStore });
  try {
    const { count, records, openTransactions } = files.replayed;
    await using channel = await FileChannel.open(directory, { capacityEvents: Math.max(count, capacityEventsMin) });
    const progress = progressLine('import-flume');
    const { events, eventsBefore, damages } = await importFlume(files, channel, (done, total) =>
      progress.at(done, total),
    );
    progress.end();
    if (options.json === true) printJson({ events, eventsBefore, records, openTransactions, damages });
    else {
      for (const { path, offset, message } of damages) console.log(`${inert(path)} at ${offset}: ${message}`);
      const earlier = eventsBefore === 0 ? '' : `, ${counted(eventsBefore)} of them by an earlier run`;
      console.log(`${counted(events)} events imported into ${inert(directory)}${earlier}`);
      const left = `${counted(openTransactions)} transactions were not committed and count for nothing`;
      console.log(`${counted(records)} records in ${files.paths.length} log files; ${left}`);
    }
    return damages.length > 0 ? exitDamage : 0;
  } finally {
    await files.close();
  }
}

/** Java's locks and ours exclude each other. */
async function refuseRunning(directories: readonly string[]): Promise<void> {
  const disk = nodeDisk();
  for (const directory of directories) {
    const path = join(directory, flumeLockName);
    if ((await disk.owner(path)) !== 'running') continue;
    throw new ForebayError('CHANNEL_LOCKED', `${path} is locked: Flume runs on this channel; stop it first`, { path });
  }
}

function keyStoreOf(options: ImportOptions): FlumeKeyStore | undefined {
  const { keyStore: path, keyStorePasswordFile: passwordPath, keyPasswordFile = [] } = options;
  if (path === undefined) return undefined;
  if (passwordPath === undefined) throw new UsageError('--key-store needs --key-store-password-file too');
  const keyPasswordPaths = new Map<string, string>();
  for (const text of keyPasswordFile) {
    const sign = text.indexOf('=');
    if (sign <= 0) throw new UsageError(`--key-password-file '${text}': ALIAS=FILE is due`);
    keyPasswordPaths.set(text.slice(0, sign), text.slice(sign + 1));
  }
  return { path, passwordPath, keyPasswordPaths };
}
