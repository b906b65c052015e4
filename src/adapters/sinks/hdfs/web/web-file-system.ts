/**
 * HDFS by WebHDFS, HttpFS or Knox. What it promises is what they do: a file that was ended is in the memory of its
 * DataNodes, or on their disks; nothing of it can be read before; and a request whose answer was lost may have been
 * done, or may be done later. Such errors say `unknown`, and are for `status` to decide.
 */
import type { FileStatus, FileStream, FileSystem } from '../file-system.ts';
import { ActiveProof } from './active-proof.ts';
import { booleanIn, type DetailedStatus, leastReplicasIn, statusIn } from './answers.ts';
import { Connections } from './connections.ts';
import { HdfsError, type HdfsErrorKind, whileTrying } from './hdfs-error.ts';
import { introduction, type WebIntroduction } from './introduction.ts';
import { NameNodes, type Operation } from './name-nodes.ts';
import { BodyOpener, type OpenBody } from './open-body.ts';
import { modeFor, type Parameters } from './operation-url.ts';
import { reach } from './reach.ts';
import { errorOf, type SmallAnswer } from './remote-exception.ts';
import { WebFileStream } from './web-file-stream.ts';
import type { WebOptions, WebTarget } from './web-target.ts';

/**
 * Whoever holds a request back gives up within minutes: gateways and DataNodes by their own time limits, a NameNode
 * that was paused because another one took over.
 */
const lateMs = 10 * 60_000;
/** A file shows within a few milliseconds where HDFS lets it be made; what takes longer is told by a later call. */
const seenPausesMs = [2, 5, 10, 20, 40, 80, 160, 320, 640];

/** A FileSystem, and what is known of HDFS only. All errors are HdfsErrors. */
export interface WebFileSystem extends FileSystem {
  introduce(path: string): Promise<WebIntroduction>;
  /**
   * Resolves to the DataNode, `dn1:9864`, that a new file's bytes would be sent to, once it was connected to; to
   * undefined where a gateway takes them. Makes nothing.
   */
  reachDataNode(path: string): Promise<string | undefined>;
  /**
   * How many DataNodes are known to have the block that fewest have; a file without blocks lacks none. `invalid` or
   * `unsupported` where HDFS cannot be asked: Hadoop 2.
   */
  leastReplicas(path: string): Promise<number>;
  /**
   * Resolves when the NameNode that answers `status` has proved that it is the active one. One that was paused while
   * another took over goes on answering from what it knew, until it has something to write. So an empty directory is
   * made and removed in `directory`, which is to be there: the replaced one ends over that, and this rejects.
   */
  proveActive(directory: string): Promise<void>;
}

/** Connects when it is first used. */
export function webFileSystem(target: WebTarget, options: WebOptions): WebFileSystem {
  return new WebHdfs(target, options);
}

class WebHdfs implements WebFileSystem {
  readonly prefix: string;
  readonly lateMs = lateMs;
  readonly #target: WebTarget;
  readonly #connections: Connections;
  readonly #nameNodes: NameNodes;
  readonly #bodies: BodyOpener;
  readonly #proof: ActiveProof;
  readonly #callTimeoutMs: number;

  constructor(target: WebTarget, options: WebOptions) {
    this.prefix = target.prefix;
    this.#target = target;
    this.#connections = new Connections(options.ca);
    this.#nameNodes = new NameNodes(target, options, this.#connections);
    this.#bodies = new BodyOpener(this.#nameNodes, options, this.#connections);
    this.#proof = new ActiveProof({
      make: (path) => this.makeDirectories(path),
      remove: (path) => this.#change('DELETE', path, { op: 'DELETE', recursive: false }),
    });
    this.#callTimeoutMs = options.callTimeoutMs;
  }

  /**
   * HDFS says of an open file only that it is there. So the name is looked for first, and the file then, in its own
   * request's shadow: what HDFS refuses is refused here, as a rule. A refusal that comes later is told by the stream,
   * as is a name that another program took within that moment (`exists`): that file is not of this stream. Through a
   * gateway all refusals are told by the stream.
   */
  async create(path: string): Promise<FileStream | undefined> {
    return await orSay(`create ${path}`, async () => {
      if ((await this.#status(path)) !== undefined) return undefined;
      const { umask, replication, blockSizeBytes } = this.#target.defaults;
      const made = { permission: modeFor('file', umask), replication, blocksize: blockSizeBytes };
      const parameters = { op: 'CREATE', overwrite: false, ...made };
      const open = await this.#bodies.open({ method: 'PUT', path, parameters });
      try {
        const answer = open.isDataNode ? await this.#answerUnlessSeen(open, path) : undefined;
        if (answer !== undefined) throw errorOf(answer, open.url.host);
        return stream(open, path, [200, 201]);
      } catch (error) {
        await open.request.abort();
        if (isKind(error, 'exists')) return undefined;
        throw error;
      }
    });
  }

  /** What HDFS refuses is told by the stream: `lease` where another one still writes. */
  async append(path: string): Promise<FileStream> {
    return await orSay(`go on with ${path}`, async () =>
      stream(await this.#bodies.open({ method: 'POST', path, parameters: { op: 'APPEND' } }), path, [200]),
    );
  }

  /** False also while the file's last writer is being given up. */
  async truncate(path: string, lengthBytes: number): Promise<boolean> {
    return await orSay(`cut to ${lengthBytes} bytes ${path}`, async () => {
      try {
        return await this.#change('POST', path, { op: 'TRUNCATE', newlength: lengthBytes });
      } catch (error) {
        if (isKind(error, 'lease')) return false;
        throw error;
      }
    });
  }

  /** A gateway may put the file into `to` where that is a directory: look first. */
  async rename(from: string, to: string): Promise<void> {
    await orSay(`rename ${from} to ${to}`, async () => {
      // The NameNode then says what is wrong, and leaves directories alone. HttpFS takes no notice of it.
      const parameters = { op: 'RENAME', destination: to, renameoptions: 'NONE' };
      const { answer, url } = await this.#nameNodes.call({ ...change, method: 'PUT', path: from, parameters });
      // By this option the NameNode answers nothing but its status.
      if (answer.text === '' || booleanIn(answer, url.host)) return;
      const sentence = `${url.host} answers false: it is not there, the new name is taken or has no directory`;
      throw new HdfsError('refused', sentence, { status: answer.status });
    });
  }

  async status(path: string): Promise<FileStatus | undefined> {
    return await orSay(`look at ${path}`, async () => {
      const found = await this.#status(path);
      return found && { fileId: found.fileId, kind: found.kind, lengthBytes: found.lengthBytes };
    });
  }

  async delete(path: string): Promise<boolean> {
    return await orSay(`delete ${path}`, async () => {
      const found = await this.#status(path);
      if (found?.kind === 'directory') throw new HdfsError('refused', 'it is a directory: move it away');
      // Also where nothing was found: what was still on its way to HDFS is met by this.
      return await this.#change('DELETE', path, { op: 'DELETE', recursive: false });
    });
  }

  async makeDirectories(path: string): Promise<void> {
    await orSay(`make the directory ${path}`, async () => {
      const permission = modeFor('directory', this.#target.defaults.umask);
      const parameters = { op: 'MKDIRS', permission };
      const { answer, url } = await this.#nameNodes.call({
        ...change,
        method: 'PUT',
        path,
        parameters,
        canRepeat: true,
      });
      if (!booleanIn(answer, url.host)) throw new HdfsError('refused', `${url.host} answers false`);
    });
  }

  async introduce(path: string): Promise<WebIntroduction> {
    return await orSay(`look at ${path}`, () => introduction(this.#nameNodes, (at) => this.#status(at), path));
  }

  async reachDataNode(path: string): Promise<string | undefined> {
    return await orSay(`send data for ${path}`, async () => {
      const location = await this.#bodies.destination(path);
      if (location !== undefined) await reach(location, this.#callTimeoutMs);
      return location?.host;
    });
  }

  async leastReplicas(path: string): Promise<number> {
    return await orSay(`look for the blocks of ${path}`, async () => {
      const parameters = { op: 'GETFILEBLOCKLOCATIONS' };
      const { answer, url } = await this.#nameNodes.call({ ...look, path, parameters });
      return leastReplicasIn(answer, url.host);
    });
  }

  async proveActive(directory: string): Promise<void> {
    await orSay(`look who is active in ${directory}`, () => this.#proof.prove(directory));
  }

  async close(): Promise<void> {
    this.#connections.close();
  }

  async #status(path: string): Promise<DetailedStatus | undefined> {
    try {
      const { answer, url } = await this.#nameNodes.call({ ...look, path, parameters: { op: 'GETFILESTATUS' } });
      return statusIn(answer, url.host);
    } catch (error) {
      // Nothing can stand behind a file.
      if (isKind(error, 'missing') || isKind(error, 'notDirectory')) return undefined;
      throw error;
    }
  }

  /** The answer to a body that has only begun; undefined when the file is there, or not worth waiting for. */
  async #answerUnlessSeen({ request }: OpenBody, path: string): Promise<SmallAnswer | undefined> {
    let isOver = false;
    const seen = async (): Promise<void> => {
      for (const pauseMs of seenPausesMs) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        // Something in it: another's, and the refusal is on its way.
        if (isOver || (await this.#status(path))?.lengthBytes === 0) return;
      }
    };
    try {
      // Why it cannot be seen, the body's own request will meet too.
      return await request.answeredBefore(seen().catch(() => undefined));
    } finally {
      isOver = true;
    }
  }

  async #change(method: 'POST' | 'DELETE', path: string, parameters: Parameters): Promise<boolean> {
    const { answer, url } = await this.#nameNodes.call({ ...change, method, path, parameters });
    return booleanIn(answer, url.host);
  }
}

const look: Pick<Operation, 'method' | 'canRepeat' | 'expects'> = { method: 'GET', canRepeat: true, expects: [200] };
const change: Pick<Operation, 'canRepeat' | 'expects'> = { canRepeat: false, expects: [200] };

function stream({ request, url }: OpenBody, path: string, expects: readonly number[]): FileStream {
  return new WebFileStream(request, { path, host: url.host, expects });
}

function isKind(error: unknown, kind: HdfsErrorKind): error is HdfsError {
  return error instanceof HdfsError && error.kind === kind;
}

async function orSay<Answer>(action: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof HdfsError ? whileTrying(action, error) : error;
  }
}
