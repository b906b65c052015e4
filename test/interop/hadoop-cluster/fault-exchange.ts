/** One request on its way through the fault proxy, and its answer on the way back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** Redirects lead to `/to/127.0.0.1:9864/webhdfs/v1/…` on the proxy. */
export const viaPrefix: RegExp = /^\/to\/([^/]+)(\/.*)$/s;

/** What becomes of one request. All of it may be combined. */
export interface Fault {
  /** The body is read to its end before anything else, and all that follows happens also where its client is gone. */
  readonly whole?: boolean;
  /** Awaited before anything of the request is sent on. `gone` resolves when its client has broken off. */
  readonly before?: (gone: Promise<void>) => Promise<void>;
  /**
   * The client's connection is broken, and the server's with it: before anything was sent on; when this many bytes of
   * the body were; when this share of a whole one was, yet never its end; or when the server has answered in full, and
   * nothing of that was sent back.
   */
  readonly cut?: 'request' | 'answer' | { readonly afterBytes: number } | { readonly share: number };
  /** Sent a second time when the first was answered; the second answer goes back. */
  readonly repeat?: boolean;
  /** Awaited when the server has answered or was cut off, before anything of that is sent back or cut. */
  readonly after?: () => Promise<void>;
}

type Body = AsyncIterable<Buffer> | Iterable<Buffer>;

/** See the file's comment. */
export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: string;
  readonly #path: string;
  readonly #target: string;
  readonly #fault: Fault;
  readonly #kept: Buffer[] = [];
  /** Its client broke off before the end of the body. */
  #isTorn = false;

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

  /** Resolves when it is over. Rejects where the client's connection has to be broken. */
  async run(): Promise<void> {
    const { whole, before, cut, repeat, after } = this.#fault;
    const gone = before === undefined ? undefined : closed(this.#request.socket);
    if (whole === true) await this.#keep();
    if (gone !== undefined) await before?.(gone);
    if (cut === 'request') throw new Error('cut');
    let answer: IncomingMessage;
    try {
      answer = await this.#forward(this.#sentOn());
    } catch (error) {
      await after?.();
      throw error;
    }
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
    await pipeline(answer, this.#response);
  }

  async #keep(): Promise<void> {
    if (!hasBody(this.#request)) return;
    try {
      for await (const piece of this.#request as AsyncIterable<Buffer>) this.#kept.push(piece);
    } catch {
      this.#isTorn = true;
    }
  }

  /** The body, up to where it is cut. */
  async *#sentOn(): AsyncGenerator<Buffer> {
    const { whole, cut, repeat } = this.#fault;
    const hasAll = whole === true;
    const isShare = typeof cut === 'object' && 'share' in cut;
    assert.ok(hasAll || !isShare, 'a share of what?');
    let left = Number.POSITIVE_INFINITY;
    if (typeof cut === 'object') left = 'share' in cut ? Math.floor(lengthOf(this.#kept) * cut.share) : cut.afterBytes;
    if (left === 0) throw new Error('cut');
    // Without a body it is sent on also where its client is gone by now.
    if (!hasBody(this.#request)) return;
    for await (const piece of hasAll ? this.#kept : (this.#request as AsyncIterable<Buffer>)) {
      const part = piece.subarray(0, Math.min(piece.length, left));
      if (repeat === true && !hasAll) this.#kept.push(part);
      yield part;
      left -= part.length;
      if (left === 0) throw new Error('cut');
    }
    if (isShare || this.#isTorn) throw new Error('cut');
  }

  /** Resolves to the answer's head. Rejects where either side breaks off, and breaks off the other. */
  async #forward(body: Body): Promise<IncomingMessage> {
    const [hostname = '', port = ''] = this.#host.split(':');
    const { method = 'GET', headers, socket } = this.#request;
    const onward = httpRequest({ hostname, port, path: this.#path, method, headers: { ...headers, host: this.#host } });
    const broken = (): void => void onward.destroy(new Error('the client broke off'));
    if (this.#fault.whole !== true) socket.once('close', broken);
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

  async #send(onward: ClientRequest, body: Body): Promise<void> {
    const connected = whenConnected(onward);
    onward.flushHeaders();
    // So that they get there also where nothing follows.
    await connected;
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

/** Resolves when the connection is there, and what was flushed before is on its way. Rejects where it does not come. */
async function whenConnected(request: ClientRequest): Promise<void> {
  const [socket] = (await once(request, 'socket')) as [Socket];
  if (socket.connecting) await once(socket, 'connect');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
}

async function textOf(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
  assert.ok(answer.complete, 'the server broke off its answer');
  return Buffer.concat(pieces);
}
