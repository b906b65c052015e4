/** `forebay channel import-flume`: what an Apache Flume 1.x file channel would still deliver, into a channel. */
import { join } from 'node:path';
import { Command } from 'commander';
import { importFlume } from '../../adapters/channels/flume-files/import-flume.ts';
import { FlumeChannelFiles, type FlumeKeyStore } from '../../adapters/channels/flume-files/read-flume-channel.ts';
import { systemClock } from '../../base/clock.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import { ForebayError } from '../../base/errors.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import { type ConfiguredChannel, type FlumePlace, flumePlaceOf, refuseUnstartable } from './flume-place.ts';
import { type ImportReport, importInPlace, removeTree } from './import-in-place.ts';
import { Interrupt } from './interrupt.ts';
import { progressLine } from './progress.ts';
import { counted, exitDamage, inert, printJson, runVerb, UsageError } from './verb.ts';

interface ImportOptions {
  readonly dataDirs?: string;
  readonly checkpointDir?: string;
  readonly confFile?: readonly string[];
  readonly name?: string;
  readonly channel?: string;
  readonly inPlace?: boolean;
  readonly keyStore?: string;
  readonly keyStorePasswordFile?: string;
  readonly keyPasswordFile?: readonly string[];
  readonly json?: boolean;
}

const flumeLockName = 'in_use.lock';
const capacityEventsMin = 1_000_000;

const example = `
Examples:
  $ forebay channel import-flume -f /etc/flume/agent.properties -n a1 --channel c1 --in-place
  $ forebay channel import-flume /var/lib/forebay/c1 -f /etc/flume/agent.properties -n a1 --channel c1
  $ forebay channel import-flume /var/lib/forebay/c1 --checkpoint-dir /flume/checkpoint --data-dirs /flume/d1,/flume/d2

Puts exactly what Flume would still deliver, in the order of its full replay. Flume must be stopped; after a kill -9
and without its checkpoint too. Its directories are not changed. An import that was cut off is gone on with by the same
command.

With --in-place the configuration starts unchanged: the new channel is built beside Flume's directories, and once it is
durable they are moved to flume-old-TIME/ beside them, and the new ones come to their names.

Exit status: 0 fine, 1 failed, 2 events of Flume's could not be read (named; the others are there), 64 usage, 75 Flume
is running, 78 bad configuration, 130 and 143 on signals.`;

/** Makes the command. `finish` is told the exit status. */
export function importFlumeCommand(finish: (status: number) => void): Command {
  const append = (one: string, others: readonly string[] = []): readonly string[] => [...others, one];
  return new Command('import-flume')
    .summary("take over an Apache Flume file channel's events")
    .description('Puts the events of an Apache Flume 1.x file channel into a new channel in DIR, or in its own place.')
    .argument('[dir]', 'where the new channel is to be: a directory that is empty or not there')
    .option('-f, --conf-file <file>', "Flume's configuration, which has the channel", append)
    .option('-n, --name <agent>', 'the agent in it')
    .option('--channel <name>', 'the channel of that agent')
    .option('--in-place', 'instead of DIR: where the configuration has it, so that forebay agent starts with it')
    .option('--data-dirs <dirs>', "Flume's dataDirs, separated by commas; instead of -f")
    .option('--checkpoint-dir <dir>', "Flume's checkpointDir: only looked at for a Flume that runs")
    .option('--key-store <file>', "the JCEKS key store of an encrypted channel (default: the configuration's)")
    .option('--key-store-password-file <file>', 'a file with its password')
    .option('--key-password-file <alias=file>', 'a file with the password of one key, where that is another', append)
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action((directory: string | undefined, options: ImportOptions) => runVerb(finish, () => run(directory, options)));
}

/** A signal came while events were put. */
class InterruptedError extends Error {}

async function run(directory: string | undefined, options: ImportOptions): Promise<number> {
  using interrupt = new Interrupt();
  const progress = progressLine('import-flume');
  const onProgress = (done: number, total: number): void => {
    if (interrupt.status !== undefined) throw new InterruptedError();
    progress.at(done, total);
  };
  try {
    return await importAsAsked(directory, options, onProgress);
  } catch (error) {
    if (!(error instanceof InterruptedError) || interrupt.status === undefined) throw error;
    const left = options.inPlace === true ? 'nothing was changed' : 'the same command goes on where it was';
    console.error(`error: interrupted; ${left}`);
    return interrupt.status;
  } finally {
    progress.end();
  }
}

type OnProgress = (done: number, total: number) => void;

async function importAsAsked(
  directory: string | undefined,
  options: ImportOptions,
  onProgress: OnProgress,
): Promise<number> {
  const configured = configuredOf(options);
  if (options.inPlace !== true) {
    if (directory === undefined) throw new UsageError('DIR is missing: where the new channel is to be; or --in-place');
    return await runInto(directory, options, await sourceOf(configured, options), onProgress);
  }
  if (directory !== undefined) throw new UsageError('DIR and --in-place exclude each other');
  if (configured === undefined) throw new UsageError('--in-place needs -f FILE -n NAME --channel C');
  const place = await flumePlaceOf(configured);
  const keyStore = keyStoreOf(options) ?? place.keyStore;
  await refuseUnstartable(configured);
  return await runInPlace({ ...place, keyStore }, options, onProgress);
}

function configuredOf({ confFile, name, channel, dataDirs, checkpointDir }: ImportOptions) {
  if (confFile === undefined) {
    if (name === undefined && channel === undefined) return undefined;
    throw new UsageError('--name and --channel need --conf-file too');
  }
  if (name === undefined || channel === undefined) throw new UsageError('--conf-file needs --name and --channel too');
  if (dataDirs === undefined && checkpointDir === undefined) return { files: confFile, agent: name, channel };
  throw new UsageError('--conf-file and --data-dirs exclude each other: name the directories once');
}

interface Source {
  readonly dataDirs: readonly string[];
  readonly checkpointDirs: readonly string[];
  readonly keyStore: FlumeKeyStore | undefined;
}

async function sourceOf(configured: ConfiguredChannel | undefined, options: ImportOptions): Promise<Source> {
  if (configured !== undefined) {
    const { dataDirs, checkpointDir, keyStore } = await flumePlaceOf(configured);
    return { dataDirs, checkpointDirs: [checkpointDir], keyStore: keyStoreOf(options) ?? keyStore };
  }
  const dataDirs = (options.dataDirs ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (dataDirs.length === 0) {
    throw new UsageError(
      "--data-dirs is missing: Flume's dataDirs, separated by commas; or -f FILE -n NAME --channel C",
    );
  }
  const checkpointDirs = options.checkpointDir === undefined ? [] : [options.checkpointDir];
  return { dataDirs, checkpointDirs, keyStore: keyStoreOf(options) };
}

async function runInto(
  directory: string,
  options: ImportOptions,
  source: Source,
  onProgress: OnProgress,
): Promise<number> {
  const { dataDirs, checkpointDirs, keyStore } = source;
  await refuseRunning([...dataDirs, ...checkpointDirs]);
  const files = await FlumeChannelFiles.open({ dataDirs, keyStore });
  try {
    const { count, records, openTransactions } = files.replayed;
    await using channel = await FileChannel.open(directory, { capacityEvents: Math.max(count, capacityEventsMin) });
    const done = await importFlume(files, channel, onProgress);
    const report = { ...done, records, logFiles: files.paths.length, openTransactions };
    if (options.json === true) printJson(shownReport(report));
    else tell(report, directory);
    return done.damages.length > 0 ? exitDamage : 0;
  } finally {
    await files.close();
  }
}

async function runInPlace(place: FlumePlace, options: ImportOptions, onProgress: OnProgress): Promise<number> {
  const result = await importInPlace(place, {
    disk: nodeDisk(),
    wallMs: systemClock.wallMs,
    removeTree,
    refuseRunning,
    onProgress,
  });
  const { dataDirs } = place;
  if (result.isDone) {
    if (options.json === true) printJson({ isDone: true, dataDirs });
    else console.log(`${inert(dataDirs.join(', '))}: a channel of forebay's is there already; there is nothing to do`);
    return 0;
  }
  const { report, oldPaths } = result;
  if (options.json === true) printJson({ ...shownReport(report), isDone: false, dataDirs, oldPaths });
  else {
    tell(report, dataDirs.join(', '));
    for (const path of oldPaths) console.log(`Flume's own is now in ${inert(path)}`);
  }
  return report.damages.length > 0 ? exitDamage : 0;
}

function shownReport({ events, eventsBefore, records, openTransactions, damages }: ImportReport) {
  return { events, eventsBefore, records, openTransactions, damages };
}

function tell(report: ImportReport, directory: string): void {
  const { events, eventsBefore, records, logFiles, openTransactions, damages } = report;
  for (const { path, offset, message } of damages) console.log(`${inert(path)} at ${offset}: ${message}`);
  const earlier = eventsBefore === 0 ? '' : `, ${counted(eventsBefore)} of them by an earlier run`;
  console.log(`${counted(events)} events imported into ${inert(directory)}${earlier}`);
  const left = `${counted(openTransactions)} transactions were not committed and count for nothing`;
  console.log(`${counted(records)} records in ${logFiles} log files; ${left}`);
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
