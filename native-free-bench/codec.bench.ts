/** Events to payload bytes and back, and the checksum: pure CPU, no log and no disk. */
import { randomBytes, randomEvents } from '../src/bench/events.ts';
import { crc32 } from '../src/codec/checksum.ts';
import { planEventBatch, readEventBatch, writeEventBatch } from '../src/codec/event-batch.ts';
import { validateEvents } from '../src/codec/validate-event.ts';
import type { Event, Headers } from '../src/event/event.ts';
import type { Benchmark } from './context.ts';
import { type CpuTask, measureCpu } from './cpu.ts';

const batch = 100;
const checksumBytes: readonly number[] = [76, 500, 4096, 65_536];

/** See above. */
export const codecBench: Benchmark = async ({ sizes }) => {
  const { bodyBytes, seed } = sizes;
  const plain = randomEvents(batch, bodyBytes, seed);
  const shared: Headers = { host: 'web-7', file: '/var/log/access.log', facility: 'local0' };
  const kinds: readonly [kind: string, events: readonly Event[]][] = [
    ['no headers', plain],
    ['3 headers, one object', plain.map(({ body }) => ({ headers: shared, body }))],
    ['3 headers, equal objects', plain.map(({ body }) => ({ headers: { ...shared }, body }))],
    ['3 headers, one differs', plain.map(({ body }, index) => ({ headers: { ...shared, offset: `${index}` }, body }))],
  ];
  const tasks = kinds.flatMap(([kind, events]) => codecTasks(kind, events, batch * bodyBytes));
  const checksums = checksumBytes.map((bytes): CpuTask => {
    const source = randomBytes(bytes, seed);
    return { name: `crc32 of ${bytes} B`, run: () => crc32(source), events: 0, bytes };
  });
  const validate: CpuTask = {
    name: 'validate, no headers',
    run: () => validateEvents(plain, 'put: event'),
    events: batch,
    bytes: batch * bodyBytes,
  };
  return [
    { title: `codec: batches of ${batch} × ${bodyBytes} B`, rows: await measureCpu([validate, ...tasks], sizes) },
    { title: 'checksum: one call a run', rows: await measureCpu(checksums, sizes) },
  ];
};

function codecTasks(kind: string, events: readonly Event[], bytes: number): CpuTask[] {
  const plan = planEventBatch(events, undefined);
  const target = Buffer.alloc(plan.bytes);
  writeEventBatch(plan, target, 0);
  const decode = (): number => {
    const read = readEventBatch(target, events.length);
    if (read.kind !== 'batch') throw new Error(read.reason);
    return read.deliver(0, events.length, 1).length;
  };
  if (decode() !== events.length) throw new Error('the codec lost events');
  return [
    {
      name: `encode, ${kind}`,
      run: () => writeEventBatch(planEventBatch(events, undefined), target, 0),
      events: events.length,
      bytes,
    },
    { name: `decode, ${kind}`, run: decode, events: events.length, bytes },
  ];
}
