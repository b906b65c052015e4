/** The far end of a datagram as Java's InetSocketAddress writes it: `/10.0.0.7:5678`. */

/** IPv6 addresses are written out, `/fe80:0:0:0:0:0:0:1%eth0:5678`; IPv4 ones within IPv6 as what they are. */
export function javaAddress(address: string, port: number): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return `/${mapped}:${port}`;
  return address.includes(':') ? `/${writtenOut(address)}:${port}` : `/${address}:${port}`;
}

const groupsMax = 8;

function writtenOut(address: string): string {
  const [plain = '', zone] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, groupsMax - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  const short = groups.map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
  return short.join(':') + (zone === undefined ? '' : `%${zone}`);
}
