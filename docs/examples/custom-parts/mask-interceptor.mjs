/** An interceptor that puts a mask over what matches in a body, and says in the header `masked` how often it did. */
// @ts-check
import { optional, required, text } from 'forebay';

/** @import { InterceptorDefinition, Key, KeyType } from 'forebay' */
/** @typedef {{ readonly pattern: Key<RegExp>, readonly mask: Key<string> }} MaskKeys */

/** @type {KeyType<RegExp>} */
const regularExpression = {
  name: 'regular expression of JavaScript',
  parse: (given) => {
    try {
      return { value: new RegExp(given, 'g') };
    } catch (error) {
      return { problem: `'${given}' is not allowed: ${error instanceof Error ? error.message : error}` };
    }
  },
};

/** @type {InterceptorDefinition<MaskKeys>} */
export default {
  types: ['mask'],
  keys: {
    pattern: required(regularExpression, { does: 'what is masked', standing: 'ours' }),
    mask: optional(text, '***', { does: 'what is there in its place', standing: 'ours' }),
  },
  create: ({ pattern, mask }) => ({
    intercept(event) {
      let count = 0;
      // Latin-1 has a character for each byte: what is not masked stays as it is, whatever it is encoded in.
      const masked = Buffer.from(event.body).toString('latin1').replace(pattern, () => {
        count += 1;
        return mask;
      });
      if (count === 0) return event;
      return { headers: { ...event.headers, masked: String(count) }, body: Buffer.from(masked, 'latin1') };
    },
  }),
};
