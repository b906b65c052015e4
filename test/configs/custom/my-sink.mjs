/** A sink of one's own: appends `number body` of each event to a file. */
import { appendFile } from 'node:fs/promises';
import { required, text } from '../../../src/agent/contracts/keys.ts';

/** `type = ./custom/my-sink.mjs`. */
export default {
  types: ['my-sink'],
  keys: { file: required(text, { does: 'where the lines go' }) },
  create: ({ file }, { channel, name }) => {
    let consumer;
    return {
      start: async () => {
        consumer ??= channel.consumer(`sink/${name}`);
      },
      process: async (signal) => {
        const batch = await consumer.take(100, { waitMs: 1000, signal });
        if (batch.events.length === 0) return 'backoff';
        try {
          const lines = batch.events.map(({ headers, body }) => `${headers.number} ${body}\n`);
          await appendFile(file, lines.join(''));
          await batch.commit();
        } catch (error) {
          await batch.rollback();
          throw error;
        }
        return 'ready';
      },
      stop: async () => {
        await consumer?.close();
        consumer = undefined;
      },
    };
  },
};
