/** Puts the parts of one hdfs sink together. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { SinkContext } from '../../../agent/contracts/components.ts';
import { localHost } from '../../../agent/contracts/java/local-host.ts';
import type { Consumer } from '../../../engine.ts';
import { Buckets } from './buckets.ts';
import { DoneFiles } from './done-files.ts';
import { Fence } from './fence.ts';
import { FileKeeper, pinnedInMemory, pinnedOnDisk } from './file-limits.ts';
import { FileTimers } from './file-timers.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { Ledger } from './ledger.ts';
import { Limit } from './limit.ts';
import { Lingering } from './lingering.ts';
import { Load } from './load.ts';
import { makeRecordWriter } from './make-record-writer.ts';
import { Naming } from './naming.ts';
import type { OpenedTarget } from './open-target.ts';
import { ReplicaWait } from './replica-wait.ts';
import { Retries } from './retries.ts';
import { Settlements } from './settlements.ts';
import { StreamPlaces } from './stream-places.ts';
import { hostText } from './target-path.ts';
import { Tasks } from './tasks.ts';

/** The parts of one life. */
export interface SinkParts {
  readonly load: Load;
  readonly ledger: Ledger;
  readonly retries: Retries;
  readonly tasks: Tasks;
  readonly settlements: Settlements;
  readonly buckets: Buckets;
  readonly keeper: FileKeeper;
  readonly timers: FileTimers;
  /** Where hdfs.doneFile is set. */
  readonly doneFiles: DoneFiles | undefined;
  /** Of the files: what they are made of and where they go. Short. */
  readonly style: string;
}

const writeBytesPlain = 64 * 1024;
/** What is flushed is compressed by itself: in larger pieces it becomes smaller. */
const writeBytesCompressed = 1024 * 1024;

/** Makes them; nothing is done yet. */
export function makeSinkParts(
  values: HdfsValues,
  context: SinkContext,
  { consumer, target }: { readonly consumer: Consumer; readonly target: OpenedTarget },
): SinkParts {
  const { fileSystem } = target;
  const { channel, name, clock, log, count } = context;
  const codec = values['hdfs.codeC'];
  const load = new Load();
  const retries = new Retries(clock);
  const tasks = new Tasks();
  const limit = new Limit(values['hdfs.threadsPoolSize']);
  const ledger = new Ledger({ channel, consumer, name, retries });
  const onInDoubt = values['hdfs.onInDoubt'];
  const fence = new Fence({ fileSystem, ledger });
  const settlements = new Settlements({
    ...{ fileSystem, ledger, fence, limit, load, retries, tasks, log, count },
    naming: new Naming({ fileSystem, ledger, log, count, onInDoubt }),
    lingering: new Lingering({ fileSystem, ledger, retries, clock, log }),
    replicas: new ReplicaWait({
      ...{ fileSystem, retries, clock, log },
      minReplicas: values['hdfs.minBlockReplicas'] ?? 0,
      limitMs: values['hdfs.callTimeout'],
    }),
  });
  const style = styleOf(values, context);
  const format = { fileType: values['hdfs.fileType'], writeFormat: values['hdfs.writeFormat'], codec, clock };
  const names = {
    suffix: values['hdfs.fileSuffix'] ?? codec?.suffix ?? '',
    inUsePrefix: values['hdfs.inUsePrefix'],
    inUseSuffix: values['hdfs.emptyInUseSuffix'] ? '' : values['hdfs.inUseSuffix'],
  };
  const makeWriter = (continuation?: string): ReturnType<typeof makeRecordWriter> =>
    makeRecordWriter(format, context.makeSerializer, continuation);
  const maxOpenStreams = values['hdfs.maxOpenStreams'] ?? target.openStreamsPreset;
  const places = new StreamPlaces(maxOpenStreams, () => keeper.endStreams());
  const files = { fileSystem, ledger, fence, load, places, limit, clock, names, style, makeWriter, count };
  const rolls = { rollCount: values['hdfs.rollCount'], rollBytes: values['hdfs.rollSize'] };
  const buckets = new Buckets({ files, settlements, tasks, log, ...rolls });
  const keeper = new FileKeeper({
    buckets,
    load,
    ledger,
    log,
    maxOpenFiles: values['hdfs.maxOpenFiles'],
    places,
    pinned: target.web === undefined || channel.stats().segments === 0 ? pinnedInMemory : pinnedOnDisk,
    closingAtATime: values['hdfs.threadsPoolSize'],
    writeBytes: codec === undefined ? writeBytesPlain : writeBytesCompressed,
    isAtLeastOnce: values['hdfs.delivery'] === 'at-least-once',
  });
  const timers = new FileTimers({
    clock,
    buckets,
    keeper,
    rollMs: values['hdfs.rollInterval'] * 1000,
    idleMs: values['hdfs.idleTimeout'] * 1000,
    pinnedMs: values['hdfs.maxPinnedAge'] * 1000,
    onRetry: (nowMs) => {
      // Where the channel refuses, the ledger knows.
      if (load.asideEvents > 0) void ledger.rollback(buckets.takeAside(nowMs)).catch(() => undefined);
    },
  });
  const doneFile = values['hdfs.doneFile'];
  const doneFiles =
    doneFile === undefined
      ? undefined
      : new DoneFiles({
          ...{ fileSystem, ledger, buckets, load, limit, tasks, clock, log, count },
          name: expandedDoneName(doneFile),
          delayMs: values['hdfs.doneDelay'] * 1000,
        });
  return { load, ledger, retries, tasks, settlements, buckets, keeper, timers, doneFiles, style };
}

function expandedDoneName(text: string): string {
  const { address, name } = localHost();
  const expanded = hostText(text, { localhost: hostname(), ip: address, fqdn: name });
  if ('problem' in expanded) throw new Error(`hdfs.doneFile: ${expanded.problem}`);
  return expanded.value;
}

/** Files of another style are not gone on with: it tells apart what is in them, and where events go. */
function styleOf(values: HdfsValues, { makeSerializer }: SinkContext): string {
  const { className } = values['hdfs.codeC'] ?? { className: '' };
  const fileType = values['hdfs.fileType'];
  const written = fileType === 'SequenceFile' ? values['hdfs.writeFormat'] : sampleOf(makeSerializer);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([fileType, written, className, values['hdfs.path'], values['hdfs.filePrefix']]));
  return hash.digest('hex').slice(0, 16);
}

/** What a serializer makes of some event tells it from others, and from itself with other keys. */
function sampleOf(makeSerializer: SinkContext['makeSerializer']): string {
  const serializer = makeSerializer();
  if (!serializer.canReopen) return '';
  return serializer.serialize([{ sequence: 1, headers: { name: 'value' }, body: Buffer.from('body') }]).toString();
}
