/**
 * Directories that Apache Flume's file channel has just written, stopped and killed in many ways: what `import-flume`
 * puts is what Flume itself delivers from copies of them; in the order of its full replay, and as many times as with
 * its checkpoint.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { FileChannel } from '../../src/engine.ts';
import { drain } from '../adapters/contexts.ts';
import { eventText } from '../support/flume-samples.ts';
import { forebay } from '../support/forebay-here.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { snapshotOf } from '../support/tree-snapshot.ts';
import { flumeFolder } from './agents.ts';
import { type DirectoryCase, directoryCases, makeDirectory, settingsOf } from './flume-directory-cases.ts';
import { drainFlume, type FlumeDelivery } from './flume-file-channel.ts';
import { buildJava, javaMissing } from './java-program.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `Flume cannot be asked: ${missing}`;
const seed = Number(process.env['FOREBAY_SEED'] ?? Date.now() % 1_000_000);

/** A case's directory as Flume left it, and copies for Flume to go on with. */
interface Made {
  readonly one: DirectoryCase;
  readonly written: string;
  readonly keys: string;
  readonly record: string;
  /** `replayed`: without a checkpoint, so that Flume replays all of its logs. */
  readonly copies: { readonly replayed: string; readonly checkpointed: string };
}

async function makeAll(t: TestContext, classPath: string): Promise<Made[]> {
  const random = new SeededRandom(seed);
  const made: Made[] = [];
  for (const one of directoryCases) {
    const parent = await tempDir(t);
    const [written, keys, record] = [join(parent, 'written'), join(parent, 'keys'), join(parent, 'record')];
    const choose = (limit: number): number => random.below(limit);
    await makeDirectory(t, one, { classPath, directory: written, keys, record, random: choose });
    const copies = { replayed: join(parent, 'replayed'), checkpointed: join(parent, 'checkpointed') };
    for (const copy of Object.values(copies)) await cp(written, copy, { recursive: true, preserveTimestamps: true });
    for (const name of ['checkpoint', 'backup'])
      await rm(join(copies.replayed, name), { recursive: true, force: true });
    made.push({ one, written, keys, record, copies });
  }
  return made;
}

/** What the new channel holds, as `eventText`, in its order. */
async function imported({ one, written, keys }: Made): Promise<string[]> {
  const { dataDirs = '', checkpointDir = '' } = settingsOf(one, written, keys);
  const target = join(written, '..', 'new');
  const before = await snapshotOf(written);
  const place = ['--data-dirs', dataDirs, '--checkpoint-dir', checkpointDir, ...(one.options?.(keys) ?? [])];
  const ran = await forebay('channel', 'import-flume', target, ...place, '--json');
  assert.deepEqual([ran.status, ran.stderr], [0, '']);
  assert.deepEqual(await snapshotOf(written), before, 'the old directories were changed');
  const channel = await FileChannel.open(target);
  const events = await drain(channel).finally(() => channel.close());
  const { events: count, damages } = JSON.parse(ran.stdout) as { events: number; damages: unknown[] };
  assert.deepEqual([count, damages], [events.length, []]);
  return events.map(({ headers, body }) => eventText(headers, body));
}

test("what is imported is Flume's own delivery, event for event", { skip }, async (t) => {
  const classPath = await buildJava(flumeFolder, t);
  if (classPath === undefined) return;
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  const made = await makeAll(t, classPath);
  const channels = made.flatMap(({ one, keys, copies }) =>
    [copies.replayed, copies.checkpointed].map((copy) => settingsOf(one, copy, keys)),
  );
  const delivered = await drainFlume(classPath, channels);
  let events = 0;
  let repeated = 0;
  for (const [index, each] of made.entries()) {
    const [replayed, checkpointed] = delivered.slice(2 * index);
    assert.ok(replayed !== undefined && checkpointed !== undefined);
    await t.test(each.one.name, async (st) => {
      const ours = await imported(each);
      const known = knownFrom(each.record);
      assertKnown(ours, known);
      assert.deepEqual(ours, replayed.events, 'the sequence of its full replay');
      const again = assertSameButTaken(ours, checkpointed.events, known);
      if (each.one.again !== undefined) assert.equal(again, each.one.again);
      assert.equal(ours.length > 0, each.one.name !== 'nothing in it');
      st.diagnostic(`${ours.length} events; ${said(ours, replayed, checkpointed, again)}`);
      repeated += again;
      events += ours.length;
    });
  }
  const what = `of ${made.length} directories just written by Apache Flume's file channel`;
  const more = `${repeated} that were taken before are delivered again by Flume alone, by its checkpoint`;
  t.diagnostic(`shows: ${what} ${events} events were imported as Flume delivers them from copies; ${more}`);
});

/** Numbers of events, by what is known of them. */
interface Known {
  readonly put: ReadonlySet<string>;
  readonly 'put!': ReadonlySet<string>;
  readonly take: ReadonlySet<string>;
  readonly 'take!': ReadonlySet<string>;
}

function knownFrom(record: string): Known {
  const known = {
    put: new Set<string>(),
    'put!': new Set<string>(),
    take: new Set<string>(),
    'take!': new Set<string>(),
  };
  for (const line of readFileSync(record, 'utf8').split('\n').slice(0, -1)) {
    const [what = '', number = ''] = line.split(' ');
    known[what as keyof Known].add(number);
  }
  return known;
}

/** By its header, or where it has none by its body. */
function numberOf(text: string): string {
  const [headers, body] = JSON.parse(text) as [[string, string][], string];
  const header = headers.find(([name]) => name === 'number');
  return header?.[1] ?? Buffer.from(body, 'base64').toString().split(' ')[1] ?? '';
}

/** Against what the writer itself knew: what was put for certain is there or was taken, and nothing else is there. */
function assertKnown(ours: readonly string[], known: Known): void {
  const numbers = new Set(ours.map(numberOf));
  assert.equal(numbers.size, ours.length);
  const wrong = [...numbers].filter((number) => !known.put.has(number) || known['take!'].has(number));
  const lost = [...known['put!']].filter((number) => !numbers.has(number) && !known.take.has(number));
  assert.deepEqual({ wrong, lost }, { wrong: [], lost: [] });
}

/**
 * Where events were given back across a checkpoint and taken again, Flume delivers them once more when it starts from
 * it: it keeps those that were in flight then and not committed by the same transaction. @returns how many.
 */
function assertSameButTaken(ours: readonly string[], checkpointed: readonly string[], known: Known): number {
  const own = new Set(ours);
  const again = checkpointed.filter((event) => !own.has(event));
  assert.deepEqual(
    again.filter((event) => !known['take!'].has(numberOf(event))),
    [],
  );
  const others = checkpointed.filter((event) => own.has(event));
  assert.deepEqual(others.toSorted(), ours.toSorted(), 'all that it delivers with its checkpoint');
  return again.length;
}

function said(
  ours: readonly string[],
  replayed: FlumeDelivery,
  { events, isMended }: FlumeDelivery,
  again: number,
): string {
  const order = isDeepStrictEqual(ours, events) ? 'the same order' : 'another order';
  const repeats = again === 0 ? '' : `, and ${again} that were taken`;
  const mended = replayed.isMended || isMended ? '; Flume did not start before its integrity tool had run' : '';
  return `Flume with its checkpoint: ${order}${repeats}${mended}`;
}
