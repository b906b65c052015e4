/** Sources, interceptors, selectors and serializers: what each case leaves is to be the same from both agents. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type FlumeCase, sortHeaders } from './flume-case.ts';
import { files, intercepted, spooldir } from './flume-settings.ts';

/** Which ways there are: plain, with both kinds of line end, not ASCII, empty, without a last line end. */
const lines = ['first', 'with return\r', 'zwölf Boxkämpfer 日本 🦊', '', '  blanks  ', '\ttab\0zero', '{a=b} c'];
const text = `${lines.join('\n')}\nlast without end`;
const spooled = { 'in/one': text, 'in/two': 'of the second file\n', 'in/empty': '' };

const shown = { k: files('k', 'header_and_text') };
const extractTime = ['type = regex_extractor', 'regex = ^(\\\\d+) (\\\\S+)', 'serializers = s1 s2'];
const extracted = [...extractTime, 'serializers.s1.name = timestamp', 'serializers.s2.name = host'];
const timed = '1712000000999 web-1 GET /a\n1712003600000 web-2 POST /b\nno time here\n0 zero\n';

const serializers: readonly FlumeCase[] = [
  { name: 'text', files: spooled, source: spooldir, sinks: { k: files('k', 'TEXT') }, lines: 10 },
  {
    name: 'textjoined',
    files: { 'in/one': 'no\nend\n', 'in/two': 'of\nlines' },
    source: spooldir,
    // The second sink tells when all has come.
    sinks: { k: files('k', 'text', 'sink.serializer.appendNewline = false'), done: files('done', 'text') },
    lines: 4,
  },
  {
    name: 'headertext',
    files: spooled,
    source: [...spooldir, 'basenameHeader = true'],
    sinks: { k: files('k', 'header_and_text'), none: files('none', 'HEADER_AND_TEXT', 'sink.batchSize = 1') },
    lines: 20,
  },
  {
    name: 'headerjoined',
    files: { 'in/one': 'no\nend\n' },
    source: spooldir,
    sinks: {
      k: files('k', 'header_and_text', 'sink.serializer.appendNewline = false'),
      done: files('done', 'text'),
    },
    lines: 2,
  },
  {
    name: 'names',
    files: { 'in/one': 'a\n' },
    source: spooldir,
    sinks: {
      plain: files('plain', 'text', 'sink.pathManager.prefix = pre_', 'sink.pathManager.extension = log'),
      time: files('time', 'text', 'sink.pathManager = ROLLTIME', 'sink.pathManager.extension = txt'),
    },
    lines: 2,
  },
];

const interceptors: readonly FlumeCase[] = [
  {
    name: 'statics',
    files: { 'in/one': 'a\n' },
    source: [
      ...spooldir,
      ...intercepted(
        ['type = static'],
        ['type = static', 'key = kept', 'value = first'],
        ['type = static', 'key = kept', 'value = second'],
        ['type = static', 'key = changed', 'value = first'],
        ['type = static', 'key = changed', 'value = second', 'preserveExisting = false'],
      ),
    ],
    sinks: shown,
    lines: 1,
    normalize: sortHeaders,
  },
  {
    name: 'timestamps',
    files: { 'in/one': timed },
    source: [
      ...spooldir,
      ...intercepted(
        extracted,
        ['type = timestamp', 'preserveExisting = true'],
        ['type = timestamp', 'headerName = met'],
      ),
    ],
    sinks: shown,
    lines: 4,
    // Of our days: what the interceptor set. Those of the input are older.
    normalize: (given) => sortHeaders(given).replace(/(timestamp|met)=1(7[2-9]|[89]\d)\d{10}\b/g, '$1=now'),
  },
  {
    name: 'hosts',
    files: { 'in/one': 'a\n' },
    source: [
      ...spooldir,
      ...intercepted(
        ['type = static', 'key = kept', 'value = mine'],
        ['type = host'],
        ['type = host', 'useIP = false', 'hostHeader = name'],
        ['type = host', 'hostHeader = kept', 'preserveExisting = true'],
      ),
    ],
    sinks: shown,
    lines: 1,
    // Where the hosts file does not know this host, Flume asks DNS, and may have no answer.
    normalize: (given) => (isHostListed() ? sortHeaders(given) : ''),
  },
  {
    name: 'removed',
    files: { 'in/one': 'a\n' },
    source: [
      ...spooldir,
      ...intercepted(
        ...['one', 'two', 'three', 'fourth', 'fifth', 'five'].map((key) => ['type = static', `key = ${key}`]),
        ['type = remove_header', 'withName = one'],
        ['type = remove_header', 'fromList = two ; three', 'fromListSeparator = \\\\s*;\\\\s*'],
        ['type = remove_header', 'matching = f.*th'],
      ),
    ],
    sinks: shown,
    lines: 1,
    normalize: sortHeaders,
  },
  {
    name: 'replaced',
    files: { 'in/one': 'user=bob pass=secret\nüber pass=ä x pass=y\nnothing\n' },
    source: [
      ...spooldir,
      ...intercepted(
        ['type = search_replace', 'searchPattern = pass=(\\\\S)\\\\S*', 'replaceString = pass=$1***'],
        ['type = search_replace', 'searchPattern = \\\\b(?<u>user)=', 'replaceString = $\u007bu}:\\\\$'],
        ['type = search_replace', 'searchPattern = \\\\s+x'],
      ),
    ],
    sinks: { k: files('k', 'text') },
    lines: 3,
  },
  {
    name: 'filtered',
    files: { 'in/one': 'ERROR a\nINFO b\nWARN ERROR c\nDEBUG d\n  ERROR\n' },
    source: [
      ...spooldir,
      ...intercepted(
        ['type = regex_filter', 'regex = ERROR|INFO'],
        ['type = regex_filter', 'regex = ^WARN', 'excludeEvents = true'],
      ),
    ],
    sinks: { k: files('k', 'text') },
    lines: 3,
  },
  {
    name: 'extracted',
    files: {
      'in/one':
        '2024-03-01 12:30:45,999 [main] id=7\n2024-11-03 01:30:00,000 [x] id=\nnone\n2024-07-04 00:00:00,1 [] id=9\n',
    },
    source: [
      ...spooldir,
      ...intercepted(
        [
          'type = regex_extractor',
          'regex = ^(\\\\d+-\\\\d+-\\\\d+ [\\\\d:]+),(\\\\d+) \\\\[(.*?)\\\\] id=(\\\\d*)',
          'serializers = s1 s2 s3',
          'serializers.s1.type = org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer',
          'serializers.s1.name = timestamp',
          'serializers.s1.pattern = yyyy-MM-dd HH:mm:ss',
          // The guide says `default`, for which Flume looks for a class of that name.
          'serializers.s2.type = DEFAULT',
          'serializers.s2.name = millis',
          'serializers.s3.name = thread',
        ],
        ['type = regex_extractor', 'regex = id=(\\\\d+)', 'serializers = a b', 'serializers.a.name = id'].concat(
          'serializers.b.name = unused',
        ),
      ),
    ],
    sinks: shown,
    lines: 4,
    normalize: sortHeaders,
  },
];

function isHostListed(): boolean {
  return readFileSync('/etc/hosts', 'utf8').split(/\s+/).includes(hostname());
}

/** Not load_balancing: Flume 1.11 brings it along, and then finds no configuration for it, by either name. */
const selectors: readonly FlumeCase[] = [
  {
    name: 'multiplexed',
    files: { 'in/one': 'to=a 1\nto=b 2\nto=ab 3\nto=zz 4\nnowhere 5\nto=b 6\nto=A 7\n' },
    source: [
      ...spooldir,
      ...intercepted(['type = regex_extractor', 'regex = to=(\\\\w+)', 'serializers = s', 'serializers.s.name = to']),
      'selector.type = multiplexing',
      'selector.header = to',
      'selector.mapping.a = multiplexed-a',
      'selector.mapping.b = multiplexed-b',
      'selector.mapping.ab = multiplexed-a multiplexed-b',
      'selector.optional.b = multiplexed-b multiplexed-may',
      'selector.default = multiplexed-rest',
    ],
    sinks: Object.fromEntries(['a', 'b', 'may', 'rest'].map((sink) => [sink, files(sink, 'text')])),
    // a: 1 3; b: 2 3 6; may: 2 6; rest: 4 5 7.
    lines: 10,
  },
  {
    name: 'replicated',
    files: spooled,
    source: [...spooldir, 'selector.type = replicating', 'selector.optional = replicated-b'],
    sinks: { a: files('a', 'text'), b: files('b', 'text') },
    lines: 20,
  },
];

function fixed(key: string, value: string): string[] {
  return ['type = static', `key = ${key}`, `value = ${value}`];
}

/** What a value can be made of. LC_ALL is set by the agents' starter. */
const configured: readonly FlumeCase[] = [
  {
    name: 'substituted',
    files: { 'in/one': 'a\n' },
    source: [
      ...spooldir,
      ...intercepted(
        fixed('environment', placed('env:LC_ALL')),
        fixed('preset', `${placed('env:FOREBAY_NOT_SET:-other')}!`),
        fixed('unset', placed('env:FOREBAY_NOT_SET')),
        fixed('other', placed('a1.sources.substituted.type')),
        fixed('dollar', '$$ $ {x} $x'),
        fixed('escaped', '\\u00fc \\= \\: \\# \\q \\t.'),
        fixed('continued', 'one \\\n    two \\\n    = three'),
        fixed('twice', 'first').concat('value = second'),
        [...fixed('colon', 'x'), 'value : with a colon'],
        [...fixed('blank', 'x'), 'value with a blank   '],
      ),
    ],
    sinks: shown,
    lines: 1,
    normalize: sortHeaders,
  },
];

/** In a configuration: a reference. */
function placed(name: string): string {
  return `$\u007b${name}}`;
}

/** All that need no file system but the local one. */
export const cases: readonly FlumeCase[] = [...serializers, ...interceptors, ...selectors, ...configured];
