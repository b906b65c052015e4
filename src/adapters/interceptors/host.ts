/** Says in a header which host the event came through. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { localHost } from '../../agent/contracts/java/local-host.ts';
import { boolean, type Key, optional, text } from '../../agent/contracts/keys.ts';
import { hasHeader, headersStep } from './header-changes.ts';

type HostKeys = {
  readonly hostHeader: Key<string>;
  readonly useIP: Key<boolean>;
  readonly preserveExisting: Key<boolean>;
};

/** Flume's HostInterceptor. The host is looked up once. */
export const hostInterceptor: InterceptorDefinition<HostKeys> = {
  types: ['host', 'org.apache.flume.interceptor.HostInterceptor$Builder'],
  keys: {
    hostHeader: optional(text, 'host', { does: 'name of the header that gets the host' }),
    useIP: optional(boolean, true, {
      does: 'the address, else the full name',
      standing: {
        differs:
          'the hosts file is asked, and where it does not know this host: the first address that is no loopback, ' +
          'and the host’s name as it is. Flume asks DNS too',
      },
    }),
    preserveExisting: optional(boolean, false, { does: 'leaves a header of this name as it is' }),
  },
  create({ hostHeader, useIP, preserveExisting }) {
    const { address, name } = localHost();
    const value = useIP ? address : name;
    const intercept = headersStep((headers) =>
      preserveExisting && hasHeader(headers, hostHeader) ? headers : { ...headers, [hostHeader]: value },
    );
    return { intercept };
  },
};
