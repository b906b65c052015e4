/** Gives every event an identifier of its own. */
import { randomUUID } from 'node:crypto';
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { boolean, type Key, optional, text } from '../../agent/contracts/keys.ts';
import type { Event } from '../../engine.ts';
import { hasHeader } from './header-changes.ts';

type UuidKeys = {
  readonly headerName: Key<string>;
  readonly preserveExisting: Key<boolean>;
  readonly prefix: Key<string>;
};

/** Flume's UUIDInterceptor, of its Solr module: a random UUID (version 4). */
export const uuidInterceptor: InterceptorDefinition<UuidKeys> = {
  types: ['org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder'],
  keys: {
    headerName: optional(text, 'id', { does: 'name of the header that gets the UUID' }),
    preserveExisting: optional(boolean, true, { does: 'leaves a header of this name as it is' }),
    prefix: optional(text, '', { does: 'stands before each UUID' }),
  },
  create({ headerName, preserveExisting, prefix }) {
    const intercept = (event: Event): Event => {
      if (preserveExisting && hasHeader(event.headers, headerName)) return event;
      return { headers: { ...event.headers, [headerName]: prefix + randomUUID() }, body: event.body };
    };
    return { intercept };
  },
};
