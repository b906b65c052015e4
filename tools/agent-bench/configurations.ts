/** The two configuration files that both agents are given: the very same bytes, at the very same path. */

/** Where one run's files are. */
export interface RunPlaces {
  /** What the agent reads: a spool directory, or where the tailed file is. */
  readonly input: string;
  readonly output: string;
  readonly checkpoint: string;
  readonly data: string;
  readonly positions: string;
}

/** The name of the file that is tailed. */
export const tailedName = 'app.log';

/** Spool directory → file channel with its defaults → one file. */
export function endToEndConfiguration({ input, output, checkpoint, data }: RunPlaces, batchSize: number): string {
  return lines([
    'a1.sources = r1',
    'a1.channels = c1',
    'a1.sinks = k1',
    'a1.sources.r1.type = spooldir',
    `a1.sources.r1.spoolDir = ${input}`,
    `a1.sources.r1.batchSize = ${batchSize}`,
    'a1.sources.r1.channels = c1',
    ...channelAndSink({ output, checkpoint, data }),
    `a1.sinks.k1.sink.batchSize = ${batchSize}`,
  ]);
}

/** A tailed file → file channel → one file, with all defaults. */
export function latencyConfiguration({ input, output, checkpoint, data, positions }: RunPlaces): string {
  return lines([
    'a1.sources = r1',
    'a1.channels = c1',
    'a1.sinks = k1',
    'a1.sources.r1.type = TAILDIR',
    'a1.sources.r1.filegroups = f1',
    `a1.sources.r1.filegroups.f1 = ${input}/${tailedName.replace('.', '\\\\.')}`,
    `a1.sources.r1.positionFile = ${positions}/taildir.json`,
    'a1.sources.r1.channels = c1',
    ...channelAndSink({ output, checkpoint, data }),
  ]);
}

function channelAndSink({ output, checkpoint, data }: Pick<RunPlaces, 'output' | 'checkpoint' | 'data'>): string[] {
  return [
    'a1.channels.c1.type = file',
    `a1.channels.c1.checkpointDir = ${checkpoint}`,
    `a1.channels.c1.dataDirs = ${data}`,
    'a1.sinks.k1.type = file_roll',
    `a1.sinks.k1.sink.directory = ${output}`,
    'a1.sinks.k1.sink.rollInterval = 0',
    'a1.sinks.k1.channel = c1',
  ];
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
