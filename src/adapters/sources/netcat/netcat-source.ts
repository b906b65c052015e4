/** The source that takes lines of text over TCP, each an event. Flume: NetcatSource. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Source, SourceContext, SourceDefinition } from '../../../agent/contracts/components.ts';
import { type Charset, charset, findCharset } from '../../../agent/contracts/java/charset.ts';
import { boolean, integer, type Key, optional, required, text, type ValuesOf } from '../../../agent/contracts/keys.ts';
import { Connection, type ConnectionParts } from './connection.ts';

interface NetcatKeys extends Record<string, Key<unknown>> {
  readonly bind: Key<string>;
  readonly port: Key<number>;
  readonly 'max-line-length': Key<number>;
  readonly 'ack-every-event': Key<boolean>;
  readonly encoding: Key<Charset>;
}

const utf8 = findCharset('UTF-8') as Charset;

/** `type = netcat`. */
export const netcatSource: SourceDefinition<NetcatKeys> = {
  types: ['netcat', 'org.apache.flume.source.NetcatSource'],
  keys: {
    bind: required(text, { does: 'the address or host name that is listened on' }),
    port: required(integer(0, 65_535), { does: 'the port that is listened on; 0: any that is free, named in the log' }),
    'max-line-length': optional(integer(1, 2 ** 29), 512, {
      unit: 'characters',
      does: 'how long a line may be, with its line feed; a longer one gets FAILED, and its connection is closed',
    }),
    'ack-every-event': optional(boolean, true, {
      does: 'whether each event is answered with OK once it is in the channel',
      standing: {
        differs:
          'while the channel is full the client is held up, in Flume it gets FAILED; with false, a last line without ' +
          'line feed is an event, in Flume it is dropped: with true it is dropped here as well, and gets no answer',
      },
    }),
    encoding: optional(charset, utf8, {
      does: 'what the bytes of both directions are in; bodies are in UTF-8',
      standing: { differs: 'with UTF-8 bytes that are none stay as they are, in Flume they become U+FFFD' },
    }),
  },
  create: (values, context) => new NetcatSource(values, context),
};

class NetcatSource implements Source {
  readonly #values: ValuesOf<NetcatKeys>;
  readonly #context: SourceContext;
  readonly #connections: Set<Connection> = new Set();
  #running: { readonly server: Server; readonly stopping: AbortController } | undefined;

  constructor(values: ValuesOf<NetcatKeys>, context: SourceContext) {
    this.#values = values;
    this.#context = context;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const stopping = new AbortController();
    const parts: ConnectionParts = {
      context: this.#context,
      encoding: this.#values.encoding,
      lineCharsMax: this.#values['max-line-length'],
      acknowledges: this.#values['ack-every-event'],
      stopping: stopping.signal,
    };
    // Half open: a client may end its side and still wait for its answers.
    const options = { allowHalfOpen: true, noDelay: true };
    const server = createServer(options, (socket) => this.#connected(socket, parts));
    await listen(server, this.#values.bind, this.#values.port);
    server.on('error', (error) => this.#context.log.error('a connection could not be accepted', { error }));
    this.#running = { server, stopping };
    const { address, port } = server.address() as AddressInfo;
    this.#context.log.info(`listens on ${address} port ${port}`, { address, port });
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const closed = new Promise<void>((resolve) => running.server.close(() => resolve()));
    running.stopping.abort();
    await Promise.all([...this.#connections].map((connection) => connection.stop()));
    await closed;
  }

  #connected(socket: Socket, parts: ConnectionParts): void {
    const connection = new Connection(socket, parts);
    this.#connections.add(connection);
    this.#context.count('OpenConnectionCount', 1);
    connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#context.count('OpenConnectionCount', -1);
    });
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      reject(new Error(`bind ${host}, port ${port}: cannot be listened on (${cause.code})`, { cause }));
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
