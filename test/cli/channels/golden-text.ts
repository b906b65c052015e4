/**
 * What the `forebay channel` commands print of each sample, as text that a reader of a change can judge: the command,
 * what it printed, its exit status. test/golden/channel-tools holds it; `npm run golden:update` writes it anew.
 */
import { join } from 'node:path';
import type { FlumeSample } from '../../support/flume-samples.ts';
import { forebayAt, forebayInterrupted } from '../../support/forebay-here.ts';
import type { Sample } from '../../support/sample-channels.ts';
import { root } from '../../support/source.ts';

/** A minute after a story has ended somebody looks. */
export const lookedMs: number = Date.UTC(2026, 8, 21, 14, 15, 0);

/** Reading a checkpoint takes a child process: of samples that have one only what shows it is asked. */
const commands: Readonly<Record<string, readonly string[]>> = {
  healthy: ['stats', 'verify --json'],
  'damaged-checkpoint': ['stats --json', 'verify'],
  'foreign-checkpoint': ['stats --json', 'verify'],
};
/** Those that write: last. */
const mended = ['repair --apply', 'repair', 'verify'];
const writes: Readonly<Record<string, readonly string[]>> = {
  healthy: [
    'rewind --to 22',
    'backup BACKUP',
    'backup BACKUP',
    'import OUT',
    'import OUT',
    'import OUT --again --json',
  ],
  encrypted: ['import OUT'],
  prepared: [
    'resolve 1-1 --commit',
    'resolve 1-2 --rollback',
    'resolve 1-9 --commit',
    'unresolved',
    'rewind --to 22 --json',
    'backup BACKUP --json',
  ],
  killed: mended,
  'torn-tail': mended,
  'bit-flip': ['repair --apply --json', 'repair', 'verify', 'stats'],
  'missing-segment': mended,
  'missing-directory': mended,
  'damaged-checkpoint': ['repair --apply', 'verify'],
  'foreign-checkpoint': ['repair --apply', 'verify'],
};
const ofAll = [
  'stats',
  'stats --json',
  'segments',
  'segments --json',
  'verify',
  'verify --json',
  'unresolved',
  'unresolved --json',
  'repair',
  'repair --json',
  'rewind --to 22 --dry-run',
  'replay --from 43 --to 45 --format raw',
  'dump --from 28 --to 43 --state all',
  'dump --from 40 --to 43 --state all --json',
  'dump --from 58 --limit 5',
  'dump --limit 2 --where host=web1 --format raw',
  'dump --frames --segment 2 --limit 5',
  'dump --frames --segment 4 --json',
];

/** Samples that are followed: the others' damage is told when it has stayed for some time. */
export const followed: readonly string[] = ['healthy', 'prepared', 'encrypted'];

/** Changes nothing either, but makes a file. */
const exported = 'export OUT --state all';

/** Where it is kept. */
export function goldenPath(name: string): string {
  return join(root, 'test/golden/channel-tools', `${name}.txt`);
}

/** The golden text of the sample `name`, made in `home`. `onLooked`: before the first command that writes. */
export async function goldenText(
  name: string,
  sample: Sample,
  home: string,
  onLooked: () => Promise<void> = async () => undefined,
): Promise<string> {
  const parts: string[] = [];
  for (const command of commands[name] ?? ofAll) parts.push(await runOf(command, sample.args));
  if (name === 'encrypted') {
    for (const command of ['stats', 'verify', 'verify --json']) parts.push(await runOf(command, [sample.directory]));
  }
  if (followed.includes(name)) parts.push(await runOf('tail --last 3', sample.args));
  await onLooked();
  const own = (command: string): string =>
    command.replace('BACKUP', join(home, 'backup')).replace('OUT', join(home, 'out.avro'));
  parts.push(await runOf(own(exported), sample.args));
  for (const command of writes[name] ?? []) parts.push(withoutSizes(await runOf(own(command), sample.args)));
  return withoutLots(parts.join('\n').replaceAll(home, 'HOME'));
}

/** Without what is drawn by lot, the id of a backup, and what depends on the machine: how LMDB fails. */
function withoutLots(text: string): string {
  return text
    .replace(/\b(?!9e26eb38)[0-9a-f]{32}\b/g, 'ID')
    .replace(/cannot be read \([^)]*\)/g, 'cannot be read (WHY)');
}

/** An owner that takes longer writes one MARK more, for which a segment may be begun. */
export function withoutSizes(text: string): string {
  return text
    .replace(/[\d.]+ KiB read: \d+ groups, \d+ frames/g, 'SIZE read: SOME groups, SOME frames')
    .replace(/(checkpoint +[0-9a-f]{16}):\d+/g, '$1:PLACE')
    .replace(/[\d.]+ KiB in \d+ segments/g, 'SIZE in SOME segments')
    .replace(/"segments": \d+,\n {2}"bytes": \d+/g, '"segments": "SOME",\n  "bytes": "SIZE"');
}

/** The golden text of Flume's directories, imported. `home`: the channels go there. */
export async function importedText({ top, dataDirs }: FlumeSample, home: string): Promise<string> {
  const from = `--data-dirs ${dataDirs.join(',')} --checkpoint-dir ${join(top, 'checkpoint')}`;
  const parts: string[] = [];
  for (const command of [`import-flume ${from}`, `import-flume ${from}`, 'verify']) {
    parts.push(withoutSizes(await runOf(command, [join(home, 'new')])));
  }
  parts.push(await runOf(`import-flume ${from} --json`, [join(home, 'other')]));
  return withoutLots(parts.join('\n').replaceAll(home, 'HOME').replaceAll(top, 'FLUME'));
}

async function runOf(command: string, place: readonly string[]): Promise<string> {
  const [verb = '', ...options] = command.split(' ');
  const [directory = '', ...keys] = place;
  const line = [verb, directory, ...options, ...keys];
  const { status, stdout, stderr } =
    verb === 'tail' ? await forebayInterrupted(3, 'channel', ...line) : await forebayAt(lookedMs, 'channel', ...line);
  const shown = ['$ forebay channel', ...line].join(' ');
  const errors = stderr === '' ? '' : stderr.replace(/^/gm, 'stderr: ').replace(/stderr: $/, '');
  const isDocument = options.includes('--json') && verb !== 'dump';
  const printed = isDocument && stdout !== '' ? `${JSON.stringify(JSON.parse(stdout), undefined, 2)}\n` : stdout;
  return `${shown}\n----\n${printed}${errors}exit ${status}\n`;
}
