/** Gives every event the same header. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { boolean, type Key, optional, text } from '../../agent/contracts/keys.ts';
import { hasHeader, headersStep } from './header-changes.ts';

type StaticKeys = {
  readonly key: Key<string>;
  readonly value: Key<string>;
  readonly preserveExisting: Key<boolean>;
};

/** Flume's StaticInterceptor. */
export const staticInterceptor: InterceptorDefinition<StaticKeys> = {
  types: ['static', 'org.apache.flume.interceptor.StaticInterceptor$Builder'],
  keys: {
    key: optional(text, 'key', { does: 'name of the header' }),
    value: optional(text, 'value', { does: 'its value' }),
    preserveExisting: optional(boolean, true, { does: 'leaves a header of this name as it is' }),
  },
  create({ key, value, preserveExisting }) {
    const intercept = headersStep((headers) =>
      preserveExisting && hasHeader(headers, key) ? headers : { ...headers, [key]: value },
    );
    return { intercept };
  },
};
