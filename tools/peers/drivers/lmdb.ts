/**
 * A queue on lmdb: one key an event, ascending. lmdb gathers the writes of one turn of the event loop into a
 * transaction by itself; `flushed` resolves when what was written is on the disk. Takers share a cursor in memory, so
 * that each event has one of them; committing removes the keys.
 */
import { join } from 'node:path';
import { open } from 'lmdb';
import { type OpenedQueue, serve } from './serve.ts';
import { takeOrWait, Waiting } from './waiting.ts';

/** Address space, not disk: more than any window fills. */
const mapBytes: number = 64 * 2 ** 30;

async function openQueue(directory: string): Promise<OpenedQueue> {
  const database = open<Buffer, number>(join(directory, 'queue'), {
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'uint32',
    mapSize: mapBytes,
  });
  const waiting = new Waiting();
  const [first] = database.getKeys({ limit: 1 });
  const [last] = database.getKeys({ limit: 1, reverse: true });
  let head = first ?? 0;
  let next = (last ?? -1) + 1;
  const lease = (max: number): readonly { readonly key: number; readonly value: Buffer }[] => {
    // Else the snapshot may be one from before the last put.
    database.resetReadTxn();
    const entries = [...database.getRange({ start: head, limit: max })];
    head = (entries.at(-1)?.key ?? head - 1) + 1;
    return entries;
  };
  return {
    put: async (events) => {
      for (const { body } of events) void database.put(next++, body as Buffer);
      await database.flushed;
      waiting.wake();
    },
    consumer: () => ({
      take: async (max, options) => {
        const events = await takeOrWait(waiting, options?.waitMs, () => lease(max));
        const commit = async (): Promise<void> => {
          for (const { key } of events) void database.remove(key);
          await database.flushed;
        };
        return { events, commit };
      },
      close: async () => undefined,
    }),
    close: () => database.close(),
  };
}

// lmdb 3.5.6 crashes (mdb_page_alloc) when it removes from a file whose large values came in one huge transaction and
// that was opened anew; what several producers put at once would become one.
serve({ open: openQueue, fillsSingly: true });
