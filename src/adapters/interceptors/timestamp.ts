/** Says in a header when the agent met the event. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { boolean, type Key, optional, text } from '../../agent/contracts/keys.ts';
import type { Event, Headers } from '../../engine.ts';
import { hasHeader } from './header-changes.ts';

type TimestampKeys = {
  readonly headerName: Key<string>;
  readonly preserveExisting: Key<boolean>;
};

/** Flume's TimestampInterceptor: ms since 1970, as decimal digits. */
export const timestampInterceptor: InterceptorDefinition<TimestampKeys> = {
  types: ['timestamp', 'org.apache.flume.interceptor.TimestampInterceptor$Builder'],
  keys: {
    headerName: optional(text, 'timestamp', { does: 'name of the header that gets the time, in ms since 1970' }),
    preserveExisting: optional(boolean, false, { does: 'leaves a header of this name as it is' }),
  },
  create({ headerName, preserveExisting }, { clock }) {
    let givenMs = Number.NaN;
    let given: Headers | undefined;
    let changed: Headers = {};
    const intercept = (event: Event): Event => {
      if (preserveExisting && hasHeader(event.headers, headerName)) return event;
      const now = clock.wallMs();
      if (now !== givenMs || event.headers !== given) {
        givenMs = now;
        given = event.headers;
        changed = { ...given, [headerName]: String(Math.floor(now)) };
      }
      return { headers: changed, body: event.body };
    };
    return { intercept };
  },
};
