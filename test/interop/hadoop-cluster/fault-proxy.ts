/**
 * Stands between a client and a NameNode or HttpFS, and between it and whatever they redirect to, and spoils chosen
 * requests: cut before they get there, in mid-body, or when they were answered; held up; sent twice.
 */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Redirects lead to `/to/127.0.0.1:9864/webhdfs/v1/…` on the proxy. */
const viaPrefix = /^\/to\/([^/]+)(\/.*)$/s;

/** What becomes of one request. All of it may be combined. */
interface Fault {
  /** Awaited before anything of the request is sent on. */
  readonly before?: () => Promise<void>;
  /**
   * The client's connection is broken, and the server's with it: before anything was sent on; when this many bytes of
   * the body were; or when the server has answered in full, and nothing of that was sent back.
   */
  readonly cut?: 'request' | 'answer' | { readonly afterBytes: number };
  /** Sent a second time when the first was answered; the second answer goes back. */
  readonly repeat?: boolean;
  /** Awaited when the server has answered, before anything of that is sent back or cut. */
  readonly after?: () => Promise<void>;
}

/** A running proxy. */
export interface FaultProxy {
  /** `http://127.0.0.1:40000`, to be used in place of the server's. */
  readonly address: string;
  /** What was asked so far, in order: `CREATE`, `CREATE body`, `RENAME`, … */
  readonly seen: readonly string[];
  /** Spoils the `nth` request of a kind from now on, from 1. */
  spoil(kind: string, nth: number, fault: Fault): void;
  /** How many faults have not come up. */
  readonly waiting: number;
}

interface Planned {
  readonly kind: string;
  left: number;
  readonly fault: Fault;
}

/** `target`: `127.0.0.1:9870`. Ended with `test`. */
export async function startFaultProxy(test: TestContext, target: string): Promise<FaultProxy> {
  const seen: string[] = [];
  const planned: Planned[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const kind = kindOf(request);
    const { socket } = request;
    seen.push(kind);
    const fault = takeFault(planned, kind);
    new Exchange(request, response, target, fault ?? {}).run().catch(() => socket.destroy());
  };
  server.on('request', serve);
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
  return {
    address: `http://127.0.0.1:${port}`,
    seen,
    spoil: (kind, nth, fault) => planned.push({ kind, left: nth, fault }),
    get waiting() {
      return planned.length;
    },
  };
}

function kindOf({ url = '' }: IncomingMessage): string {
  const parameters = new URL(url, 'http://proxy').searchParams;
  const operation = parameters.get('op')?.toUpperCase() ?? 'other';
  return viaPrefix.test(url) || parameters.get('data') === 'true' ? `${operation} body` : operation;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function takeFault(planned: Planned[], kind: string): Fault | undefined {
  let due: Planned | undefined;
  for (const one of planned) {
    if (one.kind !== kind) continue;
    one.left -= 1;
    if (one.left === 0) due ??= one;
  }
  if (due !== undefined) planned.splice(planned.indexOf(due), 1);
  return due?.fault;
}

/** One request and its answer. */
class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: string;
  readonly #path: string;
  readonly #target: string;
  readonly #fault: Fault;
  readonly #kept: Buffer[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, target: string, fault: Fault) {
    const { url = '' } = request;
    const [, host = target, path = url] = viaPrefix.exec(url) ?? [];
    this.#request = request;
    this.#response = response;
    this.#host = host;
    this.#path = path;
    this.#target = target;
    this.#fault = fault;
  }

  async run(): Promise<void> {
    const { before, cut, repeat, after } = this.#fault;
    await before?.();
    if (cut === 'request') throw new Error('cut');
    let answer = await this.#forward(this.#sentOn());
    if (repeat === true) {
      await textOf(answer);
      answer = await this.#forward(this.#kept);
    }
    if (cut === 'answer' || after !== undefined) {
      const text = await textOf(answer);
      await after?.();
      if (cut === 'answer') throw new Error('cut');
      this.#sendHead(answer);
      this.#response.end(text);
      return;
    }
    this.#sendHead(answer);
    answer.pipe(this.#response);
  }

  /** The body as it comes, up to where it is cut. */
  async *#sentOn(): AsyncGenerator<Buffer> {
    const { cut, repeat } = this.#fault;
    let left = typeof cut === 'object' ? cut.afterBytes : Number.POSITIVE_INFINITY;
    if (left === 0) throw new Error('cut');
    // Without a body it is sent on also where its client is gone by now.
    if (!hasBody(this.#request)) return;
    for await (const piece of this.#request as AsyncIterable<Buffer>) {
      const part = piece.subarray(0, Math.min(piece.length, left));
      if (repeat === true) this.#kept.push(part);
      yield part;
      left -= part.length;
      if (left === 0) throw new Error('cut');
    }
  }

  /** Resolves to the answer's head. Rejects where either side breaks off, and breaks off the other. */
  async #forward(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<IncomingMessage> {
    const [hostname = '', port = ''] = this.#host.split(':');
    const { method = 'GET', headers, socket } = this.#request;
    const onward = httpRequest({ hostname, port, path: this.#path, method, headers: { ...headers, host: this.#host } });
    const broken = (): void => void onward.destroy(new Error('the client broke off'));
    socket.once('close', broken);
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      onward.on('response', resolve);
      onward.on('error', reject);
      onward.on('continue', () => this.#response.writeContinue());
    });
    try {
      return await Promise.race([answered, this.#send(onward, body).then(() => answered)]);
    } catch (error) {
      onward.destroy();
      throw error;
    } finally {
      socket.off('close', broken);
      answered.catch(() => undefined);
    }
  }

  async #send(onward: ReturnType<typeof httpRequest>, body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    onward.flushHeaders();
    for await (const piece of body) {
      await new Promise<void>((resolve, reject) => {
        onward.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    }
    onward.end();
  }

  #sendHead({ statusCode = 0, headers }: IncomingMessage): void {
    const { location, ...others } = headers;
    delete others['content-length'];
    delete others['transfer-encoding'];
    this.#response.writeHead(statusCode, {
      ...others,
      ...(location !== undefined && { location: this.#via(location) }),
    });
  }

  /** The same place, through this proxy. */
  #via(location: string): string {
    if (!URL.canParse(location)) return location;
    const url = new URL(location);
    if (!url.protocol.startsWith('http')) return location;
    const proxy = `http://${this.#request.headers.host ?? ''}`;
    const rest = `${url.pathname}${url.search}`;
    return url.host === this.#target ? `${proxy}${rest}` : `${proxy}/to/${url.host}${rest}`;
  }
}

async function textOf(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
  assert.ok(answer.complete, 'the server broke off its answer');
  return Buffer.concat(pieces);
}
