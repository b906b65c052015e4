/** `config check --connect`: tries to reach where the sinks of a configuration write, all of them at once. */
import type { ClientSurroundings, Connection } from '../agent/contracts/components.ts';
import type { PlannedSink } from '../agent/plan.ts';
import type { Loaded } from '../config/load.ts';
import type { ConfigProblem } from '../config/problems.ts';

/** What was found out about one sink. */
interface ConnectedSink {
  readonly agent: string;
  readonly sink: string;
  /** A sentence each. */
  readonly findings: readonly string[];
}

/** All of them that have a far side, and what is wrong with them, in no order. */
export interface ConnectedSinks {
  readonly connections: readonly ConnectedSink[];
  readonly problems: readonly ConfigProblem[];
}

/** For all together. */
const limitMs = 30_000;

/** Tries. Does not reject. */
export async function connectSinks(
  { plans, placeOf }: Pick<Loaded, 'plans' | 'placeOf'>,
  surroundings: ClientSurroundings,
): Promise<ConnectedSinks> {
  const limit = AbortSignal.timeout(limitMs);
  const connections: ConnectedSink[] = [];
  const problems: ConfigProblem[] = [];
  const tries = plans.flatMap(({ agent, sinks }) =>
    sinks.map(async (sink) => {
      const tried = await tryOne(sink, surroundings, limit);
      if (tried === undefined) return;
      connections.push({ agent, sink: sink.name, findings: tried.findings });
      for (const { key: rest, message } of tried.problems) {
        const { at, key } = placeOf(agent, sink.name, rest);
        const { file, line, column } = at;
        problems.push({ severity: 'error', file, line, column, key, message });
      }
    }),
  );
  await Promise.all(tries);
  const names = plans.flatMap(({ agent, sinks }) => sinks.map(({ name }) => `${agent}.${name}`));
  connections.sort((a, b) => names.indexOf(`${a.agent}.${a.sink}`) - names.indexOf(`${b.agent}.${b.sink}`));
  return { connections, problems };
}

async function tryOne(
  { definition, values }: PlannedSink,
  surroundings: ClientSurroundings,
  limit: AbortSignal,
): Promise<Connection | undefined> {
  const late = new Promise<Connection>((resolve) => {
    const message = `its far side could not be asked within ${limitMs / 1000} s: look whether it runs, and answers`;
    const tell = (): void => resolve({ findings: [], problems: [{ key: 'type', message }] });
    limit.addEventListener('abort', tell, { once: true });
  });
  try {
    const tried = definition.connect?.(values, surroundings, limit);
    return tried && (await Promise.race([tried, late]));
  } catch (error) {
    // A part of an operator's own may throw.
    return { findings: [], problems: [{ key: 'type', message: `it fails when it is tried: ${String(error)}` }] };
  }
}
