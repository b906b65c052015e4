/** Names of channels in a selector's keys. */
import type { Binding, KeyProblem } from '../../agent/contracts/components.ts';
import { nearest } from '../../agent/contracts/read-keys.ts';

/** One problem for each name in the list at `key` that is none of the source's channels. */
export function foreignNames(key: string, listed: readonly string[], { channels }: Binding): readonly KeyProblem[] {
  return [...new Set(listed)].flatMap((name) => {
    if (channels.includes(name)) return [];
    const near = nearest(name, channels);
    const hint = near === undefined ? `it has ${channels.join(', ')}` : `do you mean '${near}'?`;
    return [{ key, message: `the source has no channel '${name}': ${hint}` }];
  });
}
