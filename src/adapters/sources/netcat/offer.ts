/** Offers events to the channels until they are in, or will never be. A full channel is waited for. */
import type { SourceContext } from '../../../agent/contracts/components.ts';
import { storedIn } from '../../../agent/contracts/partly-stored.ts';
import { type Clock, type ErrorCode, type Event, isForebayError } from '../../../engine.ts';

/** What became of one event: undefined where it is in, else why it is not. */
type Outcome = string | undefined;

/** Beside what a put itself waits for room. */
const fullPauseMs = 100;
const full: ReadonlySet<ErrorCode> = new Set(['CHANNEL_FULL', 'DISK_FULL']);
/** One of the events, or their number, is at fault: the others may do better without it. */
const divisible: ReadonlySet<ErrorCode> = new Set(['EVENT_INVALID', 'EVENT_TOO_LARGE', 'TRANSACTION_TOO_LARGE']);

/**
 * Resolves to one outcome for each event, in order. A channel that has events already does not get them again.
 *
 * @param except Channels that have all of these events.
 */
export async function offer(
  events: readonly Event[],
  context: SourceContext,
  stopping: AbortSignal,
  except: ReadonlySet<string> = new Set(),
): Promise<readonly Outcome[]> {
  const settled = new Set(except);
  for (;;) {
    try {
      await context.processor.process(events, { except: settled });
      return events.map(() => undefined);
    } catch (error) {
      context.count('ChannelWriteFail');
      for (const channel of storedIn(error)) settled.add(channel);
      const code = codeOf(error);
      const message = error instanceof Error ? error.message : String(error);
      const isFull = code !== undefined && full.has(code) && !stopping.aborted;
      if (isFull) {
        context.log.warn('the channel has no room: clients wait', { error });
        await pause(context.clock, fullPauseMs, stopping);
      }
      // Also where it is full: so many at once may be more than there will ever be room for.
      if (events.length > 1 && (isFull || (code !== undefined && divisible.has(code)))) {
        const half = events.length >>> 1;
        const first = await offer(events.slice(0, half), context, stopping, settled);
        return [...first, ...(await offer(events.slice(half), context, stopping, settled))];
      }
      if (!isFull) {
        context.log.error('events were refused', { events: events.length, error });
        return events.map(() => message);
      }
    }
  }
}

/** The engine's code of `error`, or of what caused it. */
function codeOf(error: unknown): ErrorCode | undefined {
  for (let depth = 0, at: unknown = error; depth < 5 && at instanceof Error; depth += 1, at = at.cause) {
    if (isForebayError(at)) return at.code;
  }
  return undefined;
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done, true);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
