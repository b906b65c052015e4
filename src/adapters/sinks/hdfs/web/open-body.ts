/** How a body gets to HDFS: asked for in one step, sent in another, to wherever the answer to the first one leads. */
import { lookup } from 'node:dns/promises';
import { BodyRequest } from './body-request.ts';
import type { Connections } from './connections.ts';
import { HdfsError } from './hdfs-error.ts';
import type { NameNodes } from './name-nodes.ts';
import type { Parameters } from './operation-url.ts';
import { dataNodeError, isOwnGateway, redirectIn } from './redirect.ts';
import type { WebOptions } from './web-target.ts';

/** The NameNode leads to a DataNode that is down until it has noticed; each one met is named to it and left out. */
const dataNodesTried = 4;

/** CREATE or APPEND. */
export interface BodyOperation {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly parameters: Parameters;
}

/** A request that is open for its body. */
export interface OpenBody {
  readonly request: BodyRequest;
  readonly url: URL;
  /** A DataNode acts on the headers alone; a gateway waits for the first of the body. */
  readonly isDataNode: boolean;
}

/** Opens bodies, and learns whether they go through a gateway. */
export class BodyOpener {
  readonly #nameNodes: NameNodes;
  readonly #options: WebOptions;
  readonly #connections: Connections;
  /** It redirects to itself: the first step can be left out. */
  #isGateway = false;

  constructor(nameNodes: NameNodes, options: WebOptions, connections: Connections) {
    this.#nameNodes = nameNodes;
    this.#options = options;
    this.#connections = connections;
  }

  /** Rejects with an HdfsError. Nothing was written then. */
  async open(operation: BodyOperation): Promise<OpenBody> {
    if (this.#isGateway) {
      const url = this.#nameNodes.urlFor(this.#nameNodes.address, operation.path, {
        ...operation.parameters,
        data: true,
      });
      return await this.#send(operation, url);
    }
    const down = new Set<string>();
    for (let tries = 1; ; tries += 1) {
      const location = await this.#ask(operation, down);
      try {
        return await this.#send(operation, location);
      } catch (error) {
        if (!(error instanceof HdfsError) || error.kind !== 'network') throw error;
        const known = dataNodeError(error, location);
        if (known !== error || tries === dataNodesTried) throw known;
        for (const name of await namesOf(location.hostname)) down.add(name);
      }
    }
  }

  /**
   * Where HDFS would have a new file's bytes sent now; undefined: to the gateway itself. Nothing is made by asking.
   * Rejects with an HdfsError.
   */
  async destination(path: string): Promise<URL | undefined> {
    const operation = { method: 'PUT', path, parameters: { op: 'CREATE', overwrite: false } } as const;
    const location = await this.#ask(operation, new Set());
    return this.#isGateway ? undefined : location;
  }

  async #ask({ method, path, parameters }: BodyOperation, down: ReadonlySet<string>): Promise<URL> {
    const excludedatanodes = down.size === 0 ? undefined : [...down].join(',');
    // Without a body it only asks where to: it changes nothing.
    const { answer, url } = await this.#nameNodes.call({
      method,
      path,
      parameters: { ...parameters, excludedatanodes },
      canRepeat: true,
      expects: [307],
    });
    const location = redirectIn(answer, url, this.#options.datanodeHostMap);
    if (!isOwnGateway(location, url)) return location;
    this.#isGateway = true;
    // Its address as we know it: behind a load balancer it knows another.
    return new URL(`${url.origin}${location.pathname}${location.search}`);
  }

  async #send({ method }: BodyOperation, url: URL): Promise<OpenBody> {
    const request = await BodyRequest.open(url, {
      method,
      connections: this.#connections,
      // HttpFS takes no other.
      headers: { ...this.#nameNodes.headersFor(url), 'content-type': 'application/octet-stream' },
      timeoutMs: this.#options.callTimeoutMs,
    });
    // Only a DataNode has to be told whose it is.
    return { request, url, isDataNode: url.searchParams.has('namenoderpcaddress') };
  }
}

/** The NameNode takes a DataNode's address only, and redirects name its host. */
async function namesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return [host, ...found.map(({ address }) => address)];
}
