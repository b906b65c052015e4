/** Directories that Apache Flume 1.11 wrote, unpacked for a test, and what it delivered from copies of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FlumeKeyStore } from '../../src/adapters/channels/flume-files/read-flume-channel.ts';
import { root } from './source.ts';
import { tempDir } from './temp-dir.ts';

const samples = join(root, 'test/adapters/channels/flume-files');

/** What samples there are. */
export const sampleNames = ['clean', 'kill9-encrypted', 'agent-kill9'] as const;
/** One of them. */
export type SampleName = (typeof sampleNames)[number];

/** Where it lies, and what Flume delivered after its full replay: each as `eventText`, in order. */
export interface FlumeSample {
  readonly top: string;
  readonly dataDirs: readonly string[];
  readonly keyStore: FlumeKeyStore | undefined;
  readonly expected: readonly string[];
}

/** A copy that the test may change. */
export async function unpackSample(
  test: { after(call: () => Promise<void>): void },
  name: SampleName,
): Promise<FlumeSample> {
  const directory = await tempDir(test);
  const { status } = spawnSync('tar', ['-xzf', join(samples, `${name}.tar.gz`), '-C', directory]);
  assert.equal(status, 0);
  const top = join(directory, name);
  const dataDirs = readdirSync(top)
    .filter((one) => one.startsWith('data'))
    .map((one) => join(top, one));
  const keys = join(top, 'keys');
  const keyStore = {
    path: join(keys, 'test.keystore'),
    passwordPath: join(keys, 'ks.pw'),
    keyPasswordPaths: new Map([['key-0', join(keys, 'key-0.pw')]]),
  };
  const text = gunzipSync(readFileSync(join(samples, `${name}.expected.jsonl.gz`))).toString();
  const expected = text.trimEnd().split('\n').map(drainedText);
  return { top, dataDirs, keyStore: name === 'kill9-encrypted' ? keyStore : undefined, expected };
}

/** An event, to be compared. */
export function eventText(headers: Readonly<Record<string, string>>, body: Uint8Array): string {
  return JSON.stringify([Object.entries(headers).sort(), Buffer.from(body).toString('base64')]);
}

/** The same of a line that Flume's events were written to: `{"headers":{},"body":"base64"}`. */
function drainedText(line: string): string {
  const { headers, body } = JSON.parse(line) as { headers: Record<string, string>; body: string };
  return eventText(headers, Buffer.from(body, 'base64'));
}
