/** What the examples of docs/custom-parts.md speak to: a service with items, and one that takes events. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { tempDir } from '../support/temp-dir.ts';

type TestContext = Parameters<typeof tempDir>[0];

/** One line that a receiver got. */
interface Line {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A service for events, as the example's sink wants it: of an id that it has it keeps the first line. */
export interface Receiver {
  readonly url: string;
  /** By id, in the order in which they came first. */
  readonly lines: ReadonlyMap<string, Line>;
}

/** Slow enough to be stopped in the middle. */
const feedDelayMs = 10;

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Items 1 … `count`; every `failing`th answer is 503. Resolves to its URL. */
export async function serveFeed(t: TestContext, count: number, failing: number): Promise<string> {
  let answers = 0;
  const server = createServer(async (request, response) => {
    await setTimeout(feedDelayMs);
    const asked = new URL(request.url ?? '', 'http://feed');
    const first = Number(asked.searchParams.get('after')) + 1;
    const last = Math.min(count, first + Number(asked.searchParams.get('limit')) - 1);
    answers += 1;
    const items = [];
    for (let id = first; id <= last; id += 1) items.push({ id, text: textOf(id) });
    send(response, answers % failing === 0 ? 503 : 200, JSON.stringify(items));
  });
  return `${await listen(t, server)}/feed`;
}

/** Each tenth has a number to be masked. */
export function textOf(id: number): string {
  return id % 10 === 0 ? `payment ${id} with 4000123412341234, é` : `visit ${id}`;
}

/** Of every `failing`th request it keeps the lines, and answers 503 all the same. */
export async function receiveEvents(t: TestContext, failing: number): Promise<Receiver> {
  const lines = new Map<string, Line>();
  let requests = 0;
  const server = createServer(async (request, response) => {
    let text = '';
    request.setEncoding('utf8');
    for await (const chunk of request) text += chunk;
    for (const line of text.split('\n').slice(0, -1)) {
      const parsed = JSON.parse(line) as Line;
      if (!lines.has(parsed.id)) lines.set(parsed.id, parsed);
    }
    requests += 1;
    send(response, requests % failing === 0 ? 503 : 200, '');
  });
  return { url: `${await listen(t, server)}/events`, lines };
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}
