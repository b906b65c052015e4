/** Takes headers away: one, those of a list, those whose names match. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { type JavaPattern, javaRegex } from '../../agent/contracts/java/java-pattern.ts';
import { type Key, optional, text, unset } from '../../agent/contracts/keys.ts';
import type { Headers } from '../../engine.ts';
import { presetPattern, seldomWarn } from './event-text.ts';
import { headersStep } from './header-changes.ts';

type RemoveHeaderKeys = {
  readonly withName: Key<string | undefined>;
  readonly fromList: Key<string | undefined>;
  readonly fromListSeparator: Key<JavaPattern>;
  readonly matching: Key<JavaPattern | undefined>;
};

/** In no name of a header. */
const mark = '\0';

/** Flume's RemoveHeaderInterceptor. */
export const removeHeaderInterceptor: InterceptorDefinition<RemoveHeaderKeys> = {
  types: ['remove_header', 'org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder'],
  keys: {
    withName: unset(text, { does: 'name of a header to remove' }),
    fromList: unset(text, { does: 'names of headers to remove' }),
    fromListSeparator: optional(javaRegex, presetPattern('\\s*,\\s*'), { does: 'what separates them' }),
    matching: unset(javaRegex, { does: 'headers whose whole name matches are removed' }),
  },
  create({ withName, fromList, fromListSeparator, matching }, context) {
    const warn = seldomWarn(
      context,
      'headers were kept: their names could not be compared with remove_header.matching',
    );
    const listed = new Set(fromList === undefined ? [] : split(fromList, fromListSeparator));
    if (withName !== undefined) listed.add(withName);
    const isRemoved = (name: string): boolean => {
      if (listed.has(name)) return true;
      try {
        return matching?.matches(name) !== undefined;
      } catch (error) {
        warn(error);
        return false;
      }
    };
    const intercept = headersStep((headers): Headers => {
      const names = Object.keys(headers);
      const kept = names.filter((name) => !isRemoved(name));
      if (kept.length === names.length) return headers;
      return Object.fromEntries(kept.map((name) => [name, headers[name] ?? '']));
    });
    return { intercept };
  },
};

/** As Java's split: without empty names at the end. */
function split(list: string, separator: JavaPattern): readonly string[] {
  const parts = separator.replaceAll(list, [mark]).split(mark);
  const end = parts.findLastIndex((part) => part !== '') + 1;
  return parts.slice(0, end);
}
