/** What is allowed and hurts later: seen from the plan of an agent, before it runs. */
import type { Plan, PlannedSink, PlannedSource } from '../agent/plan.ts';
import type { AgentSettings, Part } from './agent-settings.ts';
import type { Problems } from './problems.ts';

/** Sources whose events have only the headers that interceptors give them. */
const withoutHeaders = [
  'spooldir',
  'taildir',
  'exec',
  'netcat',
  'netcatudp',
  'seq',
  'org.apache.flume.source.stresssource',
];
/** Escapes of Flume's that are made of the event's timestamp; `%{header}` and `%[host]` are not. */
const timeEscape = /%[aAbBcdeDHIjklmMnpsStTyYzZ]/;

/** Warns of what the plan's sinks will do. */
export function warnOfPlan(plan: Plan, agent: AgentSettings, problems: Problems): void {
  for (const sink of plan.sinks.filter((one) => hasType(one, 'hdfs'))) {
    const part = agent.parts.sinks.get(sink.name);
    if (part === undefined) continue;
    warnOfSmallFiles(part, problems);
    warnOfOpenFiles(part, problems);
    warnOfLogin(part, problems);
    warnOfTime(sink, part, plan.sources, problems);
  }
}

function hasType({ definition }: { definition: { types: readonly string[] } }, ...types: readonly string[]): boolean {
  return definition.types.some((type) => types.includes(type.toLowerCase()));
}

function warnOfSmallFiles(part: Part, problems: Problems): void {
  const presets = [
    ['hdfs.rollCount', 'is left at 10: a new file begins after every 10 events'],
    ['hdfs.rollSize', 'is left at 1024: a new file begins after every 1024 bytes'],
  ] as const;
  for (const [key, message] of presets) {
    if (!part.settings.has(key)) problems.warn(part.at, `${part.prefix}${key}`, `${message}; 0 turns that off`);
  }
}

function warnOfOpenFiles(part: Part, problems: Problems): void {
  const prefix = part.settings.get('hdfs.inUsePrefix');
  if (prefix !== undefined && /^[._]/.test(prefix.value)) return;
  const message =
    "does not begin with '_' or '.': Hive, Spark and MapReduce read files that are still being written; " +
    'hdfs.inUsePrefix = . hides them';
  problems.warn(prefix?.valueAt ?? part.at, `${part.prefix}hdfs.inUsePrefix`, message);
}

/** For HDFS it is an error, which the sink's own check finds. */
function warnOfLogin(part: Part, problems: Problems): void {
  if (!/^file:/i.test(part.settings.get('hdfs.path')?.value ?? '')) return;
  for (const key of ['hdfs.kerberosPrincipal', 'hdfs.kerberosKeytab']) {
    const setting = part.settings.get(key);
    if (setting === undefined) continue;
    problems.warn(setting.keyAt, setting.key, 'has no effect: local files are written as the user that runs the agent');
  }
}

function warnOfTime(sink: PlannedSink, part: Part, sources: readonly PlannedSource[], problems: Problems): void {
  if (part.settings.get('hdfs.useLocalTimeStamp')?.value.toLowerCase() === 'true') return;
  const feeding = sources.filter(({ channels }) => channels.includes(sink.channel));
  const untimed = feeding.filter((source) => hasType(source, ...withoutHeaders) && !setsTimestamp(source));
  if (untimed.length === 0) return;
  const names = untimed.map(({ name }) => `'${name}'`).join(', ');
  for (const key of ['hdfs.path', 'hdfs.filePrefix']) {
    const setting = part.settings.get(key);
    const used = timeEscape.exec(setting?.value.replaceAll('%%', '') ?? '')?.[0];
    if (setting === undefined || used === undefined) continue;
    const message = `${used} needs a timestamp, and nothing gives one to the events of source ${names}: add a \
timestamp interceptor there, or set hdfs.useLocalTimeStamp = true`;
    problems.warn(setting.valueAt, setting.key, message);
  }
}

/** Whether an interceptor may set the header `timestamp`. One that is not known may. */
function setsTimestamp({ interceptors }: PlannedSource): boolean {
  return interceptors.some((interceptor) => {
    const { values } = interceptor;
    if (hasType(interceptor, 'timestamp')) return (values['headerName'] ?? 'timestamp') === 'timestamp';
    if (hasType(interceptor, 'static')) return values['key'] === 'timestamp';
    return !hasType(interceptor, 'host', 'remove_header', 'search_replace', 'regex_filter');
  });
}
