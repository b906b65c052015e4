/** Finds a pattern in the body and makes headers of its groups. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { type JavaPattern, javaRegex } from '../../agent/contracts/java/java-pattern.ts';
import { type Key, names, prefixed, required, text } from '../../agent/contracts/keys.ts';
import type { Event } from '../../engine.ts';
import { bodyText, seldomWarn } from './event-text.ts';
import { type GroupSerializer, readSerializers } from './group-serializers.ts';

type RegexExtractorKeys = {
  readonly regex: Key<JavaPattern>;
  readonly serializers: Key<readonly string[]>;
  readonly 'serializers.': Key<ReadonlyMap<string, string>>;
};

/** Flume's RegexExtractorInterceptor. */
export const regexExtractorInterceptor: InterceptorDefinition<RegexExtractorKeys> = {
  types: ['regex_extractor', 'org.apache.flume.interceptor.RegexExtractorInterceptor$Builder'],
  keys: {
    regex: required(javaRegex, { does: 'what is looked for in the body, as UTF-8; its groups become headers' }),
    serializers: required(names, {
      does: 'names of serializers, the first for group 1, and so on; groups without one are left out',
      standing: {
        differs: 'a group that took no part in the match sets no header; Flume sets a null, and fails later',
      },
    }),
    'serializers.': prefixed(text, {
      does:
        'NAME.name: the header; NAME.type: default, or org.apache.flume.interceptor. with ' +
        'RegexExtractorInterceptorPassThroughSerializer or RegexExtractorInterceptorMillisSerializer; the latter ' +
        'makes a date of NAME.pattern, as of Joda-Time, to ms since 1970',
      standing: {
        differs:
          'a date that is none sets no header and is logged, Flume fails for ever on it; letters for era, century, ' +
          'week, day of year and zone names, and classes of your own, are refused',
      },
    }),
  },
  check: ({ serializers, 'serializers.': settings }) => readSerializers(serializers, settings).problems,
  create({ regex, serializers: listed, 'serializers.': settings }, context) {
    const { serializers, problems } = readSerializers(listed, settings);
    const [problem] = problems;
    if (problem !== undefined) throw new Error(`${problem.key}: ${problem.message}`);
    const warnUnread = seldomWarn(context, 'events went on that regex_extractor could not look at');
    const warnDate = seldomWarn(context, 'dates did not fit their pattern: regex_extractor set no header');
    const set = (
      { header, serialize }: GroupSerializer,
      group: string | undefined,
      found: [string, string][],
    ): void => {
      if (group === undefined) return;
      const value = serialize(group);
      if (value === undefined) warnDate(`'${group.slice(0, 100)}' for header ${header}`);
      else found.push([header, value]);
    };
    const intercept = (event: Event): Event => {
      try {
        const match = regex.find(bodyText(event));
        if (match === undefined) return event;
        const found: [string, string][] = [];
        for (const [index, serializer] of serializers.entries()) set(serializer, match.groups[index + 1], found);
        if (found.length === 0) return event;
        return { headers: { ...event.headers, ...Object.fromEntries(found) }, body: event.body };
      } catch (error) {
        warnUnread(error);
        return event;
      }
    };
    return { intercept };
  },
};
