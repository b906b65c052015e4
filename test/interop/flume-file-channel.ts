/** Flume's own file channel, opened by a Java program: written as a test says, and drained. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { eventText } from '../support/flume-samples.ts';
import { flumeFlags } from './agents.ts';

/** Of the channel, as in a configuration. */
export type ChannelSettings = Readonly<Record<string, string>>;

const drainLimitMs = 120_000;

function lineOf(settings: ChannelSettings): string {
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return `${pairs.join('\t')}\n`;
}

/** A process that has the channel open. */
export interface FlumeWriter {
  /** Resolves when it is done. See ChannelWriter.java. */
  run(command: string): Promise<void>;
  /** With SIGKILL. */
  kill(): Promise<void>;
}

/** Opens the channel. Ended with `test` at the latest. */
export function writeFlume(test: TestContext, classPath: string, settings: ChannelSettings): FlumeWriter {
  const child = spawn('java', [...flumeFlags(classPath), 'ChannelWriter'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on('error', () => undefined);
  child.stdin.write(lineOf(settings));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  test.after(kill);
  return {
    run: async (command) => {
      child.stdin.write(`${command}\n`);
      const { value } = await answers.next();
      assert.equal(value, command, `Flume's channel has ended:\n${log.slice(-4000)}`);
    },
    kill,
  };
}

/** What Flume delivers from a channel. */
export interface FlumeDelivery {
  /** As `eventText`, in its order. */
  readonly events: readonly string[];
  /** Whether Flume did not start, and its integrity tool was run first. */
  readonly isMended: boolean;
}

/** See above, of each of the channels. All that is in them is taken. */
export async function drainFlume(classPath: string, channels: readonly ChannelSettings[]): Promise<FlumeDelivery[]> {
  const delivered = await drainAll(classPath, channels);
  const refused = channels.filter((_, index) => delivered[index] === undefined);
  const mended = refused.length === 0 ? [] : await drainAll(classPath, refused, 'mend');
  return delivered.map((events) => {
    if (events !== undefined) return { events, isMended: false };
    const later = mended.shift();
    assert.ok(later !== undefined, 'Flume does not start behind its integrity tool either');
    return { events: later, isMended: true };
  });
}

/** Undefined where Flume does not start. */
async function drainAll(
  classPath: string,
  channels: readonly ChannelSettings[],
  ...args: readonly string[]
): Promise<(string[] | undefined)[]> {
  const options = { timeout: drainLimitMs, maxBuffer: 2 ** 28 };
  const stdout = await new Promise<string>((resolve, reject) => {
    const child = execFile('java', [...flumeFlags(classPath), 'ChannelDrain', ...args], options, (error, out, log) => {
      if (error === null) resolve(out);
      else reject(new Error(`${error.code ?? error.signal}: ${log.slice(-4000)}`));
    });
    child.stdin?.end(channels.map(lineOf).join(''));
  });
  const ended = [...stdout.matchAll(/((?:event\t.*\n)*)(end|refused)\n/g)];
  assert.equal(ended.length, channels.length);
  return ended.map(([, events = '', end]) =>
    end === 'end' ? events.split('\n').slice(0, -1).map(eventOf) : undefined,
  );
}

/** See ChannelDrain.java. */
function eventOf(line: string): string {
  const [, body, ...headers] = line.split('\t').map((field) => Buffer.from(field, 'base64'));
  assert.ok(body !== undefined && headers.length % 2 === 0, line);
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[`${name}`, `${headers[at + 1]}`]] : []));
  return eventText(Object.fromEntries(pairs), body);
}
