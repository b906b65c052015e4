/**
 * SQLite in Node: better-sqlite3 where it was installed and loads, else what Node brings itself. What of them is used
 * has the same shape in both.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A prepared statement. */
interface Statement {
  run(...values: readonly (number | Uint8Array)[]): unknown;
  all(...values: readonly (number | Uint8Array)[]): unknown[];
}

/** An open database. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

/** What opens one. */
export interface SqliteBinding {
  /** `better-sqlite3 12.11.1, SQLite 3.53.2`. */
  readonly version: string;
  open(path: string): Database;
}

/** No dependency of this repository: tools/peers installs it elsewhere. */
const installed: string = 'better-sqlite3';

type DatabaseClass = new (path: string) => Database;

function bindingOf(name: string, databaseClass: DatabaseClass): SqliteBinding {
  const database = new databaseClass(':memory:');
  const [row] = database.prepare('SELECT sqlite_version() AS version').all() as { version: string }[];
  database.close();
  return { version: `${name}, SQLite ${row?.version}`, open: (path) => new databaseClass(path) };
}

/** `modules` is where better-sqlite3 may be installed. Throws, with both reasons, where neither is there. */
export function sqliteBinding(modules: string): SqliteBinding {
  const require = createRequire(join(modules, 'package.json'));
  let why: unknown;
  try {
    const { version } = require(`${installed}/package.json`) as { version: string };
    return bindingOf(`${installed} ${version}`, require(installed) as DatabaseClass);
  } catch (error) {
    why = error;
  }
  try {
    const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: DatabaseClass };
    return bindingOf(`node:sqlite of Node ${process.versions.node}`, DatabaseSync);
  } catch (error) {
    throw new Error(`no SQLite: better-sqlite3: ${String(why)}; node:sqlite: ${String(error)}`);
  }
}
