/** Events of a memory channel whose settings were changed: they go on in the new one, as in Flume. */
import type { Channel, TakeBatch } from '../engine.ts';
import type { ChannelUnit } from './channel-unit.ts';
import type { Log } from './contracts/components.ts';

/** Small enough for any channel; halved where a channel takes less. */
const batchMax = 100;

/** Whether what it holds is gone once it is closed. */
export function isVolatile(channel: Channel): boolean {
  return channel.stats().segments === 0;
}

/** False, and said why, where `unit` cannot take over what `held` holds: that is untouched then. */
export async function movedInto(unit: ChannelUnit, held: Channel, log: Log): Promise<boolean> {
  try {
    if (unit.channel === undefined) throw new Error(`channel ${unit.planned.name} cannot be opened`);
    const events = await carryOver(held, unit.channel);
    log.info('the channel has its new settings', { events });
    return true;
  } catch (error) {
    log.error('the channel keeps its old settings until the next reload: its events cannot be moved', { error });
    return false;
  }
}

/**
 * Moves all events and notes. Nobody else uses either channel.
 * @throws the refusal of `to`; all is then in `from`, and `to` is to be thrown away.
 */
async function carryOver(from: Channel, to: Channel): Promise<number> {
  const taken: TakeBatch[] = [];
  let moved = 0;
  try {
    for (const key of from.notes.keys()) {
      const note = from.notes.get(key);
      if (note !== undefined) await to.notes.set(key, note);
    }
    for (let batch = await from.take(batchMax); batch.events.length > 0; batch = await from.take(batchMax)) {
      taken.push(batch);
      await putAll(to, batch.events);
      moved += batch.events.length;
    }
  } catch (error) {
    for (const batch of taken.reverse()) await batch.rollback();
    throw error;
  }
  for (const batch of taken) await batch.commit();
  return moved;
}

async function putAll(to: Channel, events: TakeBatch['events']): Promise<void> {
  const plain = events.map(({ headers, body }) => ({ headers, body }));
  try {
    await to.put(plain);
  } catch (error) {
    const isTooMany = (error as { code?: unknown }).code === 'TRANSACTION_TOO_LARGE' && events.length > 1;
    if (!isTooMany) throw error;
    const middle = Math.ceil(events.length / 2);
    await putAll(to, events.slice(0, middle));
    await putAll(to, events.slice(middle));
  }
}
