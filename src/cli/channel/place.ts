/** Which channel a verb is about: any one of its directories, or a channel of a configuration. */
import type { Command } from 'commander';
import { type FilePlace, fileChannel, filePlaceOf, spillableMemoryChannel } from '../../adapters/channels/file.ts';
import { registry } from '../../adapters/registry.ts';
import type { Plan } from '../../agent/plan.ts';
import { systemClock } from '../../base/clock.ts';
import { nodeDisk } from '../../base/disk-node.ts';
import type { EncryptionOptions } from '../../channel/options.ts';
import { type ChannelView, type ViewOptions, viewChannel } from '../../channel/reader/channel-view.ts';
import { loadConfiguration } from '../../config/load.ts';
import { problemText } from '../../config/problems.ts';
import { ConfigurationError, UsageError } from './verb.ts';

/** What the options of `withPlace` come to. */
export interface PlaceOptions {
  readonly confFile?: readonly string[];
  readonly name?: string;
  readonly channel?: string;
  readonly checkpointDir?: string;
  readonly key?: readonly string[];
  readonly json?: boolean;
}

/** Where it lies, and how it is read. */
export interface Place {
  readonly path: string;
  readonly options: ViewOptions;
}

/** Adds `[DIR]` and the options that say where the channel is. */
export function withPlace(command: Command): Command {
  const append = (one: string, others: readonly string[] = []): readonly string[] => [...others, one];
  return command
    .argument('[dir]', 'any one data directory of the channel; or name it by -f, -n and --channel')
    .option('-f, --conf-file <file>', 'a configuration that has the channel', append)
    .option('-n, --name <agent>', 'the agent in it')
    .option('--channel <name>', 'the channel of that agent')
    .option('--checkpoint-dir <dir>', 'its checkpoint directory, where it is not DIR/checkpoint')
    .option('--key <id=file>', 'an encryption key of it', append)
    .option('--json', 'print JSON');
}

/** @throws {UsageError} @throws {ConfigurationError} */
export async function placeOf(directory: string | undefined, options: PlaceOptions): Promise<Place> {
  const { confFile, name, channel, checkpointDir } = options;
  if (confFile === undefined) {
    if (directory === undefined)
      throw new UsageError('DIR is missing: a data directory, or -f FILE -n NAME --channel C');
    return { path: directory, options: { checkpointDir, encryption: keysOf(options.key ?? []) } };
  }
  if (directory !== undefined) throw new UsageError('DIR and --conf-file exclude each other: name the channel once');
  if (name === undefined || channel === undefined) throw new UsageError('--conf-file needs --name and --channel too');
  return placeIn(await planOf(confFile, name), channel);
}

/** Reads the channel at a place. */
export async function viewAt({ path, options }: Place): Promise<ChannelView> {
  return await viewChannel(path, options, { disk: nodeDisk(), clock: systemClock });
}

/** The agent of a configuration, checked. @throws {ConfigurationError} */
export async function planOf(files: readonly string[], agent: string): Promise<Plan> {
  const { plans, problems, hasErrors } = await loadConfiguration({
    files,
    agent,
    registry,
    surroundings: { environment: process.env, system: new Map(), now: new Date() },
  });
  const [plan] = plans;
  if (hasErrors || plan === undefined) throw new ConfigurationError(problems.map(problemText));
  return plan;
}

/** A channel of an agent. @throws {ConfigurationError} Where it has none of this name, or one without a directory. */
export function placeIn(plan: Plan, name: string): Place {
  const { dataDirs, checkpointDir, options } = filePlaceIn(plan, name);
  return { path: dataDirs[0] ?? '', options: { checkpointDir, encryption: options.encryption } };
}

/** The same, with all that the agent opens it with, but for the limits of its depth. */
export function filePlaceIn({ agent, channels }: Plan, name: string): FilePlace {
  const planned = channels.find((one) => one.name === name);
  const known = channels.map((one) => one.name).join(', ');
  if (planned === undefined)
    throw new ConfigurationError([`error: ${agent} has no channel '${name}': it has ${known}`]);
  const isFile = [fileChannel, spillableMemoryChannel].some((one) => planned.definition.types[0] === one.types[0]);
  if (!isFile)
    throw new ConfigurationError([`error: ${agent}.channels.${name} is no file channel: it has no directory`]);
  return filePlaceOf(planned.values as Parameters<typeof filePlaceOf>[0]);
}

function keysOf(texts: readonly string[]): EncryptionOptions | undefined {
  if (texts.length === 0) return undefined;
  const keys: Record<string, string> = {};
  for (const text of texts) {
    const [, id, file] = /^(\d+)=(.+)$/.exec(text) ?? [];
    if (id === undefined || file === undefined) throw new UsageError(`--key '${text}': ID=FILE is due, as 1=/etc/key`);
    keys[id] = file;
  }
  return { activeKey: Number(Object.keys(keys)[0]), keys };
}
