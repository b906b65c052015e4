/**
 * The source that takes datagrams, the first line of each an event. Flume: NetcatUdpSource.
 *
 * Nobody can be made to wait here: while the channel has no room datagrams gather up to a limit, and what comes beyond
 * it is dropped, counted as ChannelWriteFail and said in the log.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Source, SourceContext, SourceDefinition } from '../../../agent/contracts/components.ts';
import { integer, type Key, required, text, unset, type ValuesOf } from '../../../agent/contracts/keys.ts';
import type { Event } from '../../../engine.ts';
import { javaAddress } from './java-address.ts';
import { offer } from './offer.ts';

interface NetcatUdpKeys extends Record<string, Key<unknown>> {
  readonly bind: Key<string | undefined>;
  readonly port: Key<number>;
  readonly remoteAddressHeader: Key<string | undefined>;
}

/** `type = netcatudp`. */
export const netcatUdpSource: SourceDefinition<NetcatUdpKeys> = {
  types: ['netcatudp', 'org.apache.flume.source.NetcatUdpSource'],
  keys: {
    bind: unset(text, { does: 'the address or host name that is listened on; every one where it is not set' }),
    port: required(integer(0, 65_535), { does: 'the port that is listened on; 0: any that is free, named in the log' }),
    remoteAddressHeader: unset(text, {
      does: 'the header that gets the address and port of the sender, as /10.0.0.7:5678',
      standing: {
        differs: 'without it there is no such header; in Flume its name is null, which breaks file channels',
      },
    }),
  },
  create: (values, context) => new NetcatUdpSource(values, context),
};

/** Within what every channel takes in one transaction. */
const batchEvents = 100;
/** A second or so of a busy sender, in a memory that can be spared. */
const waitingEventsMax = 10_000;
const waitingBytesMax = 16 * 2 ** 20;
/** Asked of the system, which may give less. */
const receiveBufferBytes = 4 * 2 ** 20;
const lineFeed = 0x0a;

class NetcatUdpSource implements Source {
  readonly #values: ValuesOf<NetcatUdpKeys>;
  readonly #context: SourceContext;
  #running: { readonly socket: Socket; readonly stopping: AbortController } | undefined;
  #waiting: Event[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #work: Promise<void> | undefined;

  constructor(values: ValuesOf<NetcatUdpKeys>, context: SourceContext) {
    this.#values = values;
    this.#context = context;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const stopping = new AbortController();
    const socket = await openSocket(this.#values.bind, this.#values.port);
    this.#running = { socket, stopping };
    socket.on('message', (message, from) => this.#received(message, from, stopping.signal));
    socket.on('error', (error) => this.#context.log.error('a datagram could not be received', { error }));
    const { address, port } = socket.address();
    this.#context.log.info(`listens on ${address} port ${port} (UDP)`, { address, port });
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    await new Promise<void>((resolve) => running.socket.close(() => resolve()));
    running.stopping.abort();
    await this.#work;
  }

  #received(message: Buffer, from: RemoteInfo, stopping: AbortSignal): void {
    const end = message.indexOf(lineFeed);
    const body = end < 0 ? message : message.subarray(0, end);
    if (this.#waiting.length >= waitingEventsMax || this.#waitingBytes + body.length > waitingBytesMax) {
      this.#context.count('EventReceivedCount');
      this.#context.count('ChannelWriteFail');
      this.#dropped += 1;
      return;
    }
    const header = this.#values.remoteAddressHeader;
    const headers = header === undefined ? {} : { [header]: javaAddress(from.address, from.port) };
    this.#waiting.push({ headers, body });
    this.#waitingBytes += body.length;
    this.#work ??= this.#drain(stopping);
  }

  async #drain(stopping: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      const events = this.#waiting.splice(0, batchEvents);
      const outcomes = await offer(events, this.#context, stopping);
      for (const { body } of events) this.#waitingBytes -= body.length;
      this.#dropped += outcomes.filter((problem) => problem !== undefined).length;
      if (this.#dropped > 0) this.#sayDropped();
    }
    this.#work = undefined;
  }

  #sayDropped(): void {
    this.#context.log.warn('datagrams were dropped: the channel did not take them', { events: this.#dropped });
    this.#dropped = 0;
  }
}

/** Without an address: all of them, of both families where the system has both. */
async function openSocket(host: string | undefined, port: number): Promise<Socket> {
  try {
    if (host !== undefined) {
      const { address, family } = await lookup(host);
      return await bound(family === 6 ? 'udp6' : 'udp4', address, port);
    }
    return await bound('udp6', undefined, port).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EAFNOSUPPORT') throw error;
      return bound('udp4', undefined, port);
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new Error(`bind ${host ?? '(all)'}, port ${port}: cannot be listened on (${code})`, { cause });
  }
}

function bound(type: 'udp4' | 'udp6', address: string | undefined, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
    const failed = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', failed);
    socket.bind({ port, ...(address !== undefined && { address }) }, () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
