/**
 * A first run for newcomers, in the directory `try/`:
 *
 *     npm run try              a sample log → spool directory → file channel → files by date
 *     npm run try -- kill      the same with an agent that is killed again and again while it works
 *     npm run try -- look      what is in the channel
 *
 * Everything it makes stays in `try/`, for looking at and trying on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FileChannel, isForebayError } from '../src/index.ts';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const home = join(root, 'try');
const [spool, out, channel, configuration, log] = ['spool', 'out', 'channel', 'agent.properties', 'agent.log'].map(
  (name) => join(home, name),
) as [string, string, string, string, string];
const limitMs = 120_000;
const firstDay = Date.UTC(2026, 0, 30);
const days = 4;

const properties = `# A sample log in ./spool, by way of a file channel, into files by the date in each line.
# The format is Apache Flume's: the same file runs there.
a1.sources = r1
a1.channels = c1
a1.sinks = k1

a1.sources.r1.type = spooldir
a1.sources.r1.spoolDir = ${spool}
a1.sources.r1.batchSize = 1000
a1.sources.r1.channels = c1
# The time of an event is the one its line begins with.
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = regex_extractor
a1.sources.r1.interceptors.i1.regex = ^(\\\\S+ \\\\S+)
a1.sources.r1.interceptors.i1.serializers = s1
a1.sources.r1.interceptors.i1.serializers.s1.type = \\
  org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer
a1.sources.r1.interceptors.i1.serializers.s1.pattern = yyyy-MM-dd HH:mm:ss
a1.sources.r1.interceptors.i1.serializers.s1.name = timestamp

a1.channels.c1.type = file
a1.channels.c1.checkpointDir = ${channel}/checkpoint
a1.channels.c1.dataDirs = ${channel}/data

a1.sinks.k1.type = hdfs
a1.sinks.k1.channel = c1
a1.sinks.k1.hdfs.path = file://${out}/%Y-%m-%d
a1.sinks.k1.hdfs.filePrefix = access
a1.sinks.k1.hdfs.fileSuffix = .log
a1.sinks.k1.hdfs.inUsePrefix = .
a1.sinks.k1.hdfs.fileType = DataStream
a1.sinks.k1.hdfs.batchSize = 1000
a1.sinks.k1.hdfs.rollInterval = 60
a1.sinks.k1.hdfs.rollSize = 134217728
a1.sinks.k1.hdfs.rollCount = 0
`;

/** Lines of one log, from `first` on: evenly over the days. */
function sampleLog(first: number, count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const time = new Date(firstDay + Math.floor((index * days * 86_400_000) / count));
    const text = time.toISOString().slice(0, 19).replace('T', ' ');
    return `${text} request=${first + index} GET /item/${(index * 7919) % 10_007} 200 ${(index * 31) % 900} ms\n`;
  });
  return lines.join('');
}

/** Puts a file into the spool directory as a whole: it must not change once it is there. */
async function spoolFile(first: number, count: number): Promise<void> {
  const name = `sample-${String(first).padStart(8, '0')}.log`;
  await writeFile(join(home, name), sampleLog(first, count));
  await rename(join(home, name), join(spool, name));
}

async function prepare(): Promise<void> {
  await mkdir(spool, { recursive: true });
  await writeFile(configuration, properties);
}

function startAgent(): ChildProcess {
  const output = openSync(log, 'a');
  const args = [join(root, 'dist/cli/main.js'), 'agent', '-n', 'a1', '-f', configuration];
  const agent = spawn(process.execPath, args, { stdio: ['ignore', output, output] });
  closeSync(output);
  return agent;
}

async function end(agent: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) throw new Error(`the agent ended by itself: see ${log}`);
  const ended = once(agent, 'exit');
  agent.kill(signal);
  await ended;
  if (signal === 'SIGTERM' && agent.exitCode !== 0)
    throw new Error(`the agent ended with ${agent.exitCode}: see ${log}`);
}

/** Lines in finished files and in those being written, by `request=N`, each with how often it is there. */
async function linesThere(): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const entries = await readdir(out, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((one) => one.isFile())) {
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '');
    for (const [, id] of text.matchAll(/ request=(\d+) .*\n/g)) {
      counts.set(Number(id), (counts.get(Number(id)) ?? 0) + 1);
    }
  }
  return counts;
}

async function untilThere(agent: ChildProcess, isThere: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await isThere())) {
    if (agent.exitCode !== null || agent.signalCode !== null) throw new Error(`the agent ended by itself: see ${log}`);
    if (Date.now() > limit) throw new Error(`not done after ${limitMs / 1000} s: see ${log}`);
    await sleep(100);
  }
}

async function report(expected: number): Promise<void> {
  const counts = await linesThere();
  const twice = [...counts.values()].filter((count) => count > 1).length;
  const from = relative(process.cwd(), out) || '.';
  console.log(`${counts.size} of ${expected} lines are there, ${twice} of them more than once.\n`);
  for (const day of (await readdir(out)).sort()) {
    const names = (await readdir(join(out, day))).sort();
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(out, day, name))).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const files = names.length === 1 ? names[0] : `${names.length} files, ${names[0]}, …`;
    console.log(`  ${from}/${day}/  ${bytes} bytes in ${files}`);
  }
  if (counts.size !== expected || twice > 0) throw new Error('that is wrong: please report it, with what is in try/');
}

/** How many lines were ever spooled. */
async function spooledBefore(): Promise<number> {
  const names = await readdir(spool).catch(() => []);
  const texts = names.filter((name) => name.startsWith('sample-')).map((name) => readFile(join(spool, name), 'utf8'));
  return (await Promise.all(texts)).reduce((sum, text) => sum + text.split('\n').length - 1, 0);
}

async function run(): Promise<void> {
  await prepare();
  const before = await spooledBefore();
  const lines = 100_000;
  await spoolFile(before, lines);
  console.log(`A sample log of ${lines} lines is in ${relative(process.cwd(), spool)}/. The agent starts.`);
  const agent = startAgent();
  await untilThere(agent, async () => (await linesThere()).size >= before + lines);
  await end(agent, 'SIGTERM');
  await report(before + lines);
  const say = relative(process.cwd(), configuration);
  console.log(`
The configuration is ${say}, what the agent said is in ${relative(process.cwd(), log)}. Try next:

  npm run try -- look    what is in the channel
  npm run try -- kill    again, with an agent that is killed ten times while it works
  node dist/cli/main.js config check -f ${say}
  node dist/cli/main.js agent -n a1 -f ${say}
                         then move a log of your own into ${relative(process.cwd(), spool)}/, and stop it with Ctrl-C
`);
}

async function kill(): Promise<void> {
  await prepare();
  const before = await spooledBefore();
  const [files, lines, kills] = [20, 50_000, 10] as const;
  for (let file = 0; file < files; file += 1) await spoolFile(before + file * lines, lines);
  console.log(
    `${files} logs of ${lines} lines each. The agent is killed ${kills} times while it works (what an unfinished`,
  );
  console.log('file held may vanish with it: those lines are still in the channel, and come again in another one):');
  for (let count = 1; count <= kills; count += 1) {
    const agent = startAgent();
    await sleep(500 + 97 * count);
    await end(agent, 'SIGKILL');
    console.log(`  killed: ${(await linesThere()).size - before} lines can be seen so far`);
  }
  const agent = startAgent();
  await untilThere(agent, async () => (await linesThere()).size >= before + files * lines);
  await end(agent, 'SIGTERM');
  await report(before + files * lines);
}

async function look(): Promise<void> {
  const opened = await FileChannel.open(join(channel, 'data'), { checkpointDir: join(channel, 'checkpoint') });
  console.log(JSON.stringify(opened.stats(), null, 2));
  await opened.close();
}

const verb = process.argv[2] ?? 'run';
const verbs: Readonly<Record<string, () => Promise<void>>> = { run, kill, look };
const chosen = verbs[verb];
if (chosen === undefined) {
  console.error(`'${verb}' is not known: run, kill or look`);
  process.exitCode = 64;
} else {
  await chosen().catch((error: unknown) => {
    console.error(isForebayError(error) || error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
