/**
 * Changes to headers at little cost: events that share their headers object share the changed one too, which also
 * spares the channel from checking and encoding it again.
 */
import type { Event, Headers } from '../../engine.ts';

/** Whether an event has a header of this name. */
export function hasHeader(headers: Headers, name: string): boolean {
  return Object.hasOwn(headers, name);
}

/** An interceptor's step that depends on the headers alone: `change` gives back the same object for no change. */
export function headersStep(change: (headers: Headers) => Headers): (event: Event) => Event {
  let given: Headers | undefined;
  let changed: Headers = {};
  return (event) => {
    if (event.headers !== given) {
      changed = change(event.headers);
      given = event.headers;
    }
    return changed === event.headers ? event : { headers: changed, body: event.body };
  };
}
