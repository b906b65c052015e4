/** The checkpoint of a channel that somebody else may have open, for verbs that hold it against the log. */
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import { type CopiedCheckpoint, readCheckpointCopy } from '../../checkpoint/lmdb-copy.ts';
import { Interrupt } from './interrupt.ts';
import { inert } from './verb.ts';

/** Where this machine can read none, that is said on stderr. A signal waits until the copy is removed again. */
export async function checkpointOf({ found, disk }: ChannelView): Promise<CopiedCheckpoint> {
  if (found.checkpointPath === undefined) return { kind: 'none' };
  using interrupt = new Interrupt();
  const copied = await readCheckpointCopy(disk, found.checkpointPath);
  if (interrupt.status !== undefined) process.exit(interrupt.status);
  if (copied.kind === 'unavailable') console.error(`the checkpoint was not looked at: ${inert(copied.why)}`);
  return copied;
}
