/**
 * What every channel does: run against MemoryChannel and FileChannel. A case opens what it needs through `open`;
 * all that it opened is closed and cleared up when it ends.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { durableCases } from './channel-durability.ts';
import { closingCases, noteCases, twoPhaseCases } from './channel-notes.ts';
import { capacityCases, putCases } from './channel-puts.ts';
import type { ChannelCases, ChannelSubject, OpenChannel } from './channel-support.ts';
import { consumerCases, takeCases } from './channel-takes.ts';

/** Less than the waits of 20 s in the cases: one that only its time-out ends must fail. */
const caseMsMax = 15_000;

/** The cases that need a channel which survives a restart, by name: left out where there is none. */
export const durabilityCases: readonly string[] = Object.keys(durableCases);

/** Registers the suite. `durable`: the channel is still there after close and open. */
export function channelSuite(name: string, open: OpenChannel, { durable }: { readonly durable: boolean }): void {
  const groups: Record<string, ChannelCases> = {
    puts: putCases,
    capacity: capacityCases,
    takes: takeCases,
    consumers: consumerCases,
    notes: noteCases,
    'two-phase takes': twoPhaseCases,
    closing: closingCases,
  };
  if (durable) groups['restarts'] = durableCases;
  for (const [group, cases] of Object.entries(groups)) describe(`${name}: ${group}`, () => register(cases, open));
  it(`${name}: can be opened again if, and only if, it is durable`, async () => {
    const subject = await open();
    assert.equal(subject.reopen !== undefined, durable);
    await subject.done();
  });
}

function register(cases: ChannelCases, open: OpenChannel): void {
  for (const [title, run] of Object.entries(cases)) {
    it(title, { timeout: caseMsMax }, async () => {
      const opened: ChannelSubject[] = [];
      try {
        await run(async (options) => {
          const subject = await open(options);
          opened.push(subject);
          return subject;
        });
      } finally {
        for (const subject of opened) await subject.done();
      }
    });
  }
}
