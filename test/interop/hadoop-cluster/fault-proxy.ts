/**
 * Stands between a client and a NameNode or HttpFS, and between it and whatever they redirect to, and spoils chosen
 * requests: cut before they get there, in mid-body, or when they were answered; held up; sent twice.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Exchange, type Fault, viaPrefix } from './fault-exchange.ts';

/** Which request is meant. */
interface Wanted {
  /** `CREATE`, `CREATE body`, `RENAME`, … */
  readonly kind: string;
  /** From now on, from 1. */
  readonly nth: number;
  /** None counts before one of this kind is over. */
  readonly since?: string | undefined;
}

/** A running proxy. */
export interface FaultProxy {
  /** `http://127.0.0.1:40000`, to be used in place of the server's. */
  readonly address: string;
  /** What was asked so far, in order: `CREATE`, `CREATE body`, `RENAME`, … */
  readonly seen: readonly string[];
  /** Spoils the `nth` request of a kind from now on, from 1. */
  spoil(kind: string, nth: number, fault: Fault): void;
  /** The same, of requests that come later. */
  spoilOne(wanted: Wanted, fault: Fault): void;
  /** How many faults have not come up. */
  readonly waiting: number;
  /** How many requests are over, answered or not. */
  readonly over: number;
}

interface Planned {
  readonly kind: string;
  since: string | undefined;
  left: number;
  readonly fault: Fault;
}

/** `target`: `127.0.0.1:9870`. Ended with `test`. */
export async function startFaultProxy(test: { after(call: () => void): void }, target: string): Promise<FaultProxy> {
  const seen: string[] = [];
  const planned: Planned[] = [];
  const sockets = new Set<Socket>();
  let over = 0;
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const kind = kindOf(request);
    const { socket } = request;
    seen.push(kind);
    const fault = takeFault(planned, kind);
    await new Exchange(request, response, target, fault ?? {}).run().catch(() => socket.destroy());
    over += 1;
    for (const one of planned) if (one.since === kind) one.since = undefined;
  };
  server.on('request', (request, response) => void serve(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  const spoilOne = ({ kind, nth, since }: Wanted, fault: Fault): void =>
    void planned.push({ kind, left: nth, since, fault });
  return {
    address: `http://127.0.0.1:${port}`,
    seen,
    spoil: (kind, nth, fault) => spoilOne({ kind, nth }, fault),
    spoilOne,
    get waiting() {
      return planned.length;
    },
    get over() {
      return over;
    },
  };
}

function kindOf({ url = '' }: IncomingMessage): string {
  const parameters = new URL(url, 'http://proxy').searchParams;
  const operation = parameters.get('op')?.toUpperCase() ?? 'other';
  return viaPrefix.test(url) || parameters.get('data') === 'true' ? `${operation} body` : operation;
}

function takeFault(planned: Planned[], kind: string): Fault | undefined {
  let due: Planned | undefined;
  for (const one of planned) {
    if (one.kind !== kind || one.since !== undefined) continue;
    one.left -= 1;
    if (one.left === 0) due ??= one;
  }
  if (due !== undefined) planned.splice(planned.indexOf(due), 1);
  return due?.fault;
}
