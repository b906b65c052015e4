/** The spooldir source as a configuration names it: its keys, and how they make it. */
import { resolve } from 'node:path';
import type { SourceContext, SourceDefinition } from '../../../agent/contracts/components.ts';
import type { ValuesOf } from '../../../agent/contracts/keys.ts';
import { avroKind } from './avro-deserializer.ts';
import { blobKind } from './blob-deserializer.ts';
import type { DeserializerKind } from './deserializer.ts';
import { spooldirKeys } from './keys.ts';
import { lineKind } from './line-kind.ts';
import { SpoolDirectorySource } from './source.ts';
import { fileHeaders } from './spooler.ts';

type Values = ValuesOf<typeof spooldirKeys>;

/** `spooldir`: exactly once, also across `kill -9`, into channels that keep what they have. */
export const spooldirSource: SourceDefinition<typeof spooldirKeys> = {
  types: ['spooldir', 'org.apache.flume.source.SpoolDirectorySource'],
  keys: spooldirKeys,
  create,
};

function create(values: Values, context: SourceContext): SpoolDirectorySource {
  const spoolDir = resolve(values.spoolDir);
  const pathKey = values.fileHeader ? values.fileHeaderKey : undefined;
  const nameKey = values.basenameHeader ? values.basenameHeaderKey : undefined;
  const options = {
    spoolDir,
    configuredSpoolDir: values.spoolDir,
    trackerDir: resolve(spoolDir, values.trackerDir),
    fileSuffix: values.fileSuffix,
    isTracked: values.trackingPolicy === 'tracker_dir',
    deletesDone: values.deletePolicy === 'immediate',
    isRecursive: values.recursiveDirectorySearch,
    order: values.consumeOrder,
    include: (name: string) => values.includePattern.matches(name) !== undefined,
    ignore: (name: string) => values.ignorePattern.matches(name) !== undefined,
    random: Math.random,
    batchEvents: values.batchSize,
    backoffMsMax: values.maxBackoff,
    pollDelayMs: values.pollDelay,
    kind: kindOf(values),
    headersOf: fileHeaders(pathKey, nameKey),
  };
  return new SpoolDirectorySource(options, context);
}

function kindOf(values: Values): DeserializerKind {
  if (values.deserializer === 'AVRO') return avroKind(values['deserializer.schemaType']);
  if (values.deserializer === 'BLOB') return blobKind(values['deserializer.maxBlobLength']);
  return lineKind({
    // The older key wins, as in Flume.
    charsMax: values.bufferMaxLineLength ?? values['deserializer.maxLineLength'],
    input: values.inputCharset,
    output: values['deserializer.outputCharset'],
    policy: values.decodeErrorPolicy,
  });
}
