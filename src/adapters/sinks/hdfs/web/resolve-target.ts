/** `hdfs.path`, what stands before its path: which HDFS that is, and the web addresses of its NameNodes. */
import type { HadoopConfiguration } from './hadoop-configuration.ts';
import type { FileDefaults, WebTarget } from './web-target.ts';

/** Where a URI leads. `path` is as it was written, escapes and all. */
export type ResolvedTarget =
  | { readonly kind: 'web'; readonly target: WebTarget; readonly path: string }
  | { readonly kind: 'local'; readonly path: string }
  /** A sentence. */
  | { readonly problem: string };

interface Address {
  readonly scheme: string;
  /** `host` or `host:port`, or the name of a name service. */
  readonly authority: string;
  readonly credentials: WebTarget['credentials'];
  readonly path: string;
}

const uri = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/]*))?(.*)$/s;
/** Host names, IPv4, IPv6 in brackets; a name service may have `_`. */
const authorityShape = /^(?:[\w.-]+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?$/;
/** Of Hadoop 3, and of Hadoop 2. */
const webPorts = { http: [9870, 50070], https: [9871, 50470] } as const;
const gatewayPort = 8443;
const umaskPreset = 0o022;

/**
 * @param text a URI, or a path, which `fs.defaultFS` says where to look for; without a configuration it is local.
 */
export function resolveTarget(text: string, configuration: HadoopConfiguration | undefined): ResolvedTarget {
  try {
    return resolve(text, configuration);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function resolve(text: string, configuration: HadoopConfiguration | undefined): ResolvedTarget {
  if (!uri.test(text)) {
    const preset = configuration?.get('fs.defaultFS');
    if (preset === undefined || /^file:/i.test(preset)) return { kind: 'local', path: text };
    if (!text.startsWith('/')) throw new Error(`'${text}' is relative: with fs.defaultFS it begins with /`);
    return resolve(`${preset.replace(/\/+$/, '')}${text}`, configuration);
  }
  if (/^file:/i.test(text)) return { kind: 'local', path: text };
  const address = parseAddress(text);
  const { scheme, authority, path } = address;
  const defaults = defaultsOf(configuration);
  const make = (prefix: string, addresses: readonly string[]): ResolvedTarget => {
    const [first, ...others] = addresses;
    if (first === undefined) throw new Error(`${prefix} has no NameNode with a web address`);
    const { credentials } = address;
    const target = { prefix, addresses: [first, ...others] as const, defaults, ...(credentials && { credentials }) };
    return { kind: 'web', target, path };
  };
  if (scheme === 'hdfs') return make(`hdfs://${authority}`, hdfsAddresses(authority, configuration));
  if (scheme !== 'webhdfs' && scheme !== 'swebhdfs') {
    throw new Error(`'${scheme}:' is not written to: hdfs:, webhdfs:, swebhdfs: or file:`);
  }
  const secure = scheme === 'swebhdfs' ? 'https' : 'http';
  if (configuration !== undefined && isNameService(authority, configuration)) {
    return make(`${scheme}://${authority}`, serviceAddresses(authority, secure, configuration));
  }
  const gateway = secure === 'https' ? /^(\/gateway\/[^/%]+)(?:\/webhdfs\/v1)?(\/.*)$/s.exec(path) : null;
  if (gateway === null)
    return make(`${scheme}://${authority}`, [`${secure}://${withPort(authority, webPorts[secure][0])}`]);
  const [, base = '', rest = ''] = gateway;
  const made = make(`${scheme}://${authority}${base}`, [`https://${withPort(authority, gatewayPort)}${base}`]);
  return 'target' in made ? { ...made, path: rest } : made;
}

function parseAddress(text: string): Address {
  const [, scheme = '', whole = '', path = ''] = uri.exec(text) ?? [];
  const at = whole.lastIndexOf('@');
  const authority = whole.slice(at + 1);
  if (!authorityShape.test(authority)) {
    throw new Error(`'${scheme}://${authority}' names no host: ${scheme}://host:port/path`);
  }
  if (!path.startsWith('/'))
    throw new Error(`'${scheme}://${authority}${path}' has no path: ${scheme}://host:port/path`);
  const lower = scheme.toLowerCase();
  if (at >= 0 && lower !== 'swebhdfs') {
    throw new Error(`${scheme}://${authority} with a user before it: only swebhdfs: takes user:password@`);
  }
  return { scheme: lower, authority, credentials: at < 0 ? undefined : credentialsIn(whole.slice(0, at)), path };
}

function credentialsIn(text: string): { readonly user: string; readonly password: string } {
  const at = text.indexOf(':');
  if (at <= 0)
    throw new Error('user:password@ is due before the host, % : / and @ in it written as %25, %3A, %2F, %40');
  try {
    return { user: decodeURIComponent(text.slice(0, at)), password: decodeURIComponent(text.slice(at + 1)) };
  } catch {
    throw new Error('user:password@ before the host has a % that is none of %25, %3A, %2F, %40');
  }
}

function hdfsAddresses(authority: string, configuration: HadoopConfiguration | undefined): readonly string[] {
  const secure = configuration?.get('dfs.http.policy')?.toUpperCase() === 'HTTPS_ONLY' ? 'https' : 'http';
  const known = configuration === undefined ? [] : knownAddresses(authority, secure, configuration);
  if (known.length > 0) return known;
  const host = authority.replace(/:\d+$/, '');
  return webPorts[secure].map((port) => `${secure}://${host}:${port}`);
}

/** Empty where the configuration says nothing of it. */
function knownAddresses(
  authority: string,
  secure: 'http' | 'https',
  configuration: HadoopConfiguration,
): readonly string[] {
  if (isNameService(authority, configuration)) return serviceAddresses(authority, secure, configuration);
  for (const service of configuration.list('dfs.nameservices')) {
    for (const end of endsOf(service, configuration)) {
      if (configuration.get(`dfs.namenode.rpc-address${end}`) !== authority) continue;
      return [webAddress(end, authority, secure, configuration)];
    }
  }
  const rpc =
    configuration.get('dfs.namenode.rpc-address') ?? configuration.get('fs.defaultFS')?.slice('hdfs://'.length);
  const hasWeb = configuration.get(`dfs.namenode.${secure}-address`) !== undefined;
  return hasWeb && rpc?.replace(/\/+$/, '') === authority ? [webAddress('', authority, secure, configuration)] : [];
}

function isNameService(authority: string, configuration: HadoopConfiguration): boolean {
  return configuration.list('dfs.nameservices').includes(authority);
}

/** What follows a key's name for each of a service's NameNodes: `.cluster.nn1`, or `.cluster` for its only one. */
function endsOf(service: string, configuration: HadoopConfiguration): readonly string[] {
  const ids = configuration.list(`dfs.ha.namenodes.${service}`);
  return ids.length === 0 ? [`.${service}`] : ids.map((id) => `.${service}.${id}`);
}

function serviceAddresses(
  service: string,
  secure: 'http' | 'https',
  configuration: HadoopConfiguration,
): readonly string[] {
  return endsOf(service, configuration).map((end) => {
    const rpc = configuration.get(`dfs.namenode.rpc-address${end}`);
    return webAddress(end, rpc, secure, configuration);
  });
}

function webAddress(
  end: string,
  rpc: string | undefined,
  secure: 'http' | 'https',
  configuration: HadoopConfiguration,
): string {
  const key = `dfs.namenode.${secure}-address${end}`;
  const said = configuration.get(key);
  const host = rpc?.replace(/:\d+$/, '');
  if (said === undefined && host === undefined) {
    throw new Error(`${configuration.directory}: neither ${key} nor dfs.namenode.rpc-address${end} is set`);
  }
  const address = said ?? `${host}:${webPorts[secure][0]}`;
  // The server listens everywhere: its other address says where that is.
  const [, port] = /^0\.0\.0\.0:(\d+)$/.exec(address) ?? [];
  const reached = port !== undefined && host !== undefined ? `${host}:${port}` : address;
  if (!authorityShape.test(reached))
    throw new Error(`${configuration.directory}: ${key} is '${reached}': host:port is due`);
  return `${secure}://${withPort(reached, webPorts[secure][0])}`;
}

function withPort(authority: string, port: number): string {
  return /:\d+$/.test(authority) ? authority : `${authority}:${port}`;
}

function defaultsOf(configuration: HadoopConfiguration | undefined): FileDefaults {
  if (configuration === undefined) return { umask: umaskPreset, replication: undefined, blockSizeBytes: undefined };
  const number = (key: string, parse: (text: string) => number | undefined): number | undefined => {
    const text = configuration.get(key);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    throw new Error(`${configuration.directory}: ${key} is '${text}', which is not understood`);
  };
  return {
    umask: number('fs.permissions.umask-mode', parseUmask) ?? umaskPreset,
    replication: number('dfs.replication', (text) => (/^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined)),
    blockSizeBytes: number('dfs.blocksize', parseSize),
  };
}

/** `128m`, as Hadoop's getLongBytes has it. */
function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+)\s*([kmgtpe]?)b?$/i.exec(text) ?? [];
  const size = Number(digits) * 1024 ** ' kmgtpe'.indexOf(unit === '' ? ' ' : unit.toLowerCase());
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

/** `022`, or what is left: `u=rwx,g=rx,o=`. */
function parseUmask(text: string): number | undefined {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8) & 0o777;
  let left = 0o777;
  for (const clause of text.split(',')) {
    const [, who = '', rights = ''] = /^([ugoa]+)=([rwx-]*)$/.exec(clause.trim()) ?? [];
    if (who === '') return undefined;
    const bits = (rights.includes('r') ? 4 : 0) | (rights.includes('w') ? 2 : 0) | (rights.includes('x') ? 1 : 0);
    for (const [letter, shift] of [
      ['u', 6],
      ['g', 3],
      ['o', 0],
    ] as const) {
      if (who.includes(letter) || who.includes('a')) left = (left & ~(7 << shift)) | (bits << shift);
    }
  }
  return 0o777 & ~left;
}
