/** Inputs, and lines of configurations, that many cases share. */

/** A source of the files in the case's `in`. */
export const spooldir: readonly string[] = ['type = spooldir', 'spoolDir = @dir@/in', 'pollDelay = 200'];

/** Interceptors in their order, each with its settings. */
export function intercepted(...interceptors: readonly (readonly string[])[]): string[] {
  const names = interceptors.map((_, index) => `i${index}`);
  const settings = interceptors.flatMap((one, index) => one.map((line) => `interceptors.i${index}.${line}`));
  return [`interceptors = ${names.join(' ')}`, ...settings];
}

/** A sink into files of the case's `out/SINK`. */
export function files(sink: string, serializer: string, ...more: readonly string[]): string[] {
  const always = ['type = file_roll', `sink.directory = @dir@/out/${sink}`, 'sink.rollInterval = 0'];
  return [...always, `sink.serializer = ${serializer}`, ...more];
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index} line ${'x'.repeat(index % 20)}\n`).join('');
}

/** 45 lines. */
export const numbered: Readonly<Record<string, string>> = { 'in/one': lines(45) };
/** By time of day: around midnight of two zones, across an hour, half an hour, and a change of the clock. */
export const timed: Readonly<Record<string, string>> = {
  'in/one': [
    '1710053999999 a 06:59:59.999 UTC, 01:59 in New York',
    '1710054000000 a one ms later, after the change: 03:00',
    '1710054000500 b',
    '1710057599000 a the same hour',
    '1710133199000 b before midnight in New York',
    '1710133200000 b midnight',
    '1710135000000 a half past',
    '1710181799000 b before midnight in India',
    '1710181800000 b midnight in India',
    '951827696789 a long ago',
    '',
  ].join('\n'),
};
/** A source of `timed`: each line's time and host are headers. */
export const byTime: readonly string[] = [
  ...spooldir,
  ...intercepted([
    'type = regex_extractor',
    'regex = ^(\\\\d+) (\\\\w)',
    'serializers = s1 s2',
    'serializers.s1.name = timestamp',
    'serializers.s2.name = host',
  ]),
];

/** Without a limit of its own the sink has Flume's, of 10 events, 1024 bytes and 30 s. */
export const unlimited: readonly string[] = ['hdfs.rollCount = 0', 'hdfs.rollSize = 0', 'hdfs.rollInterval = 0'];

/** An hdfs sink into the case's `out/PATH`. */
export function hdfs(path: string, ...more: readonly string[]): string[] {
  const always = ['type = hdfs', `hdfs.path = file://@dir@/out/${path}`, 'hdfs.useRawLocalFileSystem = true'];
  return [...always, ...more];
}

/** Bodies as they are. */
export const text: readonly string[] = ['hdfs.fileType = DataStream'];
