/**
 * A queue on SQLite: one row an event, write-ahead log, synchronous=FULL, so that COMMIT returns after a sync. What
 * producers and takers ask for in one turn of the event loop goes into one transaction, as whoever has several of
 * them would write it. Takers share a cursor in memory, so that each event has one of them.
 *
 *     node sqlite.js MODULES [--version]    MODULES: where better-sqlite3 is installed
 */
import { join } from 'node:path';
import { type OpenedQueue, serve } from './serve.ts';
import { type Database, type SqliteBinding, sqliteBinding } from './sqlite-binding.ts';
import { takeOrWait, Waiting } from './waiting.ts';

interface Request {
  readonly apply: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Requests of one turn of the event loop, in one transaction. */
class Groups {
  readonly #database: Database;
  #requests: Request[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves when what `apply` wrote is durable. */
  commit(apply: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ apply, resolve, reject });
      if (this.#requests.length === 1) setImmediate(() => this.#run());
    });
  }

  #run(): void {
    const requests = this.#requests;
    this.#requests = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { apply } of requests) apply();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      for (const { reject } of requests) reject(error);
      return;
    }
    for (const { resolve } of requests) resolve();
  }
}

interface Row {
  readonly id: number;
  readonly body: Uint8Array;
}

function openQueue(binding: SqliteBinding, directory: string): OpenedQueue {
  const database = binding.open(join(directory, 'queue.db'));
  database.exec('PRAGMA journal_mode=WAL');
  database.exec('PRAGMA synchronous=FULL');
  database.exec('CREATE TABLE IF NOT EXISTS queue(id INTEGER PRIMARY KEY, body BLOB NOT NULL)');
  // Counted here: an emptied table would begin at 1 again, behind the cursor.
  const insert = database.prepare('INSERT INTO queue(id, body) VALUES(?, ?)');
  const select = database.prepare('SELECT id, body FROM queue WHERE id > ? ORDER BY id LIMIT ?');
  const remove = database.prepare('DELETE FROM queue WHERE id BETWEEN ? AND ?');
  const groups = new Groups(database);
  const waiting = new Waiting();
  const [newest] = database.prepare('SELECT max(id) AS id FROM queue').all() as { id: number | null }[];
  let next = (newest?.id ?? 0) + 1;
  let head = 0;
  const lease = (max: number): readonly Row[] => {
    const rows = select.all(head, max) as Row[];
    head = rows.at(-1)?.id ?? head;
    return rows;
  };
  return {
    put: async (events) => {
      await groups.commit(() => {
        for (const { body } of events) insert.run(next++, body);
      });
      waiting.wake();
    },
    consumer: () => ({
      take: async (max, options) => {
        const events = await takeOrWait(waiting, options?.waitMs, () => lease(max));
        const first = events[0]?.id ?? 0;
        const last = events.at(-1)?.id ?? 0;
        return { events, commit: () => groups.commit(() => remove.run(first, last)) };
      },
      close: async () => undefined,
    }),
    close: async () => database.close(),
  };
}

const [modules = '', option] = process.argv.slice(2);
const binding = sqliteBinding(modules);
if (option === '--version') process.stdout.write(`${binding.version}\n`);
else serve({ open: async (directory) => openQueue(binding, directory) });
