/** Events that `dump` and `tail` could not print, as they are told on stderr. */
import type { ChannelView } from '../../channel/reader/channel-view.ts';
import type { PassedOver } from '../../channel/reader/dump.ts';
import { rangesText } from './damage-text.ts';
import { inert } from './verb.ts';

/** Among the damages of the channel, which were told before. */
export function isNamed({ damages }: ChannelView, { path, first }: PassedOver): boolean {
  return damages.some(
    (damage) => damage.path === path && damage.sequences.some((range) => range.first <= first && first <= range.last),
  );
}

/** One line, without its end. */
export function passedText({ path, first, last, why }: PassedOver): string {
  const reason = why === 'gone' ? 'were taken and let go meanwhile' : 'do not hold: `forebay channel verify` says more';
  return `${inert(path)}: passed over: the events ${rangesText([{ first, last }])} ${reason}`;
}
