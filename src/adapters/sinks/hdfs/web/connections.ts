/**
 * Connections to NameNodes, gateways and DataNodes: kept open between calls, and read to the last byte.
 *
 * HDFS may answer before it has seen the whole body (a quota is reached, the name is taken) and closes the connection
 * then. The next write fails, and Node would drop the connection with the answer unread in it. So a failed write is
 * reported a moment later: the answer comes first, where there is one.
 */
import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/** How long an answer may lag behind the failure of a write: it is in this machine already, or nearly. */
const answerLagMs = 2000;
/** Below the shortest time after which a NameNode closes an idle connection. */
const idleMs = 4000;
/** A NameNode answers in a few milliseconds: more at a time would only wait in its queue. */
const callsAtOnce = 32;

/** One set for each FileSystem. */
export class Connections {
  readonly #calls: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly #bodies: { readonly http: HttpAgent; readonly https: HttpsAgent };

  /** `ca`: certificates to believe beside Node's own list, PEM. */
  constructor(ca: string | undefined) {
    const trust = ca === undefined ? {} : { ca };
    const calls = { keepAlive: true, maxSockets: callsAtOnce, timeout: idleMs };
    this.#calls = { http: new HttpAgent(calls), https: new HttpsAgent({ ...calls, ...trust }) };
    // Own ones: a body keeps its connection for as long as its file is open, and no call is to wait for that. New ones:
    // a connection that was closed while it was idle would leave open what became of the file.
    this.#bodies = { http: new HttpAgent(), https: new HttpsAgent(trust) };
  }

  /** What `http.request` is to use for this URL. */
  agentFor(url: URL, use: 'call' | 'body'): Pick<RequestOptions, 'agent'> {
    const agents = use === 'call' ? this.#calls : this.#bodies;
    return { agent: url.protocol === 'https:' ? agents.https : agents.http };
  }

  /** Ends them all. Idempotent. */
  close(): void {
    for (const { http, https } of [this.#calls, this.#bodies]) {
      http.destroy();
      https.destroy();
    }
  }
}

type Written = (error?: Error | null) => void;

/** Makes `socket` report a failed write only when an answer has had its time. At most once a socket. */
export function readPastFailedWrites(socket: Duplex): void {
  if (patient.has(socket)) return;
  patient.add(socket);
  const late =
    (written: Written): Written =>
    (error) => {
      if (error === undefined || error === null) written();
      else setTimeout(written, answerLagMs, error).unref();
    };
  const { _write: write, _writev: writeMany } = socket;
  socket._write = (chunk: unknown, encoding, written) => write.call(socket, chunk, encoding, late(written));
  if (writeMany !== undefined) {
    socket._writev = (chunks, written) => writeMany.call(socket, chunks, late(written));
  }
}

const patient = new WeakSet<Duplex>();
