/**
 * Calls to whichever of the NameNodes is the active one. Calls that a repetition cannot harm are repeated; of the
 * others only what surely was not done is.
 */
import type { Connections } from './connections.ts';
import { HdfsError, type HdfsErrorKind } from './hdfs-error.ts';
import { operationUrl, type Parameters } from './operation-url.ts';
import { errorOf, type SmallAnswer } from './remote-exception.ts';
import { smallCall } from './small-call.ts';
import type { WebOptions, WebTarget } from './web-target.ts';

/** A fail-over takes seconds; what takes longer is the sink's to wait for. */
const rounds = 4;
const pauseMsFirst = 250;

/** Errors of one address that another one may not have, by how much they say about HDFS. */
const elsewhere: Partial<Record<HdfsErrorKind, number>> = { network: 1, nonsense: 2, standby: 3, retriable: 4 };

/** One call. */
export interface Operation {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly parameters: Parameters;
  /** Whether it may be done twice. */
  readonly canRepeat: boolean;
  /** Statuses that are no error. */
  readonly expects: readonly number[];
}

/** An answer, and who gave it: `nn1:9870`. */
export interface Answered {
  readonly answer: SmallAnswer;
  readonly url: URL;
}

/** The NameNodes, or the gateway, of one HDFS. */
export class NameNodes {
  readonly #target: WebTarget;
  readonly #options: WebOptions;
  readonly #connections: Connections;
  /** The one that answered last, or is tried next. */
  #current = 0;
  #said: string | undefined;

  constructor(target: WebTarget, options: WebOptions, connections: Connections) {
    this.#target = target;
    this.#options = options;
    this.#connections = connections;
  }

  /** `http://nn1:9870`: where a call would go now. */
  get address(): string {
    return this.#target.addresses[this.#current] ?? this.#target.addresses[0];
  }

  /** With what says who we are. */
  urlFor(address: string, path: string, parameters: Parameters): URL {
    return operationUrl(address, path, { ...parameters, ...this.#identity() });
  }

  /** For requests to these addresses only. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    const { credentials, addresses } = this.#target;
    if (credentials === undefined || !addresses.some((address) => new URL(address).origin === url.origin)) return {};
    const text = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    return { authorization: `Basic ${text}` };
  }

  /** Resolves to an answer that is expected. Rejects with an HdfsError. */
  async call(operation: Operation): Promise<Answered> {
    const count = this.#target.addresses.length;
    const startMs = performance.now();
    let last: HdfsError | undefined;
    for (let round = 0; round < (count === 1 ? 1 : rounds); round += 1) {
      // Where all of them are silent, one round took long enough.
      if (performance.now() - startMs > this.#options.callTimeoutMs) break;
      if (round > 0) await pause(pauseMsFirst * 2 ** (round - 1));
      for (let tries = 0; tries < Math.max(count, 2); tries += 1) {
        try {
          return await this.#callCurrent(operation);
        } catch (error) {
          if (!(error instanceof HdfsError)) throw error;
          if (!this.#goesOn(error, operation)) throw error;
          // What a NameNode says weighs more than that another one is the standby, is none, or is down.
          if (last === undefined || weightOf(error) >= weightOf(last)) last = error;
        }
      }
    }
    if (last === undefined) throw new Error('no address was tried');
    throw count === 1 ? last : amongAll(last, this.#target.addresses);
  }

  async #callCurrent(operation: Operation): Promise<Answered> {
    const { address } = this;
    const url = this.urlFor(address, operation.path, operation.parameters);
    const answer = await smallCall(url, {
      method: operation.method,
      connections: this.#connections,
      headers: this.headersFor(url),
      timeoutMs: this.#options.callTimeoutMs,
    });
    if (!operation.expects.includes(answer.status)) throw errorOf(answer, url.host);
    this.#sayActive(address);
    return { answer, url };
  }

  /** Whether the call is to be made again, after having turned to the next address where that makes sense. */
  #goesOn(error: HdfsError, { canRepeat }: Operation): boolean {
    const isSafe = canRepeat || error.outcome === 'notDone';
    const hasOthers = this.#target.addresses.length > 1;
    const isElsewhere = error.kind in elsewhere;
    if (isElsewhere && hasOthers) this.#current = (this.#current + 1) % this.#target.addresses.length;
    if (error.kind === 'network') return isSafe && (hasOthers || isReset(error));
    return isElsewhere && isSafe && hasOthers;
  }

  #identity(): Parameters {
    const { user, proxyUser, delegationToken } = this.#options;
    const delegation = delegationToken?.();
    // A token says by itself who we are, and for whom.
    if (delegation !== undefined) return { delegation };
    // Who logs in by password is known by that.
    return { 'user.name': this.#target.credentials === undefined ? user : undefined, doas: proxyUser };
  }

  #sayActive(address: string): void {
    if (address === this.#said) return;
    this.#said = address;
    this.#options.onActive?.(address);
  }
}

/** The same, with all addresses that were tried. */
function amongAll(
  { kind, message, outcome, exception, status, cause }: HdfsError,
  addresses: readonly string[],
): HdfsError {
  return new HdfsError(kind, `${message} (tried: ${addresses.join(', ')})`, {
    outcome,
    cause,
    ...(exception !== undefined && { exception }),
    ...(status !== undefined && { status }),
  });
}

/** A connection that was closed while it was idle: the next one is new. */
function isReset({ cause }: HdfsError): boolean {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function weightOf({ kind }: HdfsError): number {
  return elsewhere[kind] ?? 0;
}

async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}
