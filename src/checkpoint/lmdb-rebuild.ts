/**
 * Copies the record of an LMDB environment that may be damaged, in a process that may die of it. The copy's pages are
 * all fresh, so damage that no reader meets (free lists, unused branches) stays behind, as does the index that an
 * earlier version kept. The record carries a checksum of its own.
 */
import { spawn } from 'node:child_process';
import { environmentOptions } from './lmdb-store.ts';
import { recordKey } from './record-bytes.ts';

/** A child that takes longer has met damage that sends it round and round, or more than is worth waiting for. */
const rebuildMsMax = 10_000;

/**
 * Makes `target` of the record in `source`, durably, neither being open here. Resolves to undefined, or to why it
 * could not be done; never throws. Leaves a half-made `target` behind then.
 *
 * The child gets its program as text, so that it needs no file of this package: bundled programs have none.
 */
export function rebuild(source: string, target: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    try {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program(source, target)], {
        stdio: 'ignore',
        timeout: rebuildMsMax,
        killSignal: 'SIGKILL',
        // Options meant for this process (an inspector's port, a loader) are not the child's.
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      child.once('error', (error) => resolve(`the process that reads it could not start: ${error.message}`));
      child.once('exit', (code, signal) => resolve(verdict(code, signal)));
    } catch (error) {
      resolve(`the process that reads it could not start: ${String(error)}`);
    }
  });
}

function verdict(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  if (signal === 'SIGKILL') return `a process that read it was killed, or did not finish within ${rebuildMsMax} ms`;
  return signal === null ? 'a process could not read it' : `a process that read it died of ${signal}`;
}

function program(source: string, target: string): string {
  return `
import { open } from ${JSON.stringify(import.meta.resolve('lmdb'))};
const options = ${JSON.stringify(environmentOptions)};
const source = open({ ...options, path: ${JSON.stringify(source)}, readOnly: true });
const target = open({ ...options, path: ${JSON.stringify(target)} });
const key = Buffer.from(${JSON.stringify([...recordKey])});
const record = source.getBinary(key);
if (record === undefined && [...source.getKeys({ limit: 1 })].length > 0) throw new Error('it lost its record');
await target.batch(() => {
  if (record !== undefined) target.put(key, record);
});
await target.flushed;
await target.close();
`;
}
