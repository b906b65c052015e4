/** Bodies as texts, for patterns; and what to do where an event cannot be looked at. */
import { constants } from 'node:buffer';
import type { ComponentContext } from '../../agent/contracts/components.ts';
import { type JavaPattern, javaRegex } from '../../agent/contracts/java/java-pattern.ts';

const repeatMs = 60_000;

/** The body as UTF-8. Throws where it is longer than a text can be. */
export function bodyText({ body }: { readonly body: Uint8Array }): string {
  if (body.length > constants.MAX_STRING_LENGTH) throw new RangeError(`a body of ${body.length} bytes is no text`);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** A pattern that is known to be right, as the default of a key. */
export function presetPattern(source: string): JavaPattern {
  const parsed = javaRegex.parse(source);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

/** A warning that comes once a minute at most, with how often there was a reason for it. */
export function seldomWarn({ log, clock }: ComponentContext, text: string): (error: unknown) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let events = 0;
  return (error) => {
    events += 1;
    const now = clock.monotonicMs();
    if (now - saidAtMs < repeatMs) return;
    log.warn(text, { events, error });
    saidAtMs = now;
    events = 0;
  };
}
