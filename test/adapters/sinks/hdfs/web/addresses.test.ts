/** Of several addresses the one that is HDFS is used: `hdfs://host:port` is tried at the ports of two Hadoops. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import test from 'node:test';
import { answerText, rawClient, startRawServer } from './raw-server.ts';

const status = '{"FileStatus":{"fileId":7,"type":"FILE","length":3}}';

/** Where nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test('the address that answers as HDFS is found, told, and kept to', async (t) => {
  let asked = 0;
  const nonsense = `http://${await startRawServer(t, (socket) => {
    asked += 1;
    socket.write(answerText(404, '<html>Welcome</html>'));
  })}`;
  const silent = `http://${await startRawServer(t, () => undefined)}`;
  const good = `http://${await startRawServer(t, (socket) => socket.write(answerText(200, status)))}`;
  const closed = await closedAddress();
  const told: string[] = [];
  const files = rawClient(t, [closed, nonsense, silent, good], { onActive: (address) => told.push(address) });
  assert.equal((await files.status('/a'))?.lengthBytes, 3);
  const startMs = performance.now();
  for (let round = 0; round < 10; round += 1) await files.status('/a');
  assert.ok(performance.now() - startMs < 400, 'the others are not asked again');
  assert.deepEqual([told, asked], [[good], 1]);
});

test('where none is HDFS the most telling of their errors is given, soon', async (t) => {
  const nonsense = `http://${await startRawServer(t, (socket) => socket.write(answerText(404, '<html></html>')))}`;
  const files = rawClient(t, [await closedAddress(), nonsense, await closedAddress()]);
  await assert.rejects(files.status('/a'), { name: 'HdfsError', kind: 'nonsense' });
  await assert.rejects(files.rename('/a', '/b'), { name: 'HdfsError', kind: 'nonsense', outcome: 'unknown' });
  const lost = rawClient(t, [await closedAddress(), await closedAddress()]);
  await assert.rejects(lost.rename('/a', '/b'), { name: 'HdfsError', kind: 'network', outcome: 'notDone' });
});
