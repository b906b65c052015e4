/** What a first look at HDFS says: where it is, who we are there, and what we may. */
import { type DetailedStatus, homeIn } from './answers.ts';
import { HdfsError } from './hdfs-error.ts';
import type { NameNodes } from './name-nodes.ts';

/** For `config check --connect`. */
export interface WebIntroduction {
  /** `http://nn1:9870`. */
  readonly address: string;
  /** Where the user whom HDFS takes us for is at home: `/user/alice`. */
  readonly home: string;
  /** The path, or the first above it that is there. */
  readonly found: { readonly path: string } & DetailedStatus;
  /** Why that user may not make files there; `unknown` where HDFS cannot be asked that. Undefined: may. */
  readonly refusal: HdfsError | 'unknown' | undefined;
}

/** Asks. `status` as GETFILESTATUS. @throws {HdfsError} */
export async function introduction(
  nameNodes: NameNodes,
  status: (path: string) => Promise<DetailedStatus | undefined>,
  path: string,
): Promise<WebIntroduction> {
  const look = { method: 'GET', canRepeat: true, expects: [200] } as const;
  const { answer, url } = await nameNodes.call({ ...look, path: '/', parameters: { op: 'GETHOMEDIRECTORY' } });
  const home = homeIn(answer, url.host);
  let at = path;
  let found = await status(at);
  while (found === undefined && at !== '/') {
    at = at.slice(0, at.lastIndexOf('/')) || '/';
    found = await status(at);
  }
  if (found === undefined) throw new HdfsError('missing', 'not even / is there');
  const parameters = { op: 'CHECKACCESS', fsaction: '-wx' };
  const refusal = await nameNodes.call({ ...look, path: at, parameters }).then(() => undefined, refusalOf);
  return { address: nameNodes.address, home, found: { path: at, ...found }, refusal };
}

function refusalOf(error: unknown): HdfsError | 'unknown' {
  if (!(error instanceof HdfsError)) throw error;
  if (error.kind === 'access') return error;
  if (error.kind === 'invalid' || error.kind === 'unsupported') return 'unknown';
  throw error;
}
