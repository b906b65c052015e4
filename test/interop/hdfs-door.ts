/** A port where no HDFS is, and later one: what answers there is nonsense or nothing, until it leads to a NameNode. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** `shut`: nobody listens. */
export type DoorKind = 'garbage' | 'html' | 'shut';

/** One such port of this machine. */
export interface Door {
  readonly kind: DoorKind;
  readonly port: number;
  /** From now on what comes goes to the NameNode. */
  lead(): Promise<void>;
}

const page = '<html><body>It works!</body></html>';
const head = ['HTTP/1.1 200 OK', 'Content-Type: text/html', 'Connection: close', `Content-Length: ${page.length}`];
const html = `${head.join('\r\n')}\r\n\r\n${page}`;
const says: Readonly<Record<DoorKind, string>> = { garbage: '\u0000\u0001 220 ready\r\n', html, shut: '' };

/** `target`: `127.0.0.1:9870`. Closed with `test`. */
export async function startDoor(test: TestContext, kind: DoorKind, target: string): Promise<Door> {
  const [host = '', targetPort = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let leads = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    if (!leads) {
      socket.once('data', () => socket.end(says[kind]));
      return;
    }
    const onward = keep(connect(Number(targetPort), host));
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as { port: number };
  if (kind === 'shut') await new Promise((resolve) => server.close(resolve));
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    kind,
    port,
    async lead() {
      leads = true;
      if (kind === 'shut') await listen(port);
    },
  };
}
