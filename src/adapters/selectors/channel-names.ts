/** Names of channels in a selector's keys. */

/** `listed` without repetition. Throws where one is none of the source's `channels`. */
export function boundNames(key: string, listed: readonly string[], channels: readonly string[]): readonly string[] {
  for (const name of listed) {
    if (channels.includes(name)) continue;
    const bound = channels.join(', ');
    throw new Error(`selector.${key} names '${name}', which is none of the source's channels: ${bound}`);
  }
  return [...new Set(listed)];
}
