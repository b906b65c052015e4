/** What a WebHDFS client makes of an address where something else answers, or nothing does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { HdfsError, type HdfsErrorKind } from '../../../../../src/adapters/sinks/hdfs/web/hdfs-error.ts';
import type { WebFileSystem } from '../../../../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import { type Answering, answerText, rawClient, startRawServer } from './raw-server.ts';

const missing = answerText(404, '{"RemoteException":{"exception":"FileNotFoundException","message":"none"}}');
const found = '{"FileStatus":{"fileId":7,"type":"FILE","length":3,"owner":"o","group":"g","permission":"644"}}';

async function clientOf(t: TestContext, answer: Answering): Promise<WebFileSystem> {
  return rawClient(t, [`http://${await startRawServer(t, answer)}`]);
}

async function failure(call: Promise<unknown>): Promise<HdfsError> {
  const error = await call.then(
    (value) => assert.fail(`resolved to ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HdfsError, String(error));
  return error;
}

/** `CREATE` answered by `redirect`, other calls by that nothing is there, and bodies by `body`. */
function creating(redirect: (head: string) => string, body: Answering = () => undefined): Answering {
  return (socket, head) => {
    if (head.includes('/body')) body(socket, head);
    else socket.write(head.includes('op=CREATE') ? redirect(head) : missing);
  };
}

test('a status that is none, is no status and not nothing', async (t) => {
  const cases: [HdfsErrorKind, string][] = [
    ['nonsense', answerText(200, '')],
    ['nonsense', answerText(200, '<html>It works!</html>')],
    ['nonsense', answerText(200, 'null')],
    ['nonsense', answerText(200, '[]')],
    ['nonsense', answerText(200, '{"FileStatus":null}')],
    ['nonsense', answerText(200, '{"FileStatus":{"fileId":7,"type":"FILE"}}')],
    ['nonsense', answerText(200, '{"FileStatus":{"fileId":7,"type":"FILE","length":-1}}')],
    ['nonsense', answerText(200, '{"FileStatus":{"fileId":7,"type":"FILE","length":1e300}}')],
    ['nonsense', answerText(200, '{"FileStatus":{"fileId":7,"type":"PIPE","length":3}}')],
    ['unsupported', answerText(200, '{"FileStatus":{"type":"FILE","length":3}}')],
    ['unsupported', answerText(200, '{"FileStatus":{"fileId":0,"type":"FILE","length":3}}')],
    ['unsupported', answerText(200, '{"FileStatus":{"fileId":1e17,"type":"FILE","length":3}}')],
    ['nonsense', answerText(404, '<html>Not Found</html>')],
    ['nonsense', answerText(404, '{"error":"FileNotFoundException"}')],
    ['nonsense', answerText(302, '', ['Location: https://login.example/'])],
    ['nonsense', answerText(204, '')],
    ['unauthenticated', answerText(401, '<html>Who?</html>')],
    ['access', answerText(403, 'no')],
    ['retriable', answerText(503, '<html>starting</html>')],
    ['nonsense', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['nonsense', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}\r\n`],
    ['nonsense', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ];
  for (const [kind, answer] of cases) {
    const files = await clientOf(t, (socket) => socket.write(answer));
    const error = await failure(files.status('/logs/a'));
    assert.equal(error.kind, kind, `${answer.slice(0, 100)}: ${error.message}`);
    assert.match(error.message, /^cannot look at \/logs\/a/);
    assert.ok(error.message.length < 1000);
  }
  const files = await clientOf(t, (socket) => socket.write(answerText(200, found)));
  assert.deepEqual(await files.status('/logs/a'), { fileId: '7', kind: 'file', lengthBytes: 3 });
});

test('true and false are these two', async (t) => {
  for (const body of ['', '{}', '{"boolean":"true"}', '{"boolean":1}', '{"boolean":null}', 'true']) {
    const files = await clientOf(t, (socket, head) =>
      socket.write(head.includes('op=GETFILESTATUS') ? answerText(200, found) : answerText(200, body)),
    );
    assert.equal((await failure(files.delete('/a'))).kind, 'nonsense', body);
    assert.equal((await failure(files.truncate('/a', 3))).kind, 'nonsense', body);
    assert.equal((await failure(files.makeDirectories('/a'))).kind, 'nonsense', body);
    assert.equal((await failure(files.leastReplicas('/a'))).kind, 'nonsense', body);
  }
});

test('a foreign message is shortened, and keeps to one line', async (t) => {
  const message = `first \u001b[31m${'x'.repeat(5000)}\nsecond`;
  const exception = { exception: 'IOException', javaClassName: 'java.io.IOException', message };
  const files = await clientOf(t, (socket) =>
    socket.write(answerText(500, JSON.stringify({ RemoteException: exception }))),
  );
  const error = await failure(files.status('/a'));
  assert.equal(error.kind, 'refused');
  assert.equal(error.outcome, 'unknown');
  assert.ok(error.message.length < 600, `${error.message.length}`);
  assert.doesNotMatch(error.message, /\p{Cc}|second/u);
});

test('an answer without an end, and one that claims much, take neither memory nor time', async (t) => {
  const piece = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const endless = await clientOf(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\n\r\n');
    const more = (): void => {
      if (socket.destroyed) return;
      sent += piece.length;
      socket.write(piece, more);
    };
    more();
  });
  const error = await failure(endless.status('/a'));
  assert.equal(error.kind, 'nonsense');
  assert.match(error.message, /more than 262144 bytes/);
  assert.ok(sent < 50_000_000, `${sent} bytes were taken`);
  const claiming = await clientOf(t, (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n{'),
  );
  assert.match((await failure(claiming.status('/a'))).message, /silent for 500 ms/);
  const silent = await clientOf(t, () => undefined);
  assert.match((await failure(silent.rename('/a', '/b'))).message, /it may have been done.*silent for 500 ms/);
});

test('an answer that comes slowly, but comes, is waited for', async (t) => {
  const files = await clientOf(t, (socket) => {
    const bytes = [...answerText(200, found)];
    const drip = setInterval(() => {
      const next = bytes.splice(0, 20).join('');
      if (next === '') clearInterval(drip);
      else socket.write(next);
    }, 150);
  });
  assert.equal((await files.status('/a'))?.lengthBytes, 3);
});

test('redirects to nowhere are not followed', async (t) => {
  const locations = [
    '',
    'ftp://h/body',
    'file:///etc/passwd',
    '/body',
    'http://',
    'http://u:p@127.0.0.1/body',
    'nonsense',
  ];
  for (const location of locations) {
    const files = await clientOf(
      t,
      creating(() => answerText(307, '', location === '' ? [] : [`Location: ${location}`])),
    );
    const error = await failure(files.create('/a'));
    assert.equal(error.kind, 'nonsense', `${location}: ${error.message}`);
  }
  const accepted = await clientOf(
    t,
    creating(() => answerText(200, '{}')),
  );
  assert.equal((await failure(accepted.create('/a'))).kind, 'nonsense');
  const host = await startRawServer(
    t,
    creating(
      (head) => answerText(307, '', [`Location: http://${hostIn(head)}/body`]),
      (socket) => {
        socket.write(answerText(307, '', ['Location: http://127.0.0.1:1/body']));
      },
    ),
  );
  const around = rawClient(t, [`http://${host}`]);
  const stream = await around.create('/a');
  assert.equal((await failure(Promise.resolve(stream?.end()))).kind, 'nonsense');
});

function hostIn(head: string): string {
  return /^host: (.*)$/im.exec(head)?.[1] ?? '';
}

/** A server whose bodies are met by `body`. */
async function writing(t: TestContext, body: Answering): Promise<WebFileSystem> {
  const redirect = (head: string): string => answerText(307, '', [`Location: http://${hostIn(head)}/body`]);
  return await clientOf(t, creating(redirect, body));
}

/** Runs beside this thread: refuses each body and resets the connection, also while this one does not look. */
const refusing = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const end = '\\r\\n';
  const text = (status, exception, more) => {
    const body = JSON.stringify({ RemoteException: { exception } });
    return \`HTTP/1.1 \${status} Said\${end}Content-Length: \${body.length}\${end}\${more}\${end}\${body}\`;
  };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      const head = chunk.toString();
      const location = 'Location: http://127.0.0.1:' + server.address().port + '/body' + end;
      if (head.includes('op=CREATE')) socket.end(text(307, '', location));
      else if (!head.includes('/body')) socket.end(text(404, 'FileNotFoundException', ''));
      else socket.write(text(403, 'DSQuotaExceededException', ''), () => socket.resetAndDestroy());
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('an early refusal is read, although the connection is gone by then', async (t) => {
  const worker = new Worker(refusing, { eval: true });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  for (let round = 0; round < 10; round += 1) {
    const files = rawClient(t, [`http://127.0.0.1:${port}`]);
    const stream = await files.create('/a');
    // The refusal comes now, and the reset behind it; then the first write fails.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    const error = await failure(Promise.resolve(stream?.write(Buffer.alloc(20_000_000))));
    assert.equal(error.kind, 'quota', error.message);
    await stream?.abort();
  }
});

test('a body that is answered before its end is not taken for whole', async (t) => {
  const files = await writing(t, (socket) => void setTimeout(() => socket.write(answerText(201, '')), 50));
  const stream = await files.create('/a');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const error = await failure(Promise.resolve(stream?.write(Buffer.alloc(10_000_000))));
  assert.equal(error.kind, 'nonsense');
  assert.match(error.message, /before the end/);
  await stream?.abort();
});

test('a body that moves slowly is not limited, one that stands still is', async (t) => {
  const slow = await writing(t, (socket) => {
    // About 10 MB/s. The end is taken at once: what the system holds by then is nobody's progress.
    let taken = 0;
    socket.on('data', (chunk: Buffer) => {
      taken += chunk.length;
      if (taken < 12_000_000) {
        socket.pause();
        setTimeout(() => socket.resume(), 5);
      }
      if (chunk.toString('latin1').endsWith('0\r\n\r\n')) socket.write(answerText(201, ''));
    });
  });
  const startMs = performance.now();
  const stream = await slow.create('/a');
  await stream?.write(Buffer.alloc(24_000_000));
  await stream?.end();
  assert.ok(performance.now() - startMs > 600, 'was longer than the call timeout');
  const still = await writing(t, (socket) => void socket.pause());
  const stuck = await still.create('/a');
  const error = await failure(Promise.resolve(stuck?.write(Buffer.alloc(50_000_000))));
  assert.deepEqual([error.kind, error.outcome], ['network', 'unknown']);
  await stuck?.abort();
  await stuck?.abort();
});

test('who we are is told to the gateway and to no one else', async (t) => {
  const heads: string[] = [];
  const other = await startRawServer(t, (socket, head) => {
    heads.push(head);
    socket.write(answerText(201, ''));
  });
  const redirect = (): string => answerText(307, '', [`Location: http://${other}/body`]);
  const seen: string[] = [];
  const gateway = await startRawServer(t, (socket, head) => {
    seen.push(head);
    creating(redirect)(socket, head);
  });
  const credentials = { user: 'me', password: 'pass:word' };
  const files = rawClient(t, [`http://${gateway}`], { credentials, user: 'unused' });
  const stream = await files.create('/a');
  await stream?.end();
  assert.ok(seen.length >= 2);
  const basic = Buffer.from('me:pass:word').toString('base64');
  for (const head of seen) {
    assert.match(head, new RegExp(`^authorization: Basic ${basic}$`, 'im'));
    assert.doesNotMatch(head, /user\.name/);
  }
  assert.equal(heads.length, 1);
  assert.doesNotMatch(heads.join(), /authorization/i);

  seen.length = 0;
  const token = rawClient(t, [`http://${gateway}`], { delegationToken: () => 'a+b', user: 'me', proxyUser: 'you' });
  assert.equal(await token.status('/a'), undefined);
  assert.match(seen.join(), /[?&]delegation=a%2Bb /);
  assert.doesNotMatch(seen.join(), /user\.name|doas/);
  seen.length = 0;
  const onBehalf = rawClient(t, [`http://${gateway}`], { user: 'me', proxyUser: 'you' });
  assert.equal(await onBehalf.status('/a'), undefined);
  assert.match(seen.join(), /user\.name=me&doas=you/);
});
