/** A server that answers nonsense: what no real HDFS can be made to say, byte by byte. */
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { WebFileSystem } from '../../../../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import { webFileSystem } from '../../../../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import type { WebOptions, WebTarget } from '../../../../../src/adapters/sinks/hdfs/web/web-target.ts';

/** Called with each request's head, as it came. */
export type Answering = (socket: Socket, head: string) => void;

/** Listens until `test` has ended. @returns `127.0.0.1:40000`. */
export async function startRawServer(test: TestContext, answer: Answering): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      for (;;) {
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) {
          // A body: nobody looks at it.
          head = head.slice(-3);
          return;
        }
        const whole = head.slice(0, end);
        head = head.slice(end + 4);
        if (/^[A-Z]+ \S+ HTTP/.test(whole)) answer(socket, whole);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** A whole answer. */
export function answerText(status: number, body: string, headers: readonly string[] = []): string {
  const lines = [`HTTP/1.1 ${status} Said`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A client of such servers. */
export function rawClient(
  test: TestContext,
  addresses: readonly [string, ...string[]],
  options: Partial<WebOptions> & Pick<Partial<WebTarget>, 'credentials'> = {},
): WebFileSystem {
  const { credentials, ...others } = options;
  const defaults = { umask: 0o022, replication: undefined, blockSizeBytes: undefined };
  const target = { prefix: 'hdfs://raw', addresses, defaults, ...(credentials && { credentials }) };
  const files = webFileSystem(target, { user: 'me', callTimeoutMs: 500, ...others });
  test.after(() => files.close());
  return files;
}
