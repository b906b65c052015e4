/**
 * One negative test for each field of the three headers: a field that says something else, under a checksum that
 * holds, has an outcome of its own. No checksum catches that; a decoder that forgets a field would not be noticed.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeFrameHeader, frameHeaderBytes } from '../../src/wal/segment/frame-header.ts';
import { decodeGroupHeader, groupHeaderBytes } from '../../src/wal/segment/group-header.ts';
import { type DecodedSegmentHeader, readSegmentHeader } from '../../src/wal/segment/segment-header.ts';
import {
  changeField,
  type FieldChange,
  outcomeOf,
  sealFrame,
  sealGroup,
  sealPages,
} from '../support/changed-header.ts';
import { readTree } from '../support/golden-channel.ts';

const golden = await readTree(resolve(fileURLToPath(import.meta.url), '../../golden/format-v1/plain'));
/** Its first group holds STATE, CUT, the rewritten tail and OPEN; its second one put, which later groups prove. */
const newest = '0000000000000005.seg';
const beforeNewest = '0000000000000004.seg';
const pageBytes = 4096;
const groupAt: number = 3 * pageBytes;
const frameAt: number = groupAt + groupHeaderBytes;
const epoch: string = goldenFile(newest).toString('hex', 48, 56);

function goldenFile(name: string): Buffer {
  const bytes = golden.get(name);
  assert.ok(bytes !== undefined, name);
  return Buffer.from(bytes);
}

function outcomeWith(changed: Readonly<Record<string, Buffer>>): Promise<string> {
  return outcomeOf(new Map([...golden, ...Object.entries(changed)]));
}

/** Field, offset, bytes, new value; what the decoder says (`header`: it takes it); what an open makes of it. */
type Case = readonly [string, number, FieldChange['bytes'], number, string, string];

const segmentCases: readonly Case[] = [
  ['magic', 0, 8, 1, 'damaged: magic', 'segmentHeader@5:0'],
  ['major version', 8, 2, 2, 'unsupported: format version 2', 'FORMAT_UNSUPPORTED: format version 2'],
  ['minor version', 10, 2, 1, 'header', 'as written'],
  [
    'incompatible features',
    12,
    4,
    1,
    'unsupported: incompatible feature bits 0x1',
    'FORMAT_UNSUPPORTED: incompatible feature bits 0x1',
  ],
  [
    'read-only features',
    16,
    4,
    1,
    'unsupported: feature bits 0x1, which allow reading only',
    'FORMAT_UNSUPPORTED: feature bits 0x1, which allow reading only',
  ],
  ['compatible features', 20, 4, 1, 'header', 'as written'],
  ['channel id', 24, 8, 1, 'header', 'frame@1:24656 lost 3, 18 events, put 33'],
  ['channel id, its end', 32, 8, 1, 'header', 'frame@1:24656 lost 3, 18 events, put 33'],
  ['segment id', 40, 8, 6, 'header', 'segmentHeader@6:0'],
  ['epoch, another', 48, 8, 5, 'header', 'unprovenTail@5:8192, frame@1:24656 lost 3, 18 events, put 33'],
  ['epoch, zero', 48, 8, 0, 'damaged: epoch', 'segmentHeader@5:0'],
  ['previous segment id, its own', 56, 8, 5, 'damaged: segment id, not above the previous one', 'segmentHeader@5:0'],
  ['first serial, another', 64, 8, 24, 'header', 'state@5:8192, group@5:8192 lost 6, 15 events'],
  [
    'first serial, not above the last before',
    64,
    8,
    22,
    'damaged: first serial, not above the last one before',
    'segmentHeader@5:0',
  ],
  ['first sequence, another', 72, 8, 32, 'header', 'state@5:8192, group@5:8192 lost 2, 18 events, put 35'],
  ['first sequence, zero', 72, 8, 0, 'damaged: first sequence', 'segmentHeader@5:0'],
  ['segment bytes, none', 80, 8, 8192, 'damaged: segment bytes', 'segmentHeader@5:0'],
  ['created, negative', 88, 8, -1, 'damaged: created', 'segmentHeader@5:0'],
  ['generation, above its groups', 96, 4, 9, 'header', 'unprovenTail@5:8192, frame@1:24656 lost 3, 18 events, put 33'],
  ['alignment shift', 100, 1, 9, 'unsupported: alignment 2^9', 'FORMAT_UNSUPPORTED: alignment 2^9'],
  ['checksum kind', 101, 1, 2, 'unsupported: checksum kind 2', 'FORMAT_UNSUPPORTED: checksum kind 2'],
  ['used before, 2', 102, 1, 2, 'damaged: used before', 'segmentHeader@5:0'],
  ['byte 103', 103, 1, 1, 'damaged: used before', 'segmentHeader@5:0'],
  ["previous segment's end, negative", 104, 8, -1, "damaged: previous segment's end", 'segmentHeader@5:0'],
  [
    'previous last serial, not below the first',
    112,
    8,
    23,
    'damaged: first serial, not above the last one before',
    'segmentHeader@5:0',
  ],
  ['end of the tail, another', 120, 8, 35, 'header', 'group@5:12288 lost 4, 18 events, put 37'],
  [
    'end of the tail, before the first',
    120,
    8,
    1,
    'damaged: end of the rewritten tail, before the first sequence',
    'segmentHeader@5:0',
  ],
  ['resume sequence, another', 128, 8, 12582947, 'header', 'group@5:12288 lost 2, 18 events, put 35'],
  [
    'resume sequence, before the tail',
    128,
    8,
    1,
    'damaged: resume sequence, before the end of the rewritten tail',
    'segmentHeader@5:0',
  ],
  [
    'sequence after the previous segment, negative',
    136,
    8,
    -1,
    'damaged: sequence after the previous segment',
    'segmentHeader@5:0',
  ],
  ['reserved, first', 144, 1, 1, 'damaged: reserved bytes', 'segmentHeader@5:0'],
  ['reserved, last', 4091, 1, 1, 'damaged: reserved bytes', 'segmentHeader@5:0'],
  ['checksum', 4092, 4, 1, 'damaged: checksum', 'segmentHeader@5:0'],
];

const groupCases: readonly Case[] = [
  ['magic', 0, 4, 1, 'magic', 'group@5:12288 lost 3, 18 events'],
  ['header bytes', 4, 2, 88, 'header bytes', 'group@5:12288 lost 3, 18 events'],
  ['flags, unknown', 6, 2, 32, 'flags', 'group@5:12288 lost 3, 18 events'],
  ['flags, another', 6, 2, 2, 'header', 'group@5:16384'],
  ['epoch', 8, 8, 5, 'epoch', 'group@5:12288 lost 3, 18 events'],
  ['offset', 16, 4, 9, 'offset', 'group@5:12288 lost 3, 18 events'],
  ['bytes, too few for the header', 20, 4, 79, 'bytes', 'group@5:12288 lost 3, 18 events'],
  ['bytes, less', 20, 4, 81, 'header', 'frame@5:12368 lost 3, padding@5:12369, group@5:16384, 18 events'],
  ['bytes, more', 20, 4, 4000, 'header', 'record@5:12488, group@5:16384'],
  ['bytes, past the file', 20, 4, 4000000, 'header', 'unprovenTail@5:12488, frame@1:24656 lost 3'],
  ['serial, zero', 24, 8, 0, 'serial', 'group@5:12288 lost 3, 18 events'],
  ['serial, another', 24, 8, 40, 'header', 'group@5:12288 lost 3, 18 events'],
  ['proven serial, its own', 32, 8, 24, 'proven serial, not below its own', 'group@5:12288 lost 3, 18 events'],
  ['proven serial, lower', 32, 8, 1, 'header', 'group@5:16384'],
  ['next sequence, zero', 40, 8, 0, 'next sequence', 'group@5:12288 lost 3, 18 events'],
  ['next sequence, another', 40, 8, 1048700, 'header', 'group@5:12288 lost 3, 18 events'],
  ['events', 48, 4, 9, 'header', 'group@5:16384'],
  ['frames', 52, 4, 9, 'header', 'padding@5:12488, group@5:16384'],
  ['generation, lower', 56, 4, 1, 'header', 'group@5:12288 lost 3, 18 events'],
  ['generation, higher', 56, 4, 9, 'header', 'unprovenTail@5:16384, frame@1:24656 lost 3'],
  ['CRC of the previous header', 60, 4, 9, 'header', 'group@5:12288 lost 3, 18 events'],
  ['wall clock, negative', 64, 8, -9, 'wall clock', 'group@5:12288 lost 3, 18 events'],
  ['wall clock, another', 64, 8, 9, 'header', 'group@5:16384'],
  ['CRC of the frame headers', 72, 4, 9, 'header', 'padding@5:12488, group@5:16384'],
  ['checksum', 76, 4, 9, 'checksum', 'group@5:12288 lost 3, 18 events'],
];

const frameCases: readonly Case[] = [
  ['stored bytes, over the limit', 0, 4, 2147483648, 'stored bytes', 'frame@5:12368 lost 3, 18 events'],
  ['stored bytes, past the group', 0, 4, 96, 'header', 'frame@5:12368 lost 3, 18 events'],
  ['stored bytes, less', 0, 4, 50, 'header', 'record@5:12464, frame@5:12368 lost 3, 18 events'],
  ['type, acknowledgement', 4, 1, 2, 'header', 'record@5:12368, padding@5:12488, 18 events, put 33'],
  ['type, zero', 4, 1, 0, 'header', 'FORMAT_UNSUPPORTED: 0'],
  ['type, drop', 4, 1, 12, 'header', 'record@5:12368, padding@5:12488, 18 events, put 33'],
  ['type, reserved', 4, 1, 14, 'header', 'FORMAT_UNSUPPORTED: 14'],
  ['type, unknown', 4, 1, 15, 'header', 'FORMAT_UNSUPPORTED: 15'],
  ['type, to be skipped', 4, 1, 200, 'header', 'padding@5:12488, 18 events, put 33'],
  ['flags, unknown', 5, 1, 16, 'flags', 'frame@5:12368 lost 3, 18 events'],
  ['flags, compressed', 5, 1, 1, 'header', 'padding@5:12488, frame@5:12368 lost 3, 18 events'],
  ['flags, encrypted', 5, 1, 2, 'header', 'padding@5:12488, frame@5:12368 lost 3, 18 events'],
  ['flags, explicit', 5, 1, 4, 'header', 'padding@5:12488'],
  ['flags, notes', 5, 1, 8, 'header', 'padding@5:12488'],
  ['payload codec', 6, 2, 2, 'header', 'padding@5:12488, frame@5:12368 lost 3, 18 events'],
  ['base sequence, no safe integer', 8, 8, -1, 'base sequence', 'frame@5:12368 lost 3, 18 events'],
  ['base sequence, another', 8, 8, 1048620, 'header', 'padding@5:12488'],
  ['count, more', 16, 4, 4, 'header', 'padding@5:12488, frame@5:12368 lost 4, 18 events, put 37'],
  ['count, less', 16, 4, 2, 'header', 'padding@5:12488, frame@5:12368 lost 2, 18 events, put 35'],
  ['raw bytes', 20, 4, 9, 'header', 'padding@5:12488, frame@5:12368 lost 3, 18 events'],
  ['key id', 24, 4, 9, 'header', 'padding@5:12488'],
  ['CRC of the payload', 28, 4, 9, 'header', 'padding@5:12488, frame@5:12368 lost 3, 18 events'],
  ['reserved', 32, 4, 1, 'reserved bytes', 'frame@5:12368 lost 3, 18 events'],
  ['checksum', 36, 4, 9, 'checksum', 'frame@5:12368 lost 3, 18 events'],
];

function sentence(read: Exclude<DecodedSegmentHeader, { kind: 'header' }>): string {
  return `${read.kind}: ${read.kind === 'damaged' ? read.why : read.what}`;
}

/** Every byte below `bytes` belongs to a field that is changed somewhere. */
function assertCovers(cases: readonly Case[], bytes: number): void {
  const covered = new Set(cases.flatMap(([, at, width]) => Array.from({ length: width }, (_, index) => at + index)));
  const missing = Array.from({ length: bytes }, (_, at) => at).filter((at) => !covered.has(at));
  assert.deepEqual(missing, []);
}

describe('segment header: one field changed in both pages of the newest segment', () => {
  it('every used byte is covered, here or below', () => {
    const others = chainCases.map(([name, at, to]): Case => [name, at, at === 144 ? 1 : 8, to, '', '']);
    assertCovers([...segmentCases, ...others], 144);
  });

  for (const [name, at, bytes, to, decoded, outcome] of segmentCases) {
    it(`${name} → ${outcome}`, async () => {
      const segment = goldenFile(newest);
      for (const page of [0, pageBytes]) changeField(segment, page, { at, bytes, to });
      if (name !== 'checksum') sealPages(segment);
      const read = readSegmentHeader(segment.subarray(0, pageBytes));
      assert.equal(read.kind === 'header' ? 'header' : sentence(read), decoded);
      assert.equal(await outcomeWith({ [newest]: segment }), outcome);
    });
  }

  it('one bad page of the two costs nothing', async () => {
    for (const page of [0, pageBytes]) {
      const segment = goldenFile(newest);
      changeField(segment, page, { at: 40, bytes: 8, to: 77 });
      assert.equal(await outcomeWith({ [newest]: segment }), 'segmentHeader@5:0');
    }
  });
});

/** What speaks of the segment before counts where that one is replayed: with the newest one's STATE spoiled. */
const chainCases: readonly (readonly [string, number, number, string, string])[] = [
  ['nothing', 144, 0, 'state@5:8192, record@5:8272', 'state@5:8192, group@4:53248 lost 3, record@5:8272, 18 events'],
  [
    'previous segment id, an older one',
    56,
    3,
    'state@5:8192, record@5:8272, 15 events, put 28',
    'state@5:8192, record@5:8272, 15 events, put 28',
  ],
  [
    'previous segment id, none',
    56,
    0,
    'state@5:8192, record@5:8272',
    'state@5:8192, group@4:53248 lost 3, record@5:8272, 18 events',
  ],
  [
    "previous segment's end, earlier",
    104,
    40_960,
    'state@5:8192, record@5:8272, 20 events, put 33',
    'state@5:8192, record@5:8272, 20 events, put 33',
  ],
  [
    'sequence after the previous segment, later',
    136,
    40,
    'state@5:8192, record@5:8272',
    'state@5:8192, group@4:53248 lost 12, record@5:8272, 12 events, put 45',
  ],
];

describe('segment header: what it says of the segment before, needed where its own STATE does not hold', () => {
  for (const [name, at, to, whole, spoiled] of chainCases) {
    it(`${name} → ${whole}; with the last group of that segment spoiled → ${spoiled}`, async () => {
      const segment = goldenFile(newest);
      for (const page of [0, pageBytes]) changeField(segment, page, { at, bytes: at === 144 ? 1 : 8, to });
      sealPages(segment);
      const stateAt = 2 * pageBytes + groupHeaderBytes + frameHeaderBytes;
      segment.writeUInt8(segment.readUInt8(stateAt) ^ 1, stateAt);
      assert.equal(await outcomeWith({ [newest]: segment }), whole);
      const before = goldenFile(beforeNewest);
      const lastGroupAt = 13 * pageBytes;
      before.writeUInt8(before.readUInt8(lastGroupAt + 30) ^ 1, lastGroupAt + 30);
      assert.equal(await outcomeWith({ [newest]: segment, [beforeNewest]: before }), spoiled);
    });
  }
});

describe('group header: one field changed in a group of one put that later groups prove', () => {
  it('every byte is covered', () => assertCovers(groupCases, groupHeaderBytes));

  for (const [name, at, bytes, to, decoded, outcome] of groupCases) {
    it(`${name} → ${outcome}`, async () => {
      const segment = goldenFile(newest);
      changeField(segment, groupAt, { at, bytes, to });
      if (name !== 'checksum') sealGroup(segment, groupAt);
      const read = decodeGroupHeader(segment, groupAt, epoch, groupAt);
      assert.equal(typeof read === 'string' ? read : 'header', decoded);
      assert.equal(await outcomeWith({ [newest]: segment }), outcome);
    });
  }
});

describe('frame header: one field changed in a put that later groups prove', () => {
  it('every byte is covered', () => assertCovers(frameCases, frameHeaderBytes));

  for (const [name, at, bytes, to, decoded, outcome] of frameCases) {
    it(`${name} → ${outcome}`, async () => {
      const segment = goldenFile(newest);
      changeField(segment, frameAt, { at, bytes, to });
      if (name !== 'checksum') sealFrame(segment, frameAt);
      const read = decodeFrameHeader(segment, frameAt, epoch, frameAt);
      assert.equal(typeof read === 'string' ? read : 'header', decoded);
      assert.equal(await outcomeWith({ [newest]: segment }), outcome);
    });
  }
});
