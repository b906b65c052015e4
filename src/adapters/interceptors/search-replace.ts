/** Replaces in the body what a pattern matches. */
import type { InterceptorDefinition } from '../../agent/contracts/components.ts';
import { type Charset, charset } from '../../agent/contracts/java/charset.ts';
import { type JavaPattern, javaRegex } from '../../agent/contracts/java/java-pattern.ts';
import { compileReplacement } from '../../agent/contracts/java/java-replacement.ts';
import { type Key, optional, required, text } from '../../agent/contracts/keys.ts';
import type { Event } from '../../engine.ts';
import { seldomWarn } from './event-text.ts';

type SearchReplaceKeys = {
  readonly searchPattern: Key<JavaPattern>;
  readonly replaceString: Key<string>;
  readonly charset: Key<Charset>;
};

/** Flume's SearchAndReplaceInterceptor. */
export const searchReplaceInterceptor: InterceptorDefinition<SearchReplaceKeys> = {
  types: ['search_replace', 'org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder'],
  keys: {
    searchPattern: required(javaRegex, { does: 'what to replace, wherever it is in the body' }),
    replaceString: optional(text, '', {
      does: 'what to put there; $1 stands for a group, as does its name in braces behind $',
      standing: {
        differs: 'a group that is not there is an error of the configuration; Flume fails at the first match',
      },
    }),
    charset: optional(charset, presetCharset('UTF-8'), {
      does: 'of the body',
      standing: { differs: 'bodies without a match stay as they are, also where their bytes are not of this charset' },
    }),
  },
  check({ searchPattern, replaceString }) {
    const compiled = compileReplacement(searchPattern, replaceString);
    if ('replacement' in compiled) return [];
    const { index, message } = compiled.problem;
    return [{ key: 'replaceString', message: `'${replaceString}' is not allowed: column ${index + 1}: ${message}` }];
  },
  create({ searchPattern, replaceString, charset: { decode, encode } }, context) {
    const compiled = compileReplacement(searchPattern, replaceString);
    if ('problem' in compiled) throw new Error(`replaceString: ${compiled.problem.message}`);
    const { replacement } = compiled;
    const warn = seldomWarn(context, 'events went on unchanged that search_replace could not change');
    const intercept = (event: Event): Event => {
      try {
        const given = decode(Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength));
        const changed = searchPattern.replaceAll(given, replacement);
        return changed === given ? event : { headers: event.headers, body: encode(changed) };
      } catch (error) {
        warn(error);
        return event;
      }
    };
    return { intercept };
  },
};

function presetCharset(name: string): Charset {
  const parsed = charset.parse(name);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.value;
}
