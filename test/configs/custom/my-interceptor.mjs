/** An interceptor of one's own: lets every third line through, or whatever `every` says, with its number as a header. */
import { integer, optional } from '../../../src/agent/contracts/keys.ts';

/** `type = ./custom/my-interceptor.mjs`. */
export default {
  types: ['my-interceptor'],
  keys: { every: optional(integer(1), 1, { does: 'which lines stay: those whose number it divides' }) },
  create: ({ every }) => ({
    intercept: ({ headers, body }) => {
      const number = Number(/\d+$/.exec(body.toString())?.[0]);
      return number % every === 0 ? { headers: { ...headers, number: String(number) }, body } : undefined;
    },
  }),
};
