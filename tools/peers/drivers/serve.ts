/**
 * The loop of a driver that runs in Node: a queue is opened in a directory, worked with for a window of time, closed.
 * Every such driver runs the very loops that forebay's own benchmarks run, so that nothing but the queue differs.
 *
 *     put|fill|take|mixed DIRECTORY PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS
 *
 * DIRECTORY is made. `fill` puts EVENTS and closes the queue, `take` opens it and drains it. One line of JSON answers
 * each line; the end of stdin ends the process at once.
 */
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fillChannel, type MeasuredQueue, runWork, type Work } from '../../../src/bench/channel-work.ts';

/** What a driver measures. */
export interface OpenedQueue extends MeasuredQueue {
  close(): Promise<void>;
}

/** One side of a driver. */
export interface Driver {
  open(directory: string): Promise<OpenedQueue>;
  /** A queue is filled by one producer and not by several at once. */
  readonly fillsSingly?: boolean;
  /** Called when the work begins. */
  reset?(): void;
  /** Called when it is done: goes into the answer. */
  counted?(): object;
  /** Any other command, by its name. */
  readonly commands?: { readonly [name: string]: (words: readonly string[]) => Promise<object> };
}

const seed = 1;

async function run(driver: Driver, [kind = '', directory = '', ...numbers]: readonly string[]): Promise<object> {
  const other = driver.commands?.[kind];
  if (other !== undefined) return await other([directory, ...numbers]);
  const [producers = 0, consumers = 0, batch = 0, bodyBytes = 0, windowMs = 0, events = 0] = numbers.map(Number);
  mkdirSync(directory, { recursive: true });
  const queue = await driver.open(directory);
  if (kind === 'fill') {
    await fillChannel(driver.fillsSingly === true ? singly(queue) : queue, events, bodyBytes, seed);
    await queue.close();
    return {};
  }
  const work = workOf(kind, { producers, consumers, batch, events });
  driver.reset?.();
  const figures = await runWork(queue, work, { windowMs, bodyBytes, seed });
  const counted = driver.counted?.() ?? {};
  await queue.close();
  return { ...figures, ...counted };
}

/** `queue`, with its puts one after the other. */
function singly(queue: OpenedQueue): MeasuredQueue {
  let last: Promise<unknown> = Promise.resolve();
  const put: MeasuredQueue['put'] = (events) => {
    last = last.then(() => queue.put(events));
    return last;
  };
  return { put, consumer: (name) => queue.consumer(name) };
}

function workOf(kind: string, sizes: { producers: number; consumers: number; batch: number; events: number }): Work {
  const { producers, consumers, batch, events } = sizes;
  if (kind === 'put') return { kind, producers, batch };
  if (kind === 'take') return { kind, consumers, batch, events };
  if (kind === 'mixed') return { kind, producers, consumers, batch };
  throw new Error(`no such command: ${kind}`);
}

/** Answers commands until stdin ends. */
export function serve(driver: Driver): void {
  let last: Promise<void> = Promise.resolve();
  const answer = async (line: string): Promise<void> => {
    const answered = await run(driver, line.split(' ')).catch((error: unknown) => ({ error: String(error) }));
    process.stdout.write(`${JSON.stringify(answered)}\n`);
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    last = last.then(() => answer(line));
  });
  // Whoever asked is gone: nothing may go on writing.
  lines.on('close', () => process.exit(0));
}
