/**
 * A source of one's own: so many numbered lines, each once, also over kills, for how far it came stands in the channel
 * with the lines themselves.
 */
import { integer, required } from '../../../src/agent/contracts/keys.ts';

const batchEvents = 50;

/** `type = ./custom/my-source.mjs`. */
export default {
  types: ['my-source'],
  keys: { lines: required(integer(1), { does: 'how many lines there are' }) },
  create: ({ lines }, { processor, name }) => {
    let isStopping = false;
    let life = Promise.resolve();
    const run = async () => {
      const noteKey = `my-source/${name}`;
      let sent = Number(processor.note(processor.channels[0], noteKey) ?? 0);
      while (sent < lines && !isStopping) {
        const until = Math.min(lines, sent + batchEvents);
        const events = Array.from({ length: until - sent }, (_, index) => ({
          headers: {},
          body: Buffer.from(`line ${sent + index + 1}`),
        }));
        await processor.process(events, { notes: { [noteKey]: until } });
        sent = until;
      }
    };
    return {
      start: async () => {
        life = run();
      },
      stop: async () => {
        isStopping = true;
        await life;
      },
    };
  },
};
