/** The limits that Flume's channels share, and how Flume reads their numbers. */
import type { KeyProblem } from '../../agent/contracts/components.ts';
import type { KeyType } from '../../agent/contracts/keys.ts';

/** More, and a wait does not fit a timer. */
export const keepAliveSecondsMax = 2_147_483;
/** The engine's own limit of one transaction. */
const transactionEventsMax = 2 ** 20;

/**
 * A count that Flume gives its default, with a warning, where it is not above 0. `isLenient`: also where it is no
 * number at all, as the memory channel does.
 */
export function count(preset: number, options: { max?: number; isLenient?: boolean } = {}): KeyType<number> {
  const { max = Number.MAX_SAFE_INTEGER, isLenient = false } = options;
  return {
    name: 'integer from 1',
    parse: (text) => {
      const isWhole = /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text));
      if (!isWhole && !isLenient) return { problem: `'${text}' is not allowed: an integer from 1` };
      if (!isWhole || Number(text) <= 0)
        return { value: preset, warning: `'${text}' is not above 0: ${preset} is used` };
      if (Number(text) > max)
        return { value: max, warning: `'${text}' is above ${max}, the most there is: ${max} is used` };
      return { value: Number(text) };
    },
  };
}

/** Events of one transaction. */
export function transactionCount(preset: number, isLenient = false): KeyType<number> {
  return count(preset, { max: transactionEventsMax, isLenient });
}

/** Flume refuses it too. */
export function checkTransaction(transactionCapacity: number, capacity: number): readonly KeyProblem[] {
  if (transactionCapacity <= capacity) return [];
  const message = `${transactionCapacity} is not allowed: at most capacity, which is ${capacity}`;
  return [{ key: 'transactionCapacity', message }];
}
