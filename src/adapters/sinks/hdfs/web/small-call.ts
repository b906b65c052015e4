/** One request without a body, and its answer, read up to a limit. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Connections } from './connections.ts';
import { HdfsError } from './hdfs-error.ts';
import { cureFor, type SmallAnswer } from './remote-exception.ts';

/** A file's status is a few hundred bytes; an exception with its stack a few thousand. */
const answerBytesMax = 256 * 1024;
/** A machine that is down answers nothing: where there are others, they are to be asked soon. */
const connectLimitMsMax = 10_000;

/** What a request is made with. */
export interface CallOptions {
  readonly method: string;
  readonly connections: Connections;
  readonly headers: Readonly<Record<string, string>>;
  /** For anything to move. */
  readonly timeoutMs: number;
}

/** For a connection to come about. */
export function connectLimitMs({ timeoutMs }: CallOptions): number {
  return Math.min(timeoutMs, connectLimitMsMax);
}

/** Either of node:http and node:https. */
export function startRequest(url: URL, use: 'call' | 'body', options: CallOptions): ClientRequest {
  const { method, headers, connections } = options;
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return start(url, { method, headers, ...connections.agentFor(url, use) });
}

/** Why a connection failed: `network`, or `nonsense` where it is not HTTP. What it was about is not said here. */
export function networkError(url: URL, cause: unknown, outcome: 'notDone' | 'unknown'): HdfsError {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const why = typeof code === 'string' ? code : String(message);
  if (why.startsWith('HPE_')) {
    const sentence = `${url.host} answers what is no HTTP (${why}): ${cureFor('nonsense')}`;
    return new HdfsError('nonsense', sentence, { outcome, cause });
  }
  return new HdfsError('network', `${url.host}: ${why}: ${cureFor('network')}`, { outcome, cause });
}

/** Nothing moved for so long. */
export function silenceError(url: URL, timeoutMs: number, outcome: 'notDone' | 'unknown'): HdfsError {
  return new HdfsError('network', `${url.host}: silent for ${timeoutMs} ms: ${cureFor('network')}`, { outcome });
}

/** Calls once the request has a connection that is ready for its first byte. */
export function whenConnected(request: ClientRequest, url: URL, call: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket || !socket.connecting) call();
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', call);
  });
}

/**
 * Resolves to whatever is answered. Rejects with an HdfsError: `network`, with `notDone` where no connection came about
 * and `unknown` after that, or `nonsense`.
 */
export async function smallCall(url: URL, options: CallOptions): Promise<SmallAnswer> {
  const request = startRequest(url, 'call', options);
  let outcome: 'notDone' | 'unknown' = 'notDone';
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<SmallAnswer>((resolve, reject) => {
      const expectWithin = (limitMs: number): void => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(silenceError(url, limitMs, outcome)), limitMs);
      };
      expectWithin(connectLimitMs(options));
      whenConnected(request, url, () => {
        outcome = 'unknown';
        expectWithin(options.timeoutMs);
      });
      request.on('error', (cause) => reject(networkError(url, cause, outcome)));
      request.on('response', (response) => {
        readAnswer(url, response, () => expectWithin(options.timeoutMs)).then(resolve, reject);
      });
      request.end();
    });
  } finally {
    clearTimeout(timer);
    // An answer that was read to its end has given its connection back: this does nothing to that.
    request.destroy();
  }
}

/** Reads a body that is expected to be small. `moved` is called with each piece. */
export async function readAnswer(url: URL, response: IncomingMessage, moved: () => void): Promise<SmallAnswer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      moved();
      bytes += piece.length;
      if (bytes > answerBytesMax) throw tooLong(url);
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof HdfsError ? error : networkError(url, error, 'unknown');
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, location: headers.location, text: Buffer.concat(pieces).toString() };
}

function tooLong(url: URL): HdfsError {
  const sentence = `${url.host} answers more than ${answerBytesMax} bytes: ${cureFor('nonsense')}`;
  return new HdfsError('nonsense', sentence, { outcome: 'unknown' });
}
