/** A client of the netcat source that ends its side before its lines are in: `echo line | nc host port`. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { netcatSource } from '../../../../src/adapters/sources/netcat/netcat-source.ts';
import { MemoryChannel } from '../../../../src/engine.ts';
import { drain, sourceOn, textsOf, until, valuesOf } from '../../contexts.ts';

test('it gets its answers all the same, and its lines keep their order', async () => {
  const channel = await MemoryChannel.open({ capacityEvents: 150, keepAliveMs: 10 });
  await channel.put(Array.from({ length: 100 }, () => ({ headers: {}, body: Buffer.from('before') })));
  const { context, said, counts } = sourceOn(channel);
  const source = netcatSource.create(valuesOf(netcatSource, { bind: '127.0.0.1', port: '0' }), context);
  await source.start();
  const lines = Array.from({ length: 101 }, (_, index) => `line ${index}`);
  const socket = connect({ host: '127.0.0.1', port: said[0]?.fields['port'] as number });
  const answers = text(socket);
  socket.end(`${lines.join('\n')}\n`);
  await until(() => counts.get('ChannelWriteFail') !== undefined, 'there is no room for its first batch');
  // Its end has come long since.
  await setTimeout(50);
  assert.equal((await drain(channel)).length, 100);
  assert.equal(await answers, 'OK\n'.repeat(101));
  assert.deepEqual(textsOf(await drain(channel)), lines);
  await source.stop();
  await channel.close();
});
