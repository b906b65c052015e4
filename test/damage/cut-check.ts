/** The judgement of a segment that ends too early. */
import assert from 'node:assert/strict';
import { frameHeaderBytes } from '../../src/wal/segment/frame-header.ts';
import { checkFiles } from './flip-check.ts';
import type { ReferenceLog } from './reference-log.ts';
import { type Outcome, withBytes } from './trial.ts';

/** Cuts the segment at `path` to `length` bytes, opens, and asserts that what stands before is delivered. */
export async function checkCut(
  reference: ReferenceLog,
  path: string,
  length: number,
  withCheckpoint: boolean,
): Promise<Outcome> {
  const files = withBytes(reference.files, path, (bytes) => bytes.subarray(0, length));
  const { outcome } = await checkFiles(reference, files, withCheckpoint, length);
  const cutsFrame = reference.frames.some((frame) => {
    const from = frame.group.header.offset;
    const to = frame.offset + frameHeaderBytes + frame.header.storedBytes;
    return frame.path === path && from < length && length < to;
  });
  const isNewest = path === reference.segments.at(-1)?.path;
  if (isNewest && cutsFrame) assert.ok(outcome.damages.length > 0, 'the cut is named');
  return outcome;
}
