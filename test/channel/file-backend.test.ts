/** What the log hears of records that it replays: a sequence that it has not given would be given again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FileBackend } from '../../src/channel/file-backend.ts';
import { ackHeader, encodeControl } from '../../src/queue/control-record.ts';
import { FrameType } from '../../src/wal/segment/frame-header.ts';

test('an acknowledgement and a drop answer the last sequence that they name', () => {
  const one = [{ first: 3, last: 5 }];
  const more = [...one, { first: 9, last: 12 }];
  for (const kind of ['ack', 'drop'] as const) {
    for (const ranges of [one, more]) {
      const backend = new FileBackend();
      const payload = encodeControl({ kind, ranges, notes: undefined });
      const replayed = backend.replay({ type: FrameType[kind], codec: 0, ...ackHeader(ranges), payload });
      assert.equal(replayed, ranges.at(-1)?.last, kind);
      const { taken, dropped } = backend.state.counters;
      assert.deepEqual([taken, dropped], kind === 'ack' ? [ranges === one ? 3 : 7, 0] : [0, ranges === one ? 3 : 7]);
    }
  }
});
