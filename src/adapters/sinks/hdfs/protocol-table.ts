/**
 * What is done about files, by what is known of them: decision tables, as data. No answer to a rename is ever believed;
 * what stands there afterwards decides, by the file's identity. docs/hdfs-exactly-once.md prints them.
 */
import type { FileStatus } from './file-system.ts';

/** Some facts, and what is done where they are so. A fact that a row does not name can be anything. */
export interface Row<Facts extends Readonly<Record<string, string>>, Action extends string> {
  readonly when: { readonly [Fact in keyof Facts]?: readonly Facts[Fact][] };
  readonly action: Action;
  readonly because: string;
}

/** The action of the first row that fits. @throws {Error} where none does: a hole in the table. */
export function decide<Facts extends Readonly<Record<string, string>>, Action extends string>(
  rows: readonly Row<Facts, Action>[],
  facts: Facts,
): Action {
  const row = rows.find(({ when }) =>
    Object.entries(facts).every(([fact, value]) => when[fact]?.includes(value as Facts[string]) ?? true),
  );
  if (row === undefined) throw new Error(`no row for ${JSON.stringify(facts)}`);
  return row.action;
}

/**
 * How far what is seen can be relied on. `proven`: whoever answers has just shown that it is the active NameNode.
 * `sure`: not so, but the RENAME was answered with success. On local files it is never less than that.
 */
export type Known = 'unsure' | 'sure' | 'proven';

/** `ours`: the very file, with the length it was finished with. `inside`: a directory, and the file is in it. */
export type Standing = 'ours' | 'other' | 'directory' | 'inside' | 'nothing';

/** About a finished file. `side`: whether it is on this machine or on a far side. */
export type FinishedFacts = {
  readonly temporary: Exclude<Standing, 'inside'>;
  readonly final: Standing;
  readonly known: Known;
  readonly side: 'here' | 'far';
};

/** What to do next. After all but `commit` and `inDoubt` it is looked again. */
export type FinishedAction =
  | 'rename'
  | 'nextName'
  | 'removeTemporary'
  | 'look'
  | 'prove'
  | 'moveOut'
  | 'commit'
  | 'inDoubt';

const notOurs = ['other', 'directory', 'nothing'] as const;

/** A finished file: its events are prepared, its identity and length are noted. It only goes forward. */
export const finishedRows: readonly Row<FinishedFacts, FinishedAction>[] = [
  {
    when: { temporary: ['ours'], final: ['nothing'] },
    action: 'rename',
    because: 'not renamed yet',
  },
  {
    when: { temporary: ['ours'], final: ['other', 'directory', 'inside'] },
    action: 'nextName',
    because: 'the name is taken',
  },
  {
    when: { temporary: ['ours'], final: ['ours'], side: ['here'] },
    action: 'removeTemporary',
    because: 'a local rename makes the second name first',
  },
  {
    when: { temporary: ['ours'], final: ['ours'], side: ['far'] },
    action: 'look',
    because: 'it was renamed between the two looks',
  },
  {
    when: { temporary: notOurs, final: ['ours', 'inside'], known: ['unsure'] },
    action: 'prove',
    because: 'a NameNode that was replaced may show a rename that the new one never got',
  },
  { when: { temporary: notOurs, final: ['ours'], known: ['sure', 'proven'] }, action: 'commit', because: 'renamed' },
  {
    when: { temporary: notOurs, final: ['inside'], known: ['sure', 'proven'] },
    action: 'moveOut',
    because: 'a directory came to that name: HttpFS moves the file into it',
  },
  {
    when: { temporary: notOurs, final: notOurs, known: ['unsure', 'sure'] },
    action: 'prove',
    because: 'a NameNode that was replaced may not show what was done since',
  },
  {
    when: { temporary: notOurs, final: notOurs, known: ['proven'] },
    action: 'inDoubt',
    because: 'someone moved, removed or changed it',
  },
];

/** What a status says about a file. */
export function standingOf(
  status: FileStatus | undefined,
  file: { readonly fileId: string; readonly lengthBytes: number },
): Exclude<Standing, 'inside'> {
  if (status === undefined) return 'nothing';
  if (status.kind === 'directory') return 'directory';
  return status.fileId === file.fileId && status.lengthBytes === file.lengthBytes ? 'ours' : 'other';
}

/**
 * About a file that was begun and does not count. `late`: whether its CREATE may still be done, so that DELETE = false
 * says nothing. `name`: `anothers` where another sink of the channel has events in a file of that name.
 */
export type BegunFacts = {
  readonly name: 'ours' | 'anothers';
  readonly deleted: 'notAsked' | 'true' | 'false';
  readonly late: 'possible' | 'impossible';
};

/** What to do next. */
export type BegunAction = 'delete' | 'dropNote' | 'askLater';

/** A file that was begun and does not count: nothing in it is acknowledged. */
export const begunRows: readonly Row<BegunFacts, BegunAction>[] = [
  { when: { name: ['anothers'] }, action: 'dropNote', because: 'it is left alone' },
  { when: { name: ['ours'], deleted: ['notAsked'] }, action: 'delete', because: 'by its very name' },
  { when: { name: ['ours'], deleted: ['true'] }, action: 'dropNote', because: 'gone' },
  {
    when: { name: ['ours'], deleted: ['false'], late: ['impossible'] },
    action: 'dropNote',
    because: 'it was never made',
  },
  {
    when: { name: ['ours'], deleted: ['false'], late: ['possible'] },
    action: 'askLater',
    because: 'its CREATE may be held up somewhere',
  },
];

/**
 * About a file that failed while it was written. `note`: what its note says is safe of it. `why`: `exists` says that
 * something has its name, `held` that for some time it could not be cut. `name`: whether it can only be ours. `bucket`:
 * whether events may still go to this file.
 */
export type FailedFacts = {
  readonly note: 'none' | 'begun' | 'suspended';
  readonly why: 'exists' | 'unsupported' | 'lost' | 'held' | 'other';
  readonly name: 'own' | 'shared';
  readonly bucket: 'goesOn' | 'isOver';
};

/** What to do with it. Its events that are not acknowledged come again in any case. */
export type FailedAction = 'nothing' | 'forget' | 'discard' | 'lost' | 'finish' | 'goOn';

/** A CREATE, APPEND, TRUNCATE or body that failed, whatever was answered. */
export const failedRows: readonly Row<FailedFacts, FailedAction>[] = [
  { when: { note: ['none'] }, action: 'nothing', because: 'nothing was made' },
  {
    when: { note: ['begun'], why: ['exists'], name: ['shared'] },
    action: 'forget',
    because: "the file is another's: it is never touched",
  },
  {
    when: { note: ['begun'] },
    action: 'discard',
    because: 'nothing in it counts; of a name of our own also `exists` means ours, asked for twice',
  },
  { when: { note: ['suspended'], why: ['lost'] }, action: 'lost', because: 'there is nothing to go on with' },
  {
    when: { note: ['suspended'], why: ['held'] },
    action: 'finish',
    because: 'its last writer has died, and HDFS waits for it: the next events do not',
  },
  {
    when: { note: ['suspended'], why: ['unsupported'] },
    action: 'finish',
    because: 'it cannot be gone on with, as an erasure-coded one',
  },
  {
    when: { note: ['suspended'], bucket: ['goesOn'] },
    action: 'goOn',
    because: 'behind the fence, when its next events come',
  },
  { when: { note: ['suspended'], bucket: ['isOver'] }, action: 'finish', because: 'its next events go elsewhere' },
];

/** About a file that is safe up to a noted length, and of which more may have been asked for. `at`: where it is. */
export type FenceFacts = { readonly at: 'formerName' | 'newName' | 'nowhere'; readonly known: Known };

/** What to do next. */
export type FenceAction = 'rename' | 'prove' | 'cut' | 'lost';

/** The fence: a new name, which is noted beside the former ones, and then the cut. */
export const fenceRows: readonly Row<FenceFacts, FenceAction>[] = [
  { when: { at: ['formerName'] }, action: 'rename', because: 'what is held up knows the former name' },
  { when: { at: ['newName'], known: ['sure', 'proven'] }, action: 'cut', because: 'nothing that is held up knows it' },
  {
    when: { at: ['newName'], known: ['unsure'] },
    action: 'prove',
    because: 'a NameNode that was replaced may show a rename that the new one never got',
  },
  {
    when: { at: ['nowhere'], known: ['unsure', 'sure'] },
    action: 'prove',
    because: 'a NameNode that was replaced may not show what was done since',
  },
  { when: { at: ['nowhere'], known: ['proven'] }, action: 'lost', because: 'someone moved, removed or changed it' },
];

/** About the TRUNCATE behind a fence: what was answered. */
export type CutFacts = { readonly answer: 'true' | 'false' | 'unsupported' | 'unclear' };

/** What to do next. */
export type CutAction = 'checkLength' | 'askLater' | 'fenceAgain';

/** The cut: asked for also where the file seems to have the length. */
export const cutRows: readonly Row<CutFacts, CutAction>[] = [
  { when: { answer: ['true'] }, action: 'checkLength', because: 'no writer is left' },
  { when: { answer: ['false'] }, action: 'askLater', because: 'its last writer is being given up' },
  { when: { answer: ['unsupported'] }, action: 'checkLength', because: 'then nothing can have been added either' },
  { when: { answer: ['unclear'] }, action: 'fenceAgain', because: 'it may be done later, under this name' },
];
