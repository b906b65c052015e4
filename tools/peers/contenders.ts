/** Who is measured, what each promises when it acknowledges, and how it is driven: the very words of the document. */
import type { Cell } from './cells.ts';

/** The name of one, as `--peers` takes it. */
export type ContenderName =
  | 'forebay'
  | 'flume'
  | 'lmdb'
  | 'sqlite'
  | 'raft-wal'
  | 'tidwall-wal'
  | 'chronicle'
  | 'nats'
  | 'diskqueue';

/** forebay or a peer of it. */
export interface Contender {
  readonly name: ContenderName;
  readonly title: string;
  /** Whether what it has acknowledged is on the disk. Only those that sync first are compared with. */
  readonly syncsFirst: boolean;
  /** What is true of an acknowledged event when the power goes. */
  readonly durability: string;
  readonly drivenAs: string;
  /** Runs in Node: its figures are of one version of Node, and there is one series for each. */
  readonly isNode: boolean;
  /** Its process does all cells, since it needs long to warm up; the others have a fresh one for each. */
  readonly isKept: boolean;
  /** Most consumers of a cell it can do, by work; 0 where it has no such thing. */
  readonly takersMax: number;
  /** About what one taker takes in a second with batches of 1, 100 and 1000: how much the warm-up is given. */
  readonly takesPerSecond: readonly [number, number, number];
}

const syncs = { syncsFirst: true, isNode: false, isKept: false, takersMax: Number.POSITIVE_INFINITY } as const;
const doesNot = { ...syncs, syncsFirst: false } as const;
const takesOfDatabase = [4000, 150_000, 300_000] as const;

/** All, in the order in which they are measured. */
export const contenders: readonly Contender[] = [
  {
    ...syncs,
    name: 'forebay',
    title: 'forebay',
    durability: 'On the disk before it is acknowledged: one synchronous write a group of transactions.',
    drivenAs:
      'The file channel with its defaults (LMDB checkpoint, direct writes where the file system has them). ' +
      'Producers and consumers are loops in one process that await each transaction.',
    isNode: true,
    takesPerSecond: [10_000, 400_000, 1_500_000],
  },
  {
    ...syncs,
    name: 'flume',
    title: 'Apache Flume file channel',
    durability: 'On the disk before it is acknowledged: one sync a transaction.',
    drivenAs:
      'FileChannel with its defaults (capacity 1,000,000, two directories below one), a thread for each producer and ' +
      'consumer, begin … commit … close, in one JVM (-Xms2g -Xmx4g) that is warm.',
    isKept: true,
    takesPerSecond: [5000, 65_000, 80_000],
  },
  {
    ...syncs,
    name: 'lmdb',
    title: 'LMDB queue',
    durability: 'On the disk before it is acknowledged: `await db.flushed` after each batch.',
    drivenAs:
      'The lmdb package, one key an event, writes of one turn of the event loop in one transaction, a shared cursor ' +
      'for the takers, removal at commit. Defaults otherwise.',
    isNode: true,
    takesPerSecond: takesOfDatabase,
  },
  {
    ...syncs,
    name: 'sqlite',
    title: 'SQLite queue',
    durability: 'On the disk before it is acknowledged: journal_mode=WAL, synchronous=FULL.',
    drivenAs:
      'One row an event; the batches and commits of one turn of the event loop in one transaction, a shared cursor ' +
      'for the takers, removal at commit. Defaults otherwise.',
    isNode: true,
    takesPerSecond: takesOfDatabase,
  },
  {
    ...syncs,
    name: 'raft-wal',
    title: 'hashicorp/raft-wal',
    durability: 'On the disk before it is acknowledged: one sync for each StoreLogs.',
    drivenAs: 'A log, no queue: put only. Indexes have to follow each other, so producers take turns at a mutex.',
    takersMax: 0,
    takesPerSecond: [0, 0, 0],
  },
  {
    ...syncs,
    name: 'tidwall-wal',
    title: 'tidwall/wal',
    durability: 'On the disk before it is acknowledged: one sync for each Write or WriteBatch.',
    drivenAs: 'A log, no queue: put only. Indexes have to follow each other, so producers take turns at a mutex.',
    takersMax: 0,
    takesPerSecond: [0, 0, 0],
  },
  {
    ...doesNot,
    name: 'chronicle',
    title: 'Chronicle Queue',
    durability:
      'Acknowledges before it syncs: in mapped memory, written when the kernel does so. A power cut loses it.',
    drivenAs:
      'Defaults but for the roll cycle FAST_DAILY and blocks of 256 MiB; an appender a thread, in turns at a lock; ' +
      'one named tailer. Its takes are reads: nothing is acknowledged.',
    isKept: true,
    takersMax: 1,
    takesPerSecond: [500_000, 2_000_000, 2_000_000],
  },
  {
    ...doesNot,
    name: 'nats',
    title: 'NATS JetStream',
    durability: 'Acknowledges before it syncs: every two minutes (sync_interval). A power cut loses what came since.',
    drivenAs:
      'Embedded in the process, file store, work queue, connection in memory; a batch is published asynchronously ' +
      'and all its acknowledgements are awaited; takes are Fetch, Ack each, AckSync the last. Its buffers are larger ' +
      'than the defaults, which refuse 64 × 1000.',
    takesPerSecond: [10_000, 100_000, 100_000],
  },
  {
    ...doesNot,
    name: 'diskqueue',
    title: 'nsqio/go-diskqueue',
    durability: 'Acknowledges before it syncs: every 2,500 messages or 2 s. A power cut loses what came since.',
    drivenAs:
      'As nsqd configures it. It knows no batch: one call a message. What is read is gone: nothing is acknowledged.',
    takesPerSecond: [200_000, 300_000, 300_000],
  },
];

/** Whether it has what the cell needs. */
export function canDo(contender: Contender, cell: Cell): boolean {
  return cell.consumers <= contender.takersMax;
}
