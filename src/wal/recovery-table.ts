/**
 * The decisions of recovery, as data: what the scan finds at a position, whether a later group proves that
 * something durable stood there, and what is done. segment-scanner.ts looks up what it finds between groups; the other
 * rows say what recovery*.ts, group-reader.ts, byte-window.ts and the channel's directories.ts do. docs/durability.md
 * prints the table; test/wal/recovery-table.test.ts compares the two and reaches every row.
 */

/** What is found at the position P where the group with serial E is expected. */
export type Finding =
  | 'goodGroup'
  | 'damagedFrame'
  | 'nothingThere'
  | 'otherBytes'
  | 'voidGroup'
  | 'segmentHeadersBad'
  | 'strayName'
  | 'segmentMissing'
  | 'directoryMissing'
  | 'unsupported'
  | 'stateBad'
  | 'checkpointForeign'
  | 'recordBeyondEnd'
  | 'unreadable'
  | 'noSegment';

/** What is done about it. */
export type Decision =
  | 'accept'
  | 'acceptAndRewrite'
  | 'quarantineFrame'
  | 'keepGoodFrames'
  | 'skipToNextGroup'
  | 'endOfLog'
  | 'endWithTail'
  | 'rebuildHeader'
  | 'freePool'
  | 'quarantineSegment'
  | 'refuseDirectory'
  | 'refuseFormat'
  | 'earlierState'
  | 'ignoreCheckpoint'
  | 'jumpSequence'
  | 'retryThenQuarantine'
  | 'startAfresh';

/** One case. `text` says for people what `decision` does. */
export interface RecoveryRow {
  readonly row: string;
  readonly found: Finding;
  /** undefined: either. */
  readonly proven: boolean | undefined;
  readonly decision: Decision;
  readonly text: string;
}

/** All cases, in the order of docs/durability.md. */
export const recoveryTable: readonly RecoveryRow[] = [
  row('1a', 'goodGroup', true, 'accept', 'accept'),
  row(
    '1b',
    'goodGroup',
    false,
    'acceptAndRewrite',
    'accept; written again at the head of a new segment and synced before any use',
  ),
  row(
    '2',
    'damagedFrame',
    true,
    'quarantineFrame',
    'damage: the other frames count, the exact sequences are quarantined',
  ),
  row(
    '3',
    'damagedFrame',
    false,
    'keepGoodFrames',
    'unproven tail: the frames before it are rewritten, the rest is saved and reported',
  ),
  row(
    '4a',
    'nothingThere',
    true,
    'skipToNextGroup',
    'damage: on to the next group that fits; the gap of nextSequence is the loss',
  ),
  row(
    '4b',
    'otherBytes',
    true,
    'skipToNextGroup',
    'damage: on to the next group that fits; the gap of nextSequence is the loss',
  ),
  row('5', 'nothingThere', false, 'endOfLog', 'end of the log'),
  row('6', 'otherBytes', false, 'endWithTail', 'end of the log; the bytes are saved and reported as unproven tail'),
  row('7a', 'voidGroup', true, 'skipToNextGroup', 'void (lower generation or broken chain): as 4'),
  row('7b', 'voidGroup', false, 'endWithTail', 'void (lower generation, broken chain or past a cut): as 6'),
  row(
    '8',
    'segmentHeadersBad',
    undefined,
    'rebuildHeader',
    'id from the name, the rest from the table or from its groups; reported; goes on',
  ),
  row('9', 'strayName', undefined, 'freePool', 'a segment no STATE lists and no chain reaches goes to the free pool'),
  row(
    '10',
    'segmentMissing',
    undefined,
    'quarantineSegment',
    'damage of the whole segment: its pending sequences are the loss',
  ),
  row('11', 'directoryMissing', undefined, 'refuseDirectory', 'CHANNEL_DIR_MISSING, nothing written'),
  row('12', 'unsupported', undefined, 'refuseFormat', 'FORMAT_UNSUPPORTED, nothing written'),
  row('13', 'stateBad', undefined, 'earlierState', 'the STATE before it, and the replay of both segments; reported'),
  row('14', 'checkpointForeign', undefined, 'ignoreCheckpoint', 'the checkpoint is ignored; reported'),
  row('15', 'recordBeyondEnd', undefined, 'jumpSequence', 'reported; nextSequence jumps past the sequences it names'),
  row(
    '16',
    'unreadable',
    undefined,
    'retryThenQuarantine',
    'three more tries, then as damage; the bytes stay in place',
  ),
  row(
    '17',
    'noSegment',
    undefined,
    'startAfresh',
    'a new segment; what the checkpoint knew as pending is reported lost',
  ),
];

function row(name: string, found: Finding, proven: boolean | undefined, decision: Decision, text: string): RecoveryRow {
  return { row: name, found, proven, decision, text };
}

const decisions: ReadonlyMap<string, Decision> = new Map(
  recoveryTable.flatMap(({ found, proven, decision }): [string, Decision][] =>
    proven === undefined
      ? [
          [`${found}/true`, decision],
          [`${found}/false`, decision],
        ]
      : [[`${found}/${proven}`, decision]],
  ),
);

/** The row for what was found. @throws {InvariantError} Never: the table is complete, which a test shows. */
export function decide(found: Finding, proven: boolean): Decision {
  return decisions.get(`${found}/${proven}`) as Decision;
}
