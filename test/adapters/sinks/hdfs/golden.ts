/** Bytes that Apache Hadoop wrote, as test/golden/hdfs keeps them: a title, a line of dashes, hex. */
import { readFileSync } from 'node:fs';

/** The bytes of one file. */
export function readGolden(name: string): Buffer {
  const url = new URL(`../../../golden/hdfs/${name}.txt`, import.meta.url);
  const [, hex = ''] = readFileSync(url, 'utf8').split('----\n');
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}
