/** The command line of the peers' benchmark. */
import { parseArgs } from 'node:util';
import { allCells, type Cell } from './cells.ts';
import { type Contender, contenders } from './contenders.ts';

/** What was asked for. */
export interface PeersOptions {
  /** Where to measure; undefined with `reports`. */
  readonly directory: string | undefined;
  readonly repetitions: number;
  readonly windowMs: number;
  readonly cells: readonly Cell[];
  readonly contenders: readonly Contender[];
  /** The results file. */
  readonly resume: string | undefined;
  readonly quick: boolean;
  /** Results files to make the document of, without measuring. */
  readonly reports: readonly string[];
  /** The directory of the document; default docs, with `quick` one beside the results. */
  readonly out: string | undefined;
}

/** What is printed where the command line is not understood. */
export const usage: string = `usage: tsx tools/peers/main.ts --dir DIR [--reps N] [--window-ms N] [--only TEXT,…]
                               [--peers NAME,…] [--resume FILE] [--quick] [--out DIR]
       tsx tools/peers/main.ts --report FILE [--report FILE …] [--out DIR]
       TEXT is looked for in the names of cells: ${allCells[0]?.id}, ${allCells.at(-1)?.id}
       NAME: ${contenders.map(({ name }) => name).join(', ')}`;

const windowMsDefault = 2000;
const windowMsQuick = 50;

/** @throws {Error} Where it cannot be understood; the message says what. */
export function readOptions(args: readonly string[]): PeersOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: 'string' },
      reps: { type: 'string' },
      'window-ms': { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      resume: { type: 'string' },
      quick: { type: 'boolean', default: false },
      report: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
    },
  });
  const { quick, report: reports } = values;
  if (values.dir === undefined && reports.length === 0) throw new Error('--dir DIR is needed: where to measure');
  if (values.dir !== undefined && reports.length > 0) throw new Error('--report only reads: it takes no --dir');
  // Directories are words of the lines that the peers are told.
  if (values.dir !== undefined && /\s/.test(values.dir)) throw new Error(`--dir '${values.dir}': no spaces, please`);
  const windowDefault = quick ? windowMsQuick : windowMsDefault;
  return {
    directory: values.dir,
    repetitions: wholeNumber('--reps', values.reps ?? (quick ? '1' : '3')),
    windowMs: wholeNumber('--window-ms', values['window-ms'] ?? `${windowDefault}`),
    cells: cellsOf(values.only),
    contenders: contendersOf(values.peers),
    resume: values.resume,
    quick,
    reports,
    out: values.out,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`${name} '${text}' is not allowed: a whole number from 1`);
}

function cellsOf(only: string | undefined): readonly Cell[] {
  if (only === undefined) return allCells;
  const texts = only.split(',').map((text) => text.replace('×', 'x'));
  const unknown = texts.find((text) => text === '' || !allCells.some(({ id }) => id.includes(text)));
  if (unknown !== undefined) throw new Error(`--only '${unknown}' is in no cell's name`);
  return allCells.filter(({ id }) => texts.some((text) => id.includes(text)));
}

function contendersOf(peers: string | undefined): readonly Contender[] {
  if (peers === undefined) return contenders;
  const names = peers.split(',');
  const unknown = names.find((name) => !contenders.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`--peers '${unknown}' is not known`);
  return contenders.filter(({ name }) => names.includes(name));
}
