/**
 * Where a channel of a Flume configuration lies: read from the file as Flume reads it, with the key store that ours
 * does not take, so that a configuration that the agent refuses can still be imported from.
 */
import { fileChannel, filePlaceOf, spillableMemoryChannel } from '../../adapters/channels/file.ts';
import type { FlumeDirectories } from '../../adapters/channels/flume-files/in-place-layout.ts';
import type { FlumeKeyStore } from '../../adapters/channels/flume-files/read-flume-channel.ts';
import { registry } from '../../adapters/registry.ts';
import { readKeys } from '../../agent/contracts/read-keys.ts';
import type { ChannelOptions } from '../../channel/options.ts';
import type { Part } from '../../config/agent-settings.ts';
import { resolveAgent, type Surroundings } from '../../config/agent-values.ts';
import { loadConfiguration } from '../../config/load.ts';
import { type ConfigProblem, Problems, problemText } from '../../config/problems.ts';
import { readSettings } from '../../config/settings.ts';
import { ConfigurationError } from './verb.ts';

/** Which channel of which configuration. */
export interface ConfiguredChannel {
  readonly files: readonly string[];
  readonly agent: string;
  readonly channel: string;
}

/** See above. */
export interface FlumePlace extends FlumeDirectories {
  /** Undefined where Flume's events are not encrypted. */
  readonly keyStore: FlumeKeyStore | undefined;
  /** What `forebay agent` opens the channel with. */
  readonly options: ChannelOptions;
}

const jceksName = 'JCEKSFILE';

/** @throws {ConfigurationError} */
export async function flumePlaceOf({ files, agent, channel }: ConfiguredChannel): Promise<FlumePlace> {
  const problems = new Problems(true);
  const settings = await readSettings(files, problems);
  if (settings === undefined || problems.hasErrors) throw refusedBy(problems.sorted(files));
  const resolved = await resolveAgent(agent, settings, surroundings(), problems);
  const { channels } = resolved.settings.parts;
  const part = channels.get(channel);
  if (part === undefined) {
    const known = [...channels.keys()].join(', ') || 'none';
    throw new ConfigurationError([`error: ${files.join(', ')}: ${agent} has no channel '${channel}': it has ${known}`]);
  }
  return placeOfPart(part, `${agent}.channels.${channel}`);
}

/** @throws {ConfigurationError} where `forebay agent` would not start with it. */
export async function refuseUnstartable({ files, agent }: ConfiguredChannel): Promise<void> {
  const loaded = await loadConfiguration({ files, agent, registry, surroundings: surroundings() });
  if (loaded.hasErrors) throw refusedBy(loaded.problems);
}

function placeOfPart(part: Part, key: string): FlumePlace {
  const type = part.settings.get('type')?.value ?? '';
  const found = [fileChannel, spillableMemoryChannel].find(({ types }) =>
    types.some((one) => one.toLowerCase() === type.toLowerCase()),
  );
  if (found === undefined) throw new ConfigurationError([`error: ${key} is no file channel: its type is '${type}'`]);
  const properties = new Map([...part.settings].map(([name, { value }]) => [name, value]));
  properties.delete('type');
  const { values, problems } = readKeys(fileChannel.keys, properties);
  if (values === undefined) {
    throw new ConfigurationError(problems.map((one) => `error: ${key}.${one.key}: ${one.message}`));
  }
  const keyStore = keyStoreOf(values['encryption.keyProvider'], values['encryption.keyProvider.'], key);
  const { dataDirs, checkpointDir, options } = filePlaceOf(values);
  const isDual = properties.get('useDualCheckpoints')?.toLowerCase() === 'true';
  const backupDir = isDual ? properties.get('backupCheckpointDir') : undefined;
  const encryption = keyStore === undefined ? options.encryption : undefined;
  return { dataDirs, checkpointDir, backupDir, keyStore, options: { ...options, encryption } };
}

function keyStoreOf(
  provider: string | undefined,
  behind: ReadonlyMap<string, string>,
  key: string,
): FlumeKeyStore | undefined {
  if (provider === undefined) return undefined;
  const name = `${key}.encryption.keyProvider`;
  if (provider.toUpperCase() !== jceksName) {
    throw new ConfigurationError([`error: ${name}: '${provider}' is a class of one's own: only ${jceksName} is read`]);
  }
  const required = (which: string): string => {
    const value = behind.get(which);
    if (value === undefined) throw new ConfigurationError([`error: ${name}.${which}: is missing`]);
    return value;
  };
  const keyPasswordPaths = new Map<string, string>();
  for (const [given, path] of behind) {
    const alias = /^keys\.(.+)\.passwordFile$/.exec(given)?.[1];
    if (alias !== undefined) keyPasswordPaths.set(alias, path);
  }
  const [path, passwordPath] = [required('keyStoreFile'), required('keyStorePasswordFile')];
  return { path, passwordPath, keyPasswordPaths };
}

function surroundings(): Surroundings {
  return { environment: process.env, system: new Map(), now: new Date() };
}

function refusedBy(problems: readonly ConfigProblem[]): ConfigurationError {
  return new ConfigurationError(problems.filter(({ severity }) => severity === 'error').map(problemText));
}
