/** Whether a DataNode can be connected to from here: the NameNode names it, and may know another network. */
import { connect } from 'node:net';
import { dataNodeError } from './redirect.ts';
import { networkError, silenceError } from './small-call.ts';

const securePort = 443;
const plainPort = 80;
const limitMsMax = 10_000;

/** Resolves once a connection was there; it is closed again. Rejects with an HdfsError, as a body for it would. */
export async function reach(url: URL, timeoutMs: number): Promise<void> {
  const port = url.port === '' ? (url.protocol === 'https:' ? securePort : plainPort) : Number(url.port);
  const limitMs = Math.min(timeoutMs, limitMsMax);
  await new Promise<void>((resolve, reject) => {
    // An IPv6 address stands in brackets there.
    const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, timeout: limitMs });
    socket.once('connect', () => resolve());
    socket.once('timeout', () => reject(silenceError(url, limitMs, 'notDone')));
    socket.once('error', (cause) => reject(dataNodeError(networkError(url, cause, 'notDone'), url)));
    socket.once('connect', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
  });
}
