/** Plans the faults of one case of the matrix. */
import type { Fault } from './hadoop-cluster/fault-exchange.ts';
import type { FaultProxy } from './hadoop-cluster/fault-proxy.ts';
import type { MatrixCase } from './hdfs-matrix-cases.ts';
import type { AgentLives } from './hdfs-matrix-life.ts';

const delayMs = 1500;
const pollMs = 10;
/** A late request that waits for others waits no longer than so. */
const lateMsMax = 2500;

/** Tells `proxy` what to do; it kills the agent of `lives` where the case says so. */
export function planFaults(proxy: FaultProxy, lives: AgentLives, one: MatrixCase): void {
  const { place, nth, fault, kill } = one;
  const { cause, kind, since } = place;
  if (cause !== undefined) {
    const deadly = { before: () => lives.kill() };
    proxy.spoil(cause.kind, 1, { whole: true, cut: cause.cut, ...(cause.isDeadly && deadly) });
  }
  const held = holdOf(proxy, one);
  const before = async (gone: Promise<void>): Promise<void> => {
    if (kill === 'before') await lives.kill();
    await held?.(gone);
  };
  const cut = cutOf(one);
  proxy.spoilOne(
    { kind, nth, since },
    {
      // Otherwise what the client has sent by now is all that is passed on.
      whole: kill === 'before' || fault === 'late' || fault.startsWith('body'),
      before,
      ...(cut !== undefined && { cut }),
      repeat: fault === 'repeated',
      ...(kill === 'after' && { after: () => lives.kill() }),
    },
  );
}

function cutOf({ fault, kill }: MatrixCase): Fault['cut'] {
  if (fault === 'cut before it got there') return 'request';
  if (fault === 'body cut at 0 %') return { share: 0 };
  if (fault === 'body cut at 50 %') return { share: 0.5 };
  if (fault === 'body cut at 100 %') return { share: 1 };
  // Who is dead gets no answer, whatever the case is.
  return fault === 'answer dropped' || kill !== 'none' ? 'answer' : undefined;
}

/** How long a request is held. */
function holdOf(proxy: FaultProxy, { fault, lateBy }: MatrixCase): Fault['before'] {
  if (fault === 'delayed') return () => sleep(delayMs);
  if (fault !== 'late') return undefined;
  return async (gone) => {
    await gone;
    const from = proxy.over;
    const endMs = performance.now() + lateMsMax;
    while (proxy.over < from + lateBy && performance.now() < endMs) await sleep(pollMs);
  };
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
