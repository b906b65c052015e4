/** What goes into an agent: lines over TCP, datagrams, files that are put somewhere, appended to or renamed. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { type Place, until } from './agents.ts';

/** One step. All paths are as in the configuration. */
export type Input = (place: Place) => Promise<void>;

/** Lines to the netcat source `source`, and an answer for each. */
export function lines(source: string, sent: readonly string[]): Input {
  return async (place) => {
    const socket = createConnection({ host: 'localhost', port: await portOf(place, source) });
    socket.end(sent.map((line) => `${line}\n`).join(''));
    assert.equal(await textOf(socket), 'OK\n'.repeat(sent.length));
  };
}

/** Datagrams to the netcatudp source `source`. */
export function datagrams(source: string, sent: readonly string[]): Input {
  return async (place) => {
    const port = await portOf(place, source);
    const socket = createSocket('udp4');
    for (const text of sent) {
      await new Promise<void>((resolve, reject) =>
        socket.send(text, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
      );
    }
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  };
}

/** A file that is there, whole, from one moment to the next. */
export function file(path: string, text: string | Buffer): Input {
  return async ({ dir }) => {
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    const beside = join(dir, 'unfinished');
    await writeFile(beside, text);
    await rename(beside, target);
  };
}

/** A program that prints `text`. */
export function program(path: string, text: string): Input {
  return async ({ dir }) => {
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
  };
}

/** More at the end of a file. */
export function appended(path: string, text: string): Input {
  return ({ dir }) => appendFile(join(dir, path), text);
}

/** A file under another name. */
export function renamed(path: string, to: string): Input {
  return ({ dir }) => rename(join(dir, path), join(dir, to));
}

/** An empty directory. */
export function directory(...paths: readonly string[]): Input {
  return async ({ dir }) => {
    for (const path of paths) await mkdir(join(dir, path), { recursive: true });
  };
}

/** The next step comes when there are so many lines in the files of this directory. */
export function filled(path: string, linesMin: number): Input {
  return ({ dir, log }) =>
    until(
      async () => (await linesIn(join(dir, path))) >= linesMin,
      () => `${linesMin} lines in ${path}; the log: ${JSON.stringify(log())}`,
    );
}

/**
 * Lines `early 0`, `early 1`, … to the netcat source `source` until each of these directories has one: which sink of a
 * group takes how many at a time is not known, and one that has failed rests for a while.
 */
export function earlyLines(source: string, paths: readonly string[]): Input {
  return async (place) => {
    const isReached = async (): Promise<boolean> => {
      const counts = await Promise.all(paths.map((path) => linesIn(join(place.dir, path))));
      return counts.every((count) => count > 0);
    };
    let sent = 0;
    await until(
      async () => {
        if (await isReached()) return true;
        await lines(source, [`early ${sent}`])(place);
        sent += 1;
        return false;
      },
      () => `lines in ${paths.join(', ')}; the log: ${JSON.stringify(place.log())}`,
    );
  };
}

async function linesIn(path: string): Promise<number> {
  const names = await readdir(path);
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')));
  return texts.join('').split('\n').length - 1;
}

/** Configured is 0: the source says which one it is. */
async function portOf(place: Place, source: string): Promise<number> {
  let port = 0;
  const look = (): boolean => {
    for (const { component, text } of place.log()) {
      if (component === source) port = Number(/^listens on \S+ port (\d+)/.exec(text)?.[1] ?? port);
    }
    return port > 0;
  };
  await until(look, () => `the port of ${source}; the log: ${JSON.stringify(place.log())}`);
  return port;
}
