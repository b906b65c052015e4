/** Where the NameNode sends a body: checked, since it is followed with what we write. */
import { HdfsError } from './hdfs-error.ts';
import { nonsenseError, quoted, type SmallAnswer } from './remote-exception.ts';

/** The `Location` of an answer that is a redirect of `from`. `hostMap` as `hdfs.datanodeHostMap`. */
export function redirectIn(answer: SmallAnswer, from: URL, hostMap: ReadonlyMap<string, string> = new Map()): URL {
  const { location, status } = answer;
  if (location === undefined) throw nonsenseError(`answers ${status} and does not say where to`, from.host, status);
  const url = URL.canParse(location) ? new URL(location) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isHttp || url.username !== '' || url.password !== '') {
    throw nonsenseError(`redirects to '${quoted(location)}', which is no such address`, from.host, status);
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw nonsenseError(
      `redirects from https to '${quoted(url.origin)}': bodies would go unprotected`,
      from.host,
      status,
    );
  }
  const mapped = hostMap.get(url.host) ?? hostMap.get(url.hostname);
  if (mapped === undefined) return url;
  // A new host may come with a new port.
  const [host = '', port] = /:\d+$/.test(mapped) ? splitPort(mapped) : [mapped, undefined];
  url.hostname = host;
  if (port !== undefined) url.port = port;
  return url;
}

/**
 * Whether a gateway redirects to itself, as HttpFS does: then the next body may go there at once, with `data=true`. Its
 * own name for itself need not be ours.
 */
export function isOwnGateway(location: URL, from: URL): boolean {
  return location.searchParams.get('data') === 'true' && location.pathname === from.pathname;
}

/** The same failure, told apart where it is only that the DataNode's name is unknown here. */
export function dataNodeError(error: HdfsError, location: URL): HdfsError {
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  if (code !== 'ENOTFOUND' && code !== 'EAI_AGAIN' && code !== 'EAI_NODATA') return error;
  const sentence =
    `HDFS sends the data to '${location.hostname}', a name that is not known here (${code}): ` +
    'set hdfs.datanodeHostMap, make the name known, or write through HttpFS, which avoids it';
  return new HdfsError('unresolvableDataNode', sentence, { cause: error.cause });
}

function splitPort(text: string): [string, string] {
  const at = text.lastIndexOf(':');
  return [text.slice(0, at), text.slice(at + 1)];
}
