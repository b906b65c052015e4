/** What `config check --connect` asks: which HDFS it is, who we are there, and whether we may write where files go. */
import type { ClientSurroundings } from '../../../agent/contracts/components.ts';
import type { HdfsValues } from './hdfs-keys.ts';
import { openTarget } from './open-target.ts';

/** Changes nothing there. Resolves to a sentence each; rejects with what is wrong and what to do. */
export async function connect(values: HdfsValues, surroundings: ClientSurroundings): Promise<readonly string[]> {
  const { fileSystem, web, directory } = await openTarget(values, surroundings, () => undefined);
  try {
    // Up to the first escape it is the same for all events.
    const [fixed = ''] = directory.split('%', 1);
    const path = fixed.slice(0, fixed === directory ? undefined : fixed.lastIndexOf('/')) || '/';
    if (web === undefined) return [`writes to local files below ${path}`];
    const { address, home, found, refusal } = await web.introduce(path);
    if (refusal instanceof Error) throw refusal;
    return [`${address} answers for ${fileSystem.prefix}`, `at home in ${home}`, `${found.path} is there`];
  } finally {
    await fileSystem.close();
  }
}
