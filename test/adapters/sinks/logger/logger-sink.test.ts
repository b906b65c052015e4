/** The logger sink: Flume's line, to the blank. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { dumpEvent } from '../../../../src/adapters/sinks/logger/hex-dump.ts';
import { loggerSink } from '../../../../src/adapters/sinks/logger/logger-sink.ts';
import { MemoryChannel } from '../../../../src/engine.ts';
import { sinkOn, valuesOf } from '../../contexts.ts';

test('the line of the Flume user guide', () => {
  const line = '{ headers:{} body: 48 65 6C 6C 6F 20 77 6F 72 6C 64 21 0D          Hello world!. }';
  assert.equal(dumpEvent({ headers: {}, body: Buffer.from('Hello world!\r') }, 16), line);
});

test('headers, an empty body, cut bodies, and further lines with their offsets', () => {
  const headers = { host: 'a', n: '1' };
  assert.equal(dumpEvent({ headers, body: Buffer.alloc(0) }, 16), '{ headers:{host=a, n=1} body: }');
  assert.equal(dumpEvent({ headers: {}, body: Buffer.from('abc') }, 0), '{ headers:{} body: }');
  const body = Buffer.from(`0123456789abcdef~\x7f\x1f `);
  const first = ' 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef';
  assert.equal(dumpEvent({ headers: {}, body }, 16), `{ headers:{} body:${first} }`);
  const second = `00000010 7E 7F 1F 20 ${'   '.repeat(12)}~.. `;
  assert.equal(dumpEvent({ headers: {}, body }, 100), `{ headers:{} body:${first}\n${second} }`);
  assert.equal(dumpEvent({ headers: {}, body }, 17), `{ headers:{} body:${first}\n00000010 7E ${'   '.repeat(15)}~ }`);
});

test('each event is one line of the log, in order, and acknowledged', async () => {
  const channel = await MemoryChannel.open();
  await channel.put(['Hello', 'x'.repeat(40)].map((body) => ({ headers: { k: 'v' }, body: Buffer.from(body) })));
  const { context, said } = sinkOn(channel);
  const sink = loggerSink.create(valuesOf(loggerSink, { maxBytesToLog: '5' }), context);
  await sink.start();
  assert.equal(await sink.process(new AbortController().signal), 'ready');
  const gap = '   '.repeat(11);
  assert.deepEqual(
    said.map(({ level, text }) => [level, text]),
    [
      ['info', `Event: { headers:{k=v} body: 48 65 6C 6C 6F ${gap}Hello }`],
      ['info', `Event: { headers:{k=v} body: 78 78 78 78 78 ${gap}xxxxx }`],
    ],
  );
  assert.equal(channel.stats().depthEvents, 0);
  await sink.stop();
  await channel.close();
});
