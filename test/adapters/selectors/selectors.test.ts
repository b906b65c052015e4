/** The selectors, each by its keys. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadBalancingSelector } from '../../../src/adapters/selectors/load-balancing.ts';
import { multiplexingSelector } from '../../../src/adapters/selectors/multiplexing.ts';
import { replicatingSelector } from '../../../src/adapters/selectors/replicating.ts';
import type { Selector, SelectorDefinition } from '../../../src/agent/contracts/components.ts';
import type { Keys } from '../../../src/agent/contracts/keys.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const channels = ['c1', 'c2', 'c3'];

function make<Declared extends Keys>(
  definition: SelectorDefinition<Declared>,
  properties: Record<string, string>,
  warnings: string[] = [],
): Selector {
  const { values, problems } = readKeys(definition.keys, new Map(Object.entries(properties)));
  const [problem] = values === undefined ? problems : (definition.check?.(values, { channels }) ?? []);
  if (values === undefined || problem !== undefined) throw new Error(`selector.${problem?.key}: ${problem?.message}`);
  const log = { info: () => undefined, warn: (text: string) => void warnings.push(text), error: () => undefined };
  return definition.create(values, { name: 's', channels, log, clock: new ManualClock(), count: () => undefined });
}

function route(selector: Selector, headers: Record<string, string>): string {
  const { required, optional } = selector.route({ headers, body: Buffer.alloc(0) });
  return `${required.join(' ')} / ${optional.join(' ')}`;
}

test('replicating: every channel, less the optional ones', () => {
  assert.equal(route(make(replicatingSelector, {}), {}), 'c1 c2 c3 / ');
  assert.equal(route(make(replicatingSelector, { optional: 'c3  c1 c3' }), {}), 'c2 / c3 c1');
  assert.throws(
    () => make(replicatingSelector, { optional: 'c3 c9' }),
    /selector\.optional: the source has no channel 'c9'/,
  );
});

test('multiplexing: by the header’s exact value, else the default', () => {
  const selector = make(multiplexingSelector, {
    header: 'state',
    'mapping.CZ': 'c1',
    'mapping.US.west': 'c2 c3 c2',
    'optional.CZ': 'c1 c2',
    'optional.DE': 'c3 c1',
    default: 'c3',
  });
  const cases: [Record<string, string>, string][] = [
    [{ state: 'CZ' }, 'c1 / c2'],
    [{ state: 'US.west' }, 'c2 c3 / '],
    // Without a mapping: the default, and the optional ones that are not in it.
    [{ state: 'DE' }, 'c3 / c1'],
    [{ state: 'cz' }, 'c3 / '],
    [{ state: ' CZ' }, 'c3 / '],
    [{ state: '  ' }, 'c3 / '],
    [{ state: '__proto__' }, 'c3 / '],
    [{ other: 'CZ' }, 'c3 / '],
  ];
  for (const [headers, expected] of cases) assert.equal(route(selector, headers), expected, JSON.stringify(headers));
  const headerless = make(multiplexingSelector, { header: 'toString', default: 'c1', 'mapping.x': 'c2' });
  assert.equal(route(headerless, {}), 'c1 / ');
});

test('multiplexing: the header’s default name, and no default', () => {
  const warnings: string[] = [];
  const selector = make(multiplexingSelector, { 'mapping.a': 'c1', 'optional.b': 'c2' }, warnings);
  assert.equal(route(selector, { 'flume.selector.header': 'a' }), 'c1 / ');
  assert.equal(route(selector, { 'flume.selector.header': 'b' }), ' / c2');
  assert.equal(route(selector, {}), ' / ');
  assert.match(warnings.join(), /no selector\.default: events whose header 'flume\.selector\.header'/);
  const quiet: string[] = [];
  make(multiplexingSelector, { default: 'c1' }, quiet);
  assert.deepEqual(quiet, []);
});

test('multiplexing: a mapping to a foreign channel is an error; one to nothing is not there', () => {
  const empty = make(multiplexingSelector, { header: 'h', 'mapping.a': ' ', default: 'c2' });
  assert.equal(route(empty, { h: 'a' }), 'c2 / ');
  for (const key of ['mapping.a', 'optional.a', 'default']) {
    assert.throws(
      () => make(multiplexingSelector, { [key]: 'c1 c9' }),
      new RegExp(`selector\\.${key}: the source has no channel 'c9'`),
    );
  }
});

test('load_balancing: one channel each, in turn or by chance', () => {
  const robin = make(loadBalancingSelector, {});
  const turns = [1, 2, 3, 4].map(() => route(robin, {}));
  assert.deepEqual(turns, ['c1 / ', 'c2 / ', 'c3 / ', 'c1 / ']);
  const random = make(loadBalancingSelector, { policy: 'RANDOM' });
  const counts = new Map<string, number>();
  let repeats = 0;
  let before = '';
  for (let turn = 0; turn < 3000; turn += 1) {
    const to = route(random, {});
    counts.set(to, (counts.get(to) ?? 0) + 1);
    if (to === before) repeats += 1;
    before = to;
  }
  assert.ok(repeats > 700, `${repeats} times the same channel twice, as never in turn`);
  assert.deepEqual([...counts.keys()].sort(), ['c1 / ', 'c2 / ', 'c3 / ']);
  // Ten standard deviations.
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 260, String(count));
  assert.throws(() => make(loadBalancingSelector, { policy: 'best' }));
});

test('which channels no event requires', () => {
  const optionalOf = <Declared extends Keys>(
    definition: SelectorDefinition<Declared>,
    properties: Record<string, string>,
  ): readonly string[] => {
    const { values } = readKeys(definition.keys, new Map(Object.entries(properties)));
    assert.ok(values !== undefined);
    return definition.optionalChannels?.(values, { channels }) ?? [];
  };
  assert.deepEqual(optionalOf(replicatingSelector, { optional: 'c3 c1' }), ['c3', 'c1']);
  assert.deepEqual(optionalOf(replicatingSelector, {}), []);
  const optionals = { 'optional.x': 'c1 c2', 'optional.y': 'c3' };
  assert.deepEqual(optionalOf(multiplexingSelector, { ...optionals, 'mapping.y': 'c1' }), ['c2', 'c3']);
  assert.deepEqual(optionalOf(multiplexingSelector, { ...optionals, default: 'c2 c3' }), ['c1']);
  assert.deepEqual(optionalOf(loadBalancingSelector, {}), []);
});
