/** The netcatudp source over real datagrams: first lines, the sender's header, and what a full channel costs. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { javaAddress } from '../../../../src/adapters/sources/netcat/java-address.ts';
import { netcatUdpSource } from '../../../../src/adapters/sources/netcat/netcat-udp-source.ts';
import type { Source, SourceContext } from '../../../../src/agent/contracts/components.ts';
import { type Channel, MemoryChannel } from '../../../../src/engine.ts';
import { drain, sourceOn, textsOf, until, valuesOf, type Watched } from '../../contexts.ts';

interface Started extends Watched<SourceContext> {
  readonly source: Source;
  readonly port: number;
}

async function started(channel: Channel, texts: object = {}): Promise<Started> {
  const watched = sourceOn(channel);
  const source = netcatUdpSource.create(valuesOf(netcatUdpSource, { port: '0', ...texts }), watched.context);
  await source.start();
  return { ...watched, source, port: watched.said[0]?.fields['port'] as number };
}

/** Up to 100 that were sent have been read: here sent is received, and some thirty are read in one turn. */
async function received(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}

/** Sends each as a datagram; resolves to the port they came from. */
async function send(port: number, datagrams: readonly string[]): Promise<number> {
  const socket = createSocket('udp4');
  for (const text of datagrams) {
    await new Promise<void>((resolve, reject) =>
      socket.send(text, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  }
  const own = socket.address().port;
  await new Promise<void>((resolve) => socket.close(resolve));
  return own;
}

test('the first line of each datagram is an event, without headers', async () => {
  const channel = await MemoryChannel.open();
  const { source, port } = await started(channel);
  const large = 'y'.repeat(60_000);
  await send(port, ['one', 'two\nthree\n', '', '\nlost', large]);
  await until(() => channel.stats().depthEvents === 5, 'all are in');
  const events = await drain(channel);
  assert.deepEqual(textsOf(events), ['one', 'two', '', '', large]);
  for (const { headers } of events) assert.deepEqual(headers, {});
  await source.stop();
  await source.stop();
  await channel.close();
});

for (const bind of [undefined, '127.0.0.1', 'localhost']) {
  test(`remoteAddressHeader, bound to ${bind ?? 'all'}`, async () => {
    const channel = await MemoryChannel.open();
    const texts = { remoteAddressHeader: 'from', ...(bind !== undefined && { bind }) };
    const { source, port } = await started(channel, texts);
    const own = await send(port, ['one']);
    await until(() => channel.stats().depthEvents === 1, 'it is in');
    assert.deepEqual((await drain(channel))[0]?.headers, { from: `/127.0.0.1:${own}` });
    await source.stop();
    await channel.close();
  });
}

test('bind and port are where it listens', async () => {
  const channel = await MemoryChannel.open();
  const { source, port } = await started(channel);
  await source.stop();
  const again = await started(channel, { bind: '127.0.0.1', port: String(port) });
  assert.deepEqual(again.said[0]?.fields, { address: '127.0.0.1', port });
  await send(port, ['one']);
  await until(() => channel.stats().depthEvents === 1, 'it is in');
  await again.source.stop();
  await channel.close();
});

test('addresses as Java writes them', () => {
  assert.equal(javaAddress('10.0.0.7', 5678), '/10.0.0.7:5678');
  assert.equal(javaAddress('::ffff:10.0.0.7', 1), '/10.0.0.7:1');
  assert.equal(javaAddress('::1', 1), '/0:0:0:0:0:0:0:1:1');
  assert.equal(javaAddress('fe80::00Ab:0:1%eth0', 1), '/fe80:0:0:0:0:ab:0:1%eth0:1');
  assert.equal(javaAddress('1:2:3:4:5:6:7:8', 9), '/1:2:3:4:5:6:7:8:9');
});

test('a full channel: datagrams gather up to the limit, more are dropped, counted and said; stop ends', async () => {
  const channel = await MemoryChannel.open({ capacityEvents: 100, keepAliveMs: 10 });
  const { source, port, counts, said } = await started(channel);
  const sent = 12_000;
  for (let from = 0; from < sent; from += 100) {
    await send(
      port,
      Array.from({ length: 100 }, (_, index) => String(from + index)),
    );
    await received();
  }
  const got: string[] = [];
  while (got.length < 10_100) {
    const batch = await channel.take(100, { waitMs: 2000 });
    if (batch.events.length === 0) break;
    got.push(...textsOf(batch.events));
    await batch.commit();
  }
  // 100 were in the channel, a batch on its way, and the rest waited.
  assert.ok(got.length >= 10_100 && got.length <= 10_200, `${got.length}`);
  assert.deepEqual(
    got,
    Array.from({ length: got.length }, (_, index) => String(index)),
  );
  const dropped = said.flatMap(({ text, fields }) => (text.includes('dropped') ? [Number(fields['events'])] : []));
  assert.equal(
    dropped.reduce((sum, each) => sum + each, 0),
    sent - got.length,
  );
  assert.ok((counts.get('ChannelWriteFail') ?? 0) >= sent - got.length);
  await send(port, ['a'.repeat(10)]);
  await source.stop();
  await channel.close();
});

test('stop with a full channel gives up, and says what it drops', async () => {
  const channel = await MemoryChannel.open({ capacityEvents: 1, keepAliveMs: 10 });
  const { source, port, said } = await started(channel, { bind: '127.0.0.1' });
  await send(port, ['1']);
  await until(() => channel.stats().depthEvents === 1, 'it is in');
  await send(port, ['2', '3']);
  await received();
  await source.stop();
  const dropped = said.flatMap(({ text, fields }) => (text.includes('dropped') ? [Number(fields['events'])] : []));
  assert.equal(
    dropped.reduce((sum, each) => sum + each, 0),
    2,
  );
  assert.deepEqual(textsOf(await drain(channel)), ['1']);
  await channel.close();
});

test('an address that is not here is said', async () => {
  const channel = await MemoryChannel.open();
  await assert.rejects(
    started(channel, { bind: '203.0.113.1' }),
    /bind 203\.0\.113\.1, port 0: cannot .*EADDRNOTAVAIL/,
  );
  await channel.close();
});
