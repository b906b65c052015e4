/** The netcat source over real sockets and real channels: answers, limits, back-pressure, half lines, stopping. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { netcatSource } from '../../../../src/adapters/sources/netcat/netcat-source.ts';
import type { Source, SourceContext } from '../../../../src/agent/contracts/components.ts';
import { findCharset } from '../../../../src/agent/contracts/java/charset.ts';
import { type Channel, MemoryChannel } from '../../../../src/engine.ts';
import { drain, sourceInto, sourceOn, textsOf, until, valuesOf, type Watched } from '../../contexts.ts';

interface Started extends Watched<SourceContext> {
  readonly source: Source;
  readonly channel: Channel;
  readonly port: number;
}

async function started(texts: object = {}, given?: Channel): Promise<Started> {
  const channel = given ?? (await MemoryChannel.open());
  const watched = sourceOn(channel);
  const values = valuesOf(netcatSource, { bind: '127.0.0.1', port: '0', ...texts });
  const source = netcatSource.create(values, watched.context);
  await source.start();
  return { ...watched, source, channel, port: watched.said[0]?.fields['port'] as number };
}

/** Sends `text`, ends its side, and resolves to all that came back. */
async function talk(port: number, bytes: string | Buffer, end = true): Promise<string> {
  return (await talkBytes(port, bytes, end)).toString();
}

async function talkBytes(port: number, bytes: string | Buffer, end = true): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const answers: Buffer[] = [];
  socket.on('data', (chunk) => answers.push(chunk));
  const closed = once(socket, 'end');
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await closed;
  socket.destroy();
  return Buffer.concat(answers);
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('each line is an event, answered with OK; a carriage return stays', async () => {
  const { source, channel, port, counts } = await started();
  assert.equal(await talk(port, 'one\ntwo\r\n\nvär\n'), 'OK\nOK\nOK\nOK\n');
  assert.deepEqual(textsOf(await drain(channel)), ['one', 'two\r', '', 'vär']);
  await until(() => counts.get('OpenConnectionCount') === 0, 'the connection is over');
  assert.equal(counts.get('EventReceivedCount'), 4);
  assert.equal(counts.get('EventAcceptedCount'), 4);
  await source.stop();
  await channel.close();
});

test('bytes that are no UTF-8 stay as they are; a line may come in pieces', async () => {
  const { source, channel, port } = await started();
  const socket = await connected(port);
  for (const byte of [0xff, 0xc3, 0x0a, 0x61]) {
    socket.write(Buffer.from([byte]));
    await setTimeout(5);
  }
  await until(() => channel.stats().depthEvents === 1, 'the first line is in');
  socket.destroy();
  assert.deepEqual((await drain(channel))[0]?.body, Buffer.from([0xff, 0xc3]));
  await source.stop();
  await channel.close();
});

test('without acknowledgements nothing comes back, and a last half line is an event', async () => {
  const { source, channel, port } = await started({ 'ack-every-event': 'false' });
  assert.equal(await talk(port, 'one\nhalf'), '');
  assert.deepEqual(textsOf(await drain(channel)), ['one', 'half']);
  await source.stop();
  await channel.close();
});

test('with acknowledgements a last half line gets none, is dropped and said', async () => {
  const { source, channel, port, said } = await started();
  assert.equal(await talk(port, 'one\nhalf'), 'OK\n');
  assert.deepEqual(textsOf(await drain(channel)), ['one']);
  assert.deepEqual(
    said.filter(({ level }) => level === 'warn').map(({ fields }) => fields['bytes']),
    [4],
  );
  await source.stop();
  await channel.close();
});

for (const acknowledges of ['true', 'false']) {
  test(`a line over max-line-length: those before it are in, FAILED, closed; answers: ${acknowledges}`, async () => {
    const { source, channel, port } = await started({ 'max-line-length': '5', 'ack-every-event': acknowledges });
    const failed = 'FAILED: Event exceeds the maximum length (5 chars, including newline)\n';
    const ok = acknowledges === 'true' ? 'OK\n' : '';
    assert.equal(await talk(port, 'abcd\nabcde\nnever\n', false), `${ok}${failed}`);
    // Characters are Java's: two for what lies beyond the basic plane, one for what takes three bytes.
    assert.equal(await talk(port, '𝄞𝄞\n'), ok);
    assert.equal(await talk(port, '𝄞𝄞x\n', false), failed);
    assert.equal(await talk(port, '€€€€\n'), ok);
    assert.deepEqual(textsOf(await drain(channel)), ['abcd', '𝄞𝄞', '€€€€']);
    await source.stop();
    await channel.close();
  });
}

for (const encoding of ['ISO-8859-1', 'GBK', 'UTF-16LE', 'UTF-16BE', 'UTF-16', 'utf-8']) {
  test(`encoding ${encoding}: both directions, bodies are UTF-8, the limit is in characters`, async () => {
    const charset = findCharset(encoding);
    assert.ok(charset);
    const { source, channel, port } = await started({ encoding, 'max-line-length': '6' });
    const lines = encoding === 'ISO-8859-1' ? ['één', '', 'ÿÿÿÿÿ'] : ['中文', '', '四五六七八'];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const answers: Buffer[] = [];
    socket.on('data', (chunk) => answers.push(chunk));
    const ended = once(socket, 'end');
    // Byte by byte: characters and line feeds are cut.
    for (const byte of charset.encode(`${lines.join('\n')}\n`)) {
      socket.write(Buffer.from([byte]));
      await setTimeout(1);
    }
    await until(() => channel.stats().depthEvents === 3, 'all lines are in');
    socket.write(charset.encode('123456\n').subarray(encoding === 'UTF-16' ? 2 : 0));
    await ended;
    socket.destroy();
    const failed = 'FAILED: Event exceeds the maximum length (6 chars, including newline)\n';
    assert.deepEqual(Buffer.concat(answers), charset.encode(`OK\nOK\nOK\n${failed}`));
    assert.deepEqual(textsOf(await drain(channel)), lines);
    await source.stop();
    await channel.close();
  });
}

test('a client that never ends its line is found out at the limit', async () => {
  const { source, channel, port } = await started({ 'max-line-length': '1000' });
  const socket = await connected(port);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const closed = once(socket, 'close');
  let sent = 0;
  while (!socket.destroyed && sent < 5000) {
    socket.write('x'.repeat(100));
    sent += 100;
    await setTimeout(2);
  }
  await closed;
  assert.match(answer, /^FAILED: Event exceeds the maximum length \(1000 chars, including newline\)\n$/);
  assert.equal(channel.stats().depthEvents, 0);
  await source.stop();
  await channel.close();
});

test('a full channel holds the client up; nothing is lost, answers come in order', { timeout: 60_000 }, async () => {
  const full = await MemoryChannel.open({ capacityEvents: 200, transactionCapacity: 100, keepAliveMs: 20 });
  const { source, channel, port, said } = await started({ 'max-line-length': '600' }, full);
  const lines = Array.from({ length: 40_000 }, (_, index) => String(index).padEnd(500, '.'));
  const socket = await connected(port);
  let answers = '';
  socket.on('data', (chunk) => {
    answers += chunk;
  });
  const accepted = socket.write(`${lines.join('\n')}\n`);
  assert.equal(accepted, false);
  await until(() => said.some(({ text }) => text.includes('no room')), 'the channel is full');
  await setTimeout(150);
  // 20 MB were given to the socket: most of them are still there.
  assert.ok(socket.writableLength > 5e6, `${socket.writableLength} bytes wait at the client`);
  const got: string[] = [];
  while (got.length < lines.length) {
    const batch = await channel.take(1000, { waitMs: 5000 });
    assert.ok(batch.events.length > 0);
    got.push(...textsOf(batch.events));
    await batch.commit();
  }
  assert.deepEqual(got, lines);
  await until(() => answers.length === 3 * lines.length, 'all answers are there');
  assert.equal(answers, 'OK\n'.repeat(lines.length));
  socket.destroy();
  await source.stop();
  await channel.close();
});

test('an event that the channel refuses is answered with FAILED, its neighbours with OK', async () => {
  const channel = await MemoryChannel.open({ transactionBytesMax: 1500 });
  const { source, port, counts } = await started({ 'max-line-length': '5000' }, channel);
  const answers = await talk(port, `a\n${'x'.repeat(3000)}\nb\n`);
  assert.match(answers, /^OK\nFAILED: [^\n]+\nOK\n$/);
  assert.deepEqual(textsOf(await drain(channel)), ['a', 'b']);
  assert.equal(counts.get('EventAcceptedCount'), 2);
  await channel.close();
  assert.match(await talk(port, 'c\nd\n'), /^FAILED: [^\n]*closed[^\n]*\nFAILED: [^\n]+\n$/);
  await source.stop();
});

test('two channels of which one is full or takes no such event: each line once in both, its answer too', async () => {
  const roomy = await MemoryChannel.open();
  const narrow = await MemoryChannel.open({ capacityEvents: 3, transactionBytesMax: 1500, keepAliveMs: 0 });
  const watched = sourceInto({ roomy, narrow });
  const values = valuesOf(netcatSource, { bind: '127.0.0.1', port: '0', 'max-line-length': '5000' });
  const source = netcatSource.create(values, watched.context);
  await source.start();
  const big = 'x'.repeat(3000);
  const lines = ['a', 'b', big, 'c', 'd', 'e', 'f'];
  const answers = talk(watched.said[0]?.fields['port'] as number, `${lines.join('\n')}\n`);
  const got: string[] = [];
  while (got.length < 6) {
    const batch = await narrow.take(1, { waitMs: 5000 });
    assert.ok(batch.events.length > 0);
    got.push(...textsOf(batch.events));
    await setTimeout(20);
    await batch.commit();
  }
  assert.match(await answers, /^OK\nOK\nFAILED: [^\n]+\n(?:OK\n){4}$/);
  assert.deepEqual(got, ['a', 'b', 'c', 'd', 'e', 'f']);
  assert.deepEqual(textsOf(await drain(roomy)), lines);
  assert.equal(watched.counts.get('EventAcceptedCount'), 6, 'counted once');
  await source.stop();
  await roomy.close();
  await narrow.close();
});

test('stop: an idle client is closed, one that waits for room is told', async () => {
  const full = await MemoryChannel.open({ capacityEvents: 2, keepAliveMs: 10 });
  const { source, channel, port, said } = await started({}, full);
  const idle = await connected(port);
  const idleEnd = once(idle, 'end');
  idle.resume();
  const waiting = talk(port, '1\n2\n3\n4\n', false);
  await until(() => said.some(({ text }) => text.includes('no room')), 'the channel is full');
  await source.stop();
  await idleEnd;
  assert.match(await waiting, /^(OK\n|FAILED: [^\n]+\n){4}$/);
  await assert.rejects(once(connect({ port, host: '127.0.0.1' }), 'connect'), { code: 'ECONNREFUSED' });
  await source.stop();
  await source.start();
  await source.stop();
  await channel.close();
});

test('a client that never reads its answers is not read from either, and does not keep stop waiting', async () => {
  const closed = await MemoryChannel.open();
  await closed.close();
  const { source, port, counts } = await started({}, closed);
  const socket = await connected(port);
  socket.pause();
  // Each is answered with some 60 bytes.
  const lines = 1_000_000;
  socket.write(Buffer.alloc(lines, '\n'));
  let before = -1;
  const received = (): number => counts.get('EventReceivedCount') ?? 0;
  while (before < received()) {
    before = received();
    await setTimeout(200);
  }
  assert.ok(before > 0 && before < lines, `${before} of ${lines} lines were read`);
  await source.stop();
  socket.destroy();
});

test('bind and port are where it listens', async () => {
  const first = await started();
  const { port } = first;
  await first.source.stop();
  const second = await started({ bind: '127.0.0.1', port: String(port) }, first.channel);
  assert.deepEqual(second.said[0]?.fields, { address: '127.0.0.1', port });
  assert.equal(await talk(port, 'one\n'), 'OK\n');
  await second.source.stop();
  await first.channel.close();
});

test('a port that is taken is said, and tried again', async () => {
  const first = await started();
  const values = valuesOf(netcatSource, { bind: '127.0.0.1', port: String(first.port) });
  const second = netcatSource.create(values, first.context);
  await assert.rejects(second.start(), /port \d+: cannot be listened on \(EADDRINUSE\)/);
  await first.source.stop();
  await second.start();
  await second.stop();
  await first.channel.close();
});
