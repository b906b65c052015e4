/**
 * What is done about a finished file, by what stands at its two names: a decision table, as data. No
 * answer to a rename is ever believed; what stands there afterwards decides, by the file's identity.
 *
 * Both names can be the file's for a moment: a local rename that replaces nothing makes the second name first.
 */
import type { FileStatus } from './file-system.ts';

/** `ours`: the very file, with the length it was finished with. */
export type Standing = 'ours' | 'other' | 'directory' | 'nothing';

/** What to do next. After `rename`, `nextName` and `removeTemporary` it is looked again. */
export type Action = 'rename' | 'nextName' | 'removeTemporary' | 'commit' | 'inDoubt';

interface Row {
  readonly temporary: readonly Standing[];
  readonly final: readonly Standing[];
  readonly action: Action;
  readonly because: string;
}

const notOurs = ['other', 'directory', 'nothing'] as const;

/** Each pair of standings is in one row. */
export const rows: readonly Row[] = [
  { temporary: ['ours'], final: ['nothing'], action: 'rename', because: 'not renamed yet' },
  { temporary: ['ours'], final: ['other', 'directory'], action: 'nextName', because: 'the name is taken' },
  { temporary: ['ours'], final: ['ours'], action: 'removeTemporary', because: 'half way through a local rename' },
  { temporary: notOurs, final: ['ours'], action: 'commit', because: 'renamed' },
  { temporary: notOurs, final: notOurs, action: 'inDoubt', because: 'someone moved or removed it' },
];

/** The row's action. */
export function actionFor(temporary: Standing, final: Standing): Action {
  const row = rows.find((one) => one.temporary.includes(temporary) && one.final.includes(final));
  if (row === undefined) throw new Error(`no row for ${temporary} and ${final}`);
  return row.action;
}

/** What a status says about a file. */
export function standingOf(
  status: FileStatus | undefined,
  file: { readonly fileId: string; readonly lengthBytes: number },
): Standing {
  if (status === undefined) return 'nothing';
  if (status.kind === 'directory') return 'directory';
  return status.fileId === file.fileId && status.lengthBytes === file.lengthBytes ? 'ours' : 'other';
}
