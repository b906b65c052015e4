/**
 * What `hdfs.fileType` stands for: the bytes of a serializer as they are, the same compressed, or a SequenceFile, which
 * has no serializer.
 */
import type { Serializer } from '../../../agent/contracts/components.ts';
import type { Clock } from '../../../engine.ts';
import type { Codec } from './compression.ts';
import type { RecordWriter } from './record-writer.ts';
import { SequenceRecordWriter } from './sequence-record-writer.ts';
import { SerializedWriter } from './serialized-writer.ts';

/** What is the same for all files of one sink. */
export interface RecordFormat {
  readonly fileType: 'SequenceFile' | 'DataStream' | 'CompressedStream';
  /** Of a SequenceFile's values. */
  readonly writeFormat: 'Writable' | 'Text';
  /** Of a SequenceFile or CompressedStream. A DataStream compresses nothing. */
  readonly codec: Codec | undefined;
  /** When an event came that does not say so: a SequenceFile's key. */
  readonly clock: Clock;
}

/**
 * A writer for one file: for a new one, or with `continuation`, which an earlier writer gave, for one that is gone on
 * with.
 * @throws {RangeError} If the continuation is none of such files, or CompressedStream has no codec: the caller's bug.
 */
export function makeRecordWriter(
  format: RecordFormat,
  makeSerializer: () => Serializer,
  continuation?: string,
): RecordWriter {
  const { fileType, codec } = format;
  if (fileType === 'SequenceFile') return new SequenceRecordWriter(format, continuation);
  const isNew = continuation === undefined;
  const serializer = makeSerializer();
  if (!isNew && (continuation !== '' || !serializer.canReopen)) {
    throw new RangeError(`a ${fileType} of this serializer cannot be gone on with by '${continuation}'`);
  }
  if (fileType === 'DataStream') return new SerializedWriter(serializer, { isNew, codec: undefined });
  if (codec === undefined) throw new RangeError('CompressedStream has no codec');
  return new SerializedWriter(serializer, { isNew, codec });
}
