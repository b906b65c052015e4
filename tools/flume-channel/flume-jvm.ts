/** Apache Flume's file channel in a JVM of its own: built once, then told what to do line by line. */
import { buildJavaServer } from '../jvm/build.ts';
import { LineProcess, type LineProgram } from '../peers/line-process.ts';

const serverName = 'FlumeChannelServer';
/** Enough for a million events waiting; the same as in the figures that the targets come from. */
const heap: readonly string[] = ['-Xms2g', '-Xmx4g'];

/** What a JVM is started with. */
export interface FlumeBuild {
  readonly classPath: string;
}

/** Downloads what Maven does not have yet and compiles; nothing where that was done before. */
export function buildFlume(): FlumeBuild {
  return { classPath: buildJavaServer('tools/flume-channel', '.bench-data/flume-channel', serverName) };
}

/** How the server is started: see FlumeChannelServer.java for its commands. */
export function flumeProgram({ classPath }: FlumeBuild): LineProgram {
  return { name: 'Flume', command: 'java', args: [...heap, '-cp', classPath, serverName] };
}

/** A running server. */
export class FlumeJvm extends LineProcess {
  constructor(build: FlumeBuild) {
    super(flumeProgram(build));
  }
}
