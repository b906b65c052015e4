/** Talking to an agent's netcat sources. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

const retryMs = 100;
/** An agent may still be starting. */
const tries = 300;
/** Without an answer for so long there is none. */
const quietMs = 500;

/** So many ports of this machine that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Sends the text once the agent listens. @returns what it answers, and whether it has closed the connection. */
export async function talk(port: number, text: string): Promise<string> {
  for (let left = tries; ; left -= 1) {
    try {
      return await talkOnce(port, text);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

async function talkOnce(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    let answer = '';
    let heardMs = performance.now();
    let isClosed = false;
    socket.on('data', (bytes) => {
      answer += bytes.toString();
      heardMs = performance.now();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
    });
    socket.write(text);
    while (!isClosed && performance.now() - heardMs < quietMs) await new Promise((resolve) => setTimeout(resolve, 20));
    return `${answer}${isClosed ? '(closed)' : ''}`;
  } finally {
    socket.destroy();
  }
}
