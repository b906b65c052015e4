/**
 * Copies an LMDB environment that may be damaged, in a process that may die of it. The copy holds what the old
 * one gave out key by key, in pages that are all fresh, so damage that no reader meets (free lists, unused
 * branches) stays behind. The values carry checksums of their own; here only the order of the keys is checked,
 * which also ends a walk in circles.
 */
import { spawn } from 'node:child_process';
import { environmentOptions } from './lmdb-store.ts';

/** A child that takes longer has met damage that sends it round and round, or more than is worth waiting for. */
const rebuildMsMax = 10_000;
/** Bounds the memory of the child's transactions. */
const entriesPerTransaction = 4000;

/**
 * Makes `target` from `source`, durably, neither being open here. Resolves to undefined, or to why it could not be
 * done; never throws. Leaves a half-made `target` behind then.
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
let last = Buffer.alloc(0);
for (let full = true; full; ) {
  const step = [];
  for (const { key, value } of source.getRange({ start: last, limit: ${entriesPerTransaction + 1} })) {
    if (key.equals(last)) continue;
    if (last.compare(key) >= 0) throw new Error('keys out of order');
    last = key;
    step.push({ key, value: Buffer.from(value) });
  }
  full = step.length >= ${entriesPerTransaction};
  await target.batch(() => {
    for (const { key, value } of step) target.put(key, value);
  });
  await target.flushed;
}
await target.close();
`;
}
