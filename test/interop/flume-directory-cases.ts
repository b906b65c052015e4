/** Directories of Flume's file channel: how each comes to be, and what makes it the one that it is called. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type ChannelSettings, type FlumeWriter, writeFlume } from './flume-file-channel.ts';

const run = promisify(execFile);

/** What a case may ask for. */
export interface Making {
  /** `@dir@` in settings. */
  readonly directory: string;
  /** Beside it: what is not copied with it. */
  readonly keys: string;
  /** A file: what was committed, as Flume said. See ChannelWriter.java. */
  readonly record: string;
  readonly random: (limit: number) => number;
  /** Opens the channel with further settings. */
  readonly open: (more?: ChannelSettings) => FlumeWriter;
}

/** One way in which a channel comes to be left. */
export interface DirectoryCase {
  readonly name: string;
  readonly settings?: ChannelSettings;
  /** What `import-flume` is told besides. */
  readonly options?: (keys: string) => string[];
  readonly make: (making: Making) => Promise<void>;
  /** Fails where it did not become what it is called. */
  readonly check?: (directory: string) => void;
  /** Events that Flume is known to deliver a second time, by its checkpoint. */
  readonly again?: number;
}

/** Events by other commands have lower numbers. */
const loadFrom = 1_000_000;

const general: ChannelSettings = {
  checkpointDir: '@dir@/checkpoint',
  dataDirs: '@dir@/data1,@dir@/data2',
  capacity: '20000',
  transactionCapacity: '1000',
  'keep-alive': '0',
  minimumRequiredSpace: '1048576',
  checkpointInterval: '1000',
};
const dual: ChannelSettings = { useDualCheckpoints: 'true', backupCheckpointDir: '@dir@/backup' };
const encrypted: ChannelSettings = {
  'encryption.cipherProvider': 'AESCTRNOPADDING',
  'encryption.keyProvider': 'JCEKSFILE',
  'encryption.keyProvider.keyStoreFile': '@keys@/store',
  'encryption.keyProvider.keyStorePasswordFile': '@keys@/store.pw',
  'encryption.keyProvider.keys': 'key-0 key-1',
  'encryption.keyProvider.keys.key-0.passwordFile': '@keys@/key-0.pw',
  'encryption.activeKey': 'key-1',
};

/** All that Flume is to be told, with `directory` in the place of `@dir@`. */
export function settingsOf({ settings }: DirectoryCase, directory: string, keys: string): ChannelSettings {
  const all = Object.entries({ ...general, ...settings });
  const placed = all.map(([key, value]) => [key, value.replaceAll('@dir@', directory).replace('@keys@', keys)]);
  return Object.fromEntries(placed);
}

/** Puts and takes by several threads until the kill, at a moment of chance and not before a checkpoint. */
async function loadAndKill({ open, random }: Making, more: ChannelSettings = {}, from = loadFrom): Promise<void> {
  const writer = open(more);
  await writer.run(`load 3 ${random(1_000_000)} ${from}`);
  await writer.run(`sleep ${1300 + random(900)}`);
  await writer.kill();
}

async function makeKeys(keys: string): Promise<void> {
  await mkdir(keys);
  const passwords = { store: 'store-secret', 'key-0': 'another-secret', 'key-1': 'store-secret' };
  for (const [name, password] of Object.entries(passwords)) await writeFile(join(keys, `${name}.pw`), `${password}\n`);
  for (const [alias, bits] of [['key-0', 128] as const, ['key-1', 256] as const]) {
    const store = ['-keystore', join(keys, 'store'), '-storetype', 'jceks', '-storepass', passwords.store];
    const key = ['-alias', alias, '-keypass', passwords[alias], '-keyalg', 'AES', '-keysize', `${bits}`];
    await run('keytool', ['-genseckey', ...key, ...store]);
  }
}

function logsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => /^log-\d+$/.test(name));
}

function assertInFlight(directory: string): void {
  // Without any it is a sum and sixteen zeros.
  for (const name of ['inflightputs', 'inflighttakes']) {
    assert.ok(statSync(join(directory, 'checkpoint', name)).size > 32, `${name} is empty`);
  }
}

/** The kill may have come in the middle of it: then it is not whole. */
function assertBackup(directory: string): void {
  const names = readdirSync(join(directory, 'backup'));
  assert.ok(
    names.some((name) => name === 'backupComplete' || /^(checkpoint|inflight)/.test(name)),
    `${names}`,
  );
}

/** In the order in which they are made. */
export const directoryCases: readonly DirectoryCase[] = [
  {
    name: 'stopped',
    make: async ({ open }) => {
      const writer = open();
      for (let from = 1; from <= 500; from += 50) await writer.run(`put ${from} 50 commit`);
      await writer.run('take 120 commit');
      await writer.run('put 501 20 rollback');
      await writer.run('take 30 rollback');
      await writer.run('put 521 7 commit');
      await writer.run('stop');
      await writer.kill();
    },
  },
  { name: 'killed in puts and takes', make: loadAndKill },
  {
    name: 'killed, without its checkpoint',
    make: async (making) => {
      await loadAndKill(making);
      await rm(join(making.directory, 'checkpoint'), { recursive: true });
    },
  },
  {
    name: 'two checkpoints, killed',
    settings: dual,
    make: loadAndKill,
    check: assertBackup,
  },
  {
    name: 'two checkpoints, killed, the first one damaged',
    settings: { ...dual, compressBackupCheckpoint: 'true' },
    make: async (making) => {
      const writer = making.open();
      await writer.run(`load 2 ${making.random(1_000_000)} ${loadFrom}`);
      // The second checkpoint: what the backup has is older than what is damaged.
      await writer.run(`sleep ${2600 + making.random(500)}`);
      await writer.kill();
      await writeFile(join(making.directory, 'checkpoint', 'checkpoint.meta'), '');
    },
    check: assertBackup,
  },
  {
    name: 'encrypted, first by one key and then by another, killed each time',
    settings: encrypted,
    options: (keys) => [
      ...['--key-store', join(keys, 'store'), '--key-store-password-file', join(keys, 'store.pw')],
      ...['--key-password-file', `key-0=${join(keys, 'key-0.pw')}`],
    ],
    make: async (making) => {
      await makeKeys(making.keys);
      await loadAndKill(making, { 'encryption.activeKey': 'key-0' });
      const writer = making.open();
      await writer.run('put 1 40 commit');
      await writer.run('take 25 commit');
      await writer.run('put 41 5 open');
      await writer.kill();
    },
  },
  {
    name: 'many log files in two directories, killed',
    settings: { maxFileSize: '60000' },
    make: loadAndKill,
    check: (directory) => {
      for (const name of ['data1', 'data2']) assert.ok(logsIn(join(directory, name)).length >= 4, name);
    },
  },
  {
    name: 'killed with open transactions before and behind a checkpoint',
    make: async ({ open }) => {
      const writer = open();
      for (let from = 1; from <= 300; from += 10) await writer.run(`put ${from} 10 commit`);
      await writer.run('take 8 open');
      await writer.run('put 301 6 open');
      // Flume looks whether one is due every second.
      await writer.run('sleep 2500');
      await writer.run('take 40 commit');
      await writer.run('put 311 30 commit');
      await writer.run('take 5 open');
      await writer.run('put 341 4 open');
      await writer.run('take 3 rollback');
      await writer.kill();
    },
    check: assertInFlight,
  },
  {
    name: 'given back across a checkpoint and taken again, killed',
    make: async ({ open }) => {
      const writer = open();
      await writer.run('put 1 50 commit');
      await writer.run('take 5 open');
      await writer.run('put 51 5 open');
      await writer.run('sleep 2500');
      await writer.run('end rollback');
      await writer.run('take 5 commit');
      await writer.kill();
    },
    check: assertInFlight,
    again: 5,
  },
  {
    name: 'one directory, killed and started again, three times, the first two under load',
    settings: { dataDirs: '@dir@/data1' },
    make: async (making) => {
      await loadAndKill(making);
      await loadAndKill(making, {}, 10_000_000);
      const writer = making.open();
      await writer.run('put 1 100 commit');
      await writer.run('take 70 commit');
      await writer.kill();
    },
    check: (directory) => assert.ok(logsIn(join(directory, 'data1')).length >= 3),
  },
  {
    name: 'synced by the clock, three directories, a short queue that was full, killed',
    settings: {
      dataDirs: '@dir@/data1,@dir@/data2,@dir@/data3',
      fsyncPerTransaction: 'false',
      capacity: '300',
      transactionCapacity: '100',
    },
    make: loadAndKill,
  },
  {
    name: 'nothing in it',
    make: async ({ open }) => {
      const writer = open();
      await writer.run('put 1 10 commit');
      await writer.run('take 10 commit');
      await writer.kill();
    },
  },
];

/** Makes the directory of a case by running Flume. */
export async function makeDirectory(
  test: TestContext,
  one: DirectoryCase,
  { classPath, directory, keys, record, random }: { classPath: string } & Omit<Making, 'open'>,
): Promise<void> {
  await mkdir(directory);
  const settings = settingsOf(one, directory, keys);
  const open = (more: ChannelSettings = {}): FlumeWriter =>
    writeFlume(test, classPath, { ...settings, ...more, record });
  await one.make({ directory, keys, record, random, open });
  one.check?.(directory);
}
