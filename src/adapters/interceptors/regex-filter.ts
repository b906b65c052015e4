/** Keeps the events whose body a pattern is found in, or drops them. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { type JavaPattern, javaRegex } from '../../agent/contracts/java/java-pattern.ts';
import { boolean, type Key, optional } from '../../agent/contracts/keys.ts';
import type { Event } from '../../engine.ts';
import { bodyText, presetPattern, seldomWarn } from './event-text.ts';

type RegexFilterKeys = {
  readonly regex: Key<JavaPattern>;
  readonly excludeEvents: Key<boolean>;
};

/** Flume's RegexFilteringInterceptor. */
export const regexFilterInterceptor: InterceptorDefinition<RegexFilterKeys> = {
  types: ['regex_filter', 'org.apache.flume.interceptor.RegexFilteringInterceptor$Builder'],
  keys: {
    regex: optional(javaRegex, presetPattern('.*'), {
      does: 'what is looked for in the body, as UTF-8',
      standing: { differs: 'Flume reads the body in the charset of its platform' },
    }),
    excludeEvents: optional(boolean, false, { does: 'drops the events that match, and keeps the others' }),
  },
  create({ regex, excludeEvents }, context) {
    const warn = seldomWarn(context, 'events were kept that regex_filter could not look at');
    const intercept = (event: Event): Event | undefined => {
      try {
        const isFound = regex.find(bodyText(event)) !== undefined;
        return isFound === excludeEvents ? undefined : event;
      } catch (error) {
        warn(error);
        return event;
      }
    };
    return { intercept };
  },
};
