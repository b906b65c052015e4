/** `hdfs.datanodeHostMap`: where the names lead to that HDFS calls its DataNodes by. */
import type { KeyType, ParsedValue } from '../../../agent/contracts/keys.ts';

const one = /^([\w.-]+(?::\d{1,5})?)=([\w.-]+(?::\d{1,5})?)$/;

/** `dn1.internal=10.0.0.7, dn2.internal:9864=gateway:19864`, names in lower case. */
export const hostMap: KeyType<ReadonlyMap<string, string>> = {
  name: 'name=host pairs, separated by commas or blanks; each side may have a :port',
  parse: parseHostMap,
};

function parseHostMap(text: string): ParsedValue<ReadonlyMap<string, string>> {
  const map = new Map<string, string>();
  for (const pair of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, name, host] = one.exec(pair) ?? [];
    if (name === undefined || host === undefined) {
      return { problem: `'${pair}' is no pair: the DataNode's name, =, and the host to go to, as dn1=10.0.0.7` };
    }
    map.set(name.toLowerCase(), host);
  }
  return { value: map };
}
