/** The run: turn after turn, each result written down at once. */
import { setTimeout } from 'node:timers/promises';
import { mainSideOf } from './cells.ts';
import type { ContenderName } from './contenders.ts';
import { Lane } from './lane.ts';
import type { Program } from './programs.ts';
import { appendResult, type FailedLine, type Settings } from './results-file.ts';
import { durationName, type Turn, turnMs } from './turns.ts';

/** What a run needs. */
export interface Run {
  /** What could be built. */
  readonly programs: ReadonlyMap<ContenderName, Program>;
  /** Exists; emptied by the caller. */
  readonly scratch: string;
  /** The results file; `start` is in it. */
  readonly file: string;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** Told one line for each thing that happens. */
  readonly say: (line: string) => void;
}

const signalMs = 20;
/** Shortest that a contender's whole way can be tried with. */
const probeSettings = { windowMs: 30, warmUpMs: 10, gaugeMs: 1 } as const;

/**
 * Tries each contender that has a turn with one small cell: what its process, its directories and their removal take
 * beside the work, ms. One that fails is noted in the results and has no entry.
 */
export async function probe(run: Run, turns: readonly Turn[]): Promise<ReadonlyMap<ContenderName, number>> {
  const aroundMs = new Map<ContenderName, number>();
  for (const contender of new Set(turns.map((turn) => turn.contender))) {
    const program = run.programs.get(contender.name);
    if (program === undefined || run.signal.aborted) continue;
    const lane = new Lane(contender, program, run.scratch, { ...run.settings, ...probeSettings });
    const startMs = performance.now();
    try {
      const cell = { id: '', work: 'put', producers: 1, consumers: 0, batch: 100, bodyBytes: 500 } as const;
      await stoppable(run.signal, lane, () => lane.measure(cell));
      const tookMs = performance.now() - startMs;
      aroundMs.set(contender.name, Math.max(0, tookMs - probeSettings.windowMs - probeSettings.warmUpMs));
    } catch (error) {
      await setTimeout(signalMs);
      if (!run.signal.aborted) noteFailure(run, { contender: contender.name, error });
    } finally {
      await lane.kill();
    }
  }
  return aroundMs;
}

/** Measures all turns of those that `aroundMs` has; resolves to the number that failed. Ends early at the signal. */
export async function runTurns(
  run: Run,
  turns: readonly Turn[],
  aroundMs: ReadonlyMap<ContenderName, number>,
): Promise<number> {
  const able = turns.filter(({ contender }) => aroundMs.has(contender.name));
  const estimateMs = (turn: Turn): number => turnMs(turn, run.settings, aroundMs.get(turn.contender.name) ?? 0);
  let leftMs = able.reduce((sum, turn) => sum + estimateMs(turn), 0);
  run.say(`${able.length} measurements, about ${durationName(leftMs)}`);
  const lanes = new Map<ContenderName, Lane>();
  /** How much longer it takes than was estimated. */
  let factor = 1;
  let failures = 0;
  try {
    for (const [index, turn] of able.entries()) {
      if (run.signal.aborted) break;
      const lane = laneOf(run, lanes, turn);
      const startMs = performance.now();
      const said = await measureTurn(run, lane, turn).catch(async (error: unknown) => {
        // A terminal's Ctrl-C ends the peers too, perhaps before it is heard here.
        await setTimeout(signalMs);
        if (run.signal.aborted) return 'stopped';
        const { contender, cell, repetition } = turn;
        noteFailure(run, { contender: contender.name, cell: cell.id, repetition, error });
        failures += 1;
        return 'failed';
      });
      leftMs -= estimateMs(turn);
      factor = 0.95 * factor + 0.05 * ((performance.now() - startMs) / estimateMs(turn));
      const name = `${index + 1}/${able.length} ${turn.cell.id}, run ${turn.repetition}, ${turn.contender.name}`;
      run.say(`${name}: ${said}; ${durationName(Math.max(0, leftMs * factor))} left`);
    }
  } finally {
    for (const lane of lanes.values()) await (run.signal.aborted ? lane.kill() : lane.end());
  }
  return failures;
}

function laneOf(run: Run, lanes: Map<ContenderName, Lane>, { contender }: Turn): Lane {
  const known = lanes.get(contender.name);
  if (known !== undefined) return known;
  const program = run.programs.get(contender.name);
  if (program === undefined) throw new Error(`${contender.title} was not built`);
  const lane = new Lane(contender, program, run.scratch, run.settings);
  lanes.set(contender.name, lane);
  return lane;
}

async function measureTurn(run: Run, lane: Lane, { cell, contender, repetition }: Turn): Promise<string> {
  const startMs = performance.now();
  const measured = await stoppable(run.signal, lane, () => lane.measure(cell));
  appendResult(run.file, {
    kind: 'result',
    cell: cell.id,
    contender: contender.name,
    repetition,
    node: process.version,
    at: new Date().toISOString(),
    tookMs: Math.round(performance.now() - startMs),
    ...measured,
  });
  const rate = measured.figures[mainSideOf(cell.work)]?.eventsPerSecond ?? 0;
  return `${Math.round(rate).toLocaleString('en-US')}/s`;
}

/** Kills the lane's process at the signal, so that `work` rejects. */
async function stoppable<Result>(signal: AbortSignal, lane: Lane, work: () => Promise<Result>): Promise<Result> {
  const stop = (): void => void lane.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Writes it down and says it. */
export function noteFailure(
  { file, say }: Pick<Run, 'file' | 'say'>,
  { error, ...of }: Pick<FailedLine, 'contender' | 'cell' | 'repetition'> & { readonly error: unknown },
): void {
  const message = error instanceof Error ? error.message : String(error);
  const at = new Date().toISOString();
  appendResult(file, { kind: 'failed', ...of, node: process.version, at, error: message });
  say(`${of.contender}${of.cell === undefined ? ' is missing' : ` failed in ${of.cell}`}: ${message}`);
}
