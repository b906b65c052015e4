/** This host's address and full name, at once: as its own hosts file has them, else as its interfaces do. */
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { hostname, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** By which others know this machine. */
export interface LocalHost {
  readonly address: string;
  readonly name: string;
}

const hostsPath = '/etc/hosts';
/** A real one is far shorter. */
const hostsCharsMax = 1_000_000;

/** Total: the loopback address where there is no other. */
export function localHost(): LocalHost {
  return hostIn(readHosts(), hostname()) ?? { address: interfaceAddress(networkInterfaces()), name: hostname() };
}

/** `host` as a hosts file has it: IPv4 first; the full name is the first one that the file has for that address. */
export function hostIn(hosts: string, host: string): LocalHost | undefined {
  const lines = hosts.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  const naming = lines.filter(([address = '', ...names]) => isIP(address) !== 0 && names.includes(host));
  const [address] = naming.find(([one = '']) => isIPv4(one)) ?? naming[0] ?? [];
  const name = lines.find(([one, first]) => one === address && first !== undefined)?.[1];
  return address === undefined || name === undefined ? undefined : { address, name };
}

function readHosts(): string {
  try {
    return readFileSync(hostsPath, 'utf8').slice(0, hostsCharsMax);
  } catch {
    return '';
  }
}

function interfaceAddress(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const outward = Object.values(interfaces).flatMap((infos) => infos?.filter(({ internal }) => !internal) ?? []);
  return (outward.find(({ family }) => family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1';
}
