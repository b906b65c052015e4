/** What a reader says of a damaged channel is what an open and a drain of it come to; and a reader changes nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { viewChannel } from '../../../src/channel/reader/channel-view.ts';
import { dumpEvents } from '../../../src/channel/reader/dump.ts';
import { type VerifyReport, verifyChannel } from '../../../src/channel/reader/verify.ts';
import { expand, rangesOf } from '../../damage/expectation.ts';
import {
  buildReferenceLog,
  diskOf,
  type Files,
  home,
  type ReferenceLog,
  readFiles,
} from '../../damage/reference-log.ts';
import { openAndDrain, withFlip } from '../../damage/trial.ts';
import { logPlans } from '../../damage/units.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const flipsEach = 120;

async function readAll(reference: ReferenceLog, files: Files) {
  const disk = await diskOf(files);
  const view = await viewChannel(home, { encryption: reference.options.encryption }, { disk, clock: systemClock });
  const report = await verifyChannel(view);
  const events: { sequence: number; body: string; state: string }[] = [];
  for await (const { event, state } of dumpEvents(view, {})) {
    const whole = event.body.toString().startsWith(`${event.headers['body']}.`);
    events.push({ sequence: event.sequence, body: whole ? (event.headers['body'] ?? '') : 'not what was put', state });
  }
  assert.deepEqual(await readFiles(disk, '/'), new Map([...files].sort()), 'nothing was changed');
  return { view, report, events };
}

async function check(reference: ReferenceLog, files: Files, isHit: boolean, where: string): Promise<void> {
  const { view, report, events } = await readAll(reference, files);
  const outcome = await openAndDrain(reference, files, undefined, 1);
  assert.equal(report.ok, !isHit, `${where}: ${JSON.stringify(report.damages)}`);
  const pending = events.filter(({ state }) => state === 'pending');
  assert.deepEqual(
    pending.map(({ sequence, body }) => ({ sequence, body })),
    outcome.delivered,
    where,
  );
  const lost = report.damages.flatMap(({ eventsLost, sequences }) => (eventsLost > 0 ? sequences.flatMap(expand) : []));
  const openLost = outcome.damages.flatMap(({ eventsLost, sequences }) =>
    eventsLost > 0 ? sequences.flatMap(expand) : [],
  );
  assert.deepEqual(
    rangesOf(lost),
    rangesOf(openLost),
    `${where}: ${JSON.stringify([report.damages, outcome.damages])}`,
  );
  const loss = report.damages.reduce((sum, { eventsLost }) => sum + eventsLost, 0);
  const prepared = events.filter(({ state }) => state === 'prepared');
  const found = pending.length + prepared.length + loss - alreadyLost(view.damages);
  assert.equal(view.queue.depth, found, `${where}: depth`);
  if (reference.options.encryption !== undefined) await checkWithoutKeys(files, report, where);
}

/** Rule 14: the sums need no key. What was taken is not known then, and seems lost too. */
async function checkWithoutKeys(files: Files, keyed: VerifyReport, where: string): Promise<void> {
  const disk = await diskOf(files);
  const report = await verifyChannel(await viewChannel(home, { withoutKeys: true }, { disk, clock: systemClock }));
  const seen = ({ ok, bytesRead, groups, frames, events }: VerifyReport) => ({ ok, bytesRead, groups, frames, events });
  assert.deepEqual(seen(report), seen(keyed), `${where}, without the key: ${JSON.stringify(report.damages)}`);
  const damaged = ({ damages }: VerifyReport) => [...new Set(damages.map(({ path }) => path))].sort();
  assert.deepEqual(damaged(report), damaged(keyed), `${where}, without the key`);
  const named = new Set(report.damages.flatMap(({ sequences }) => sequences.flatMap(expand)));
  for (const { eventsLost, sequences } of keyed.damages) {
    for (const sequence of eventsLost > 0 ? sequences.flatMap(expand) : []) {
      assert.ok(named.has(sequence), `${where}, without the key: ${sequence} is lost, and not named`);
    }
  }
}

function alreadyLost(damages: readonly { readonly eventsLost: number }[]): number {
  return damages.reduce((sum, { eventsLost }) => sum + eventsLost, 0);
}

for (const [name, plan] of Object.entries(logPlans)) {
  if (name === 'zstd') continue;
  test(`a flip is found, and costs what an open and a drain lose: ${name}`, { timeout: 100_000 }, async (t) => {
    const reference = await buildReferenceLog(plan);
    await check(reference, reference.files, false, 'undamaged');
    const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);
    const random = new SeededRandom(seed);
    const { view } = await readAll(reference, reference.files);
    const isLive = (path: string, offset: number) =>
      view.segments.some((segment) => segment.path === path && offset < segment.endOffset);
    const live = reference.groups.filter(({ path, header: { offset } }) => isLive(path, offset));
    const places = live.map(({ path, header: { offset }, end }) => ({ path, from: offset, to: end }));
    const heads = reference.segments
      .filter(({ path }) => isLive(path, 0))
      .map(({ path }) => ({ path, from: 0, to: 8192 }));
    for (let index = 0; index < flipsEach; index += 1) {
      const { path, from, to } = random.pick(random.chance(0.15) ? heads : places);
      const bit = from * 8 + random.below((to - from) * 8);
      await check(reference, withFlip(reference.files, path, bit), true, `bit ${bit} of ${path}, FOREBAY_SEED=${seed}`);
    }
    t.diagnostic(`${flipsEach} flips`);
  });
}
