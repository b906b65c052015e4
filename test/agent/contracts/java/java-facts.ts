/** Questions about time zones and charsets for java-answers.ts, with our own answers. */
import { findCharset } from '../../../../src/agent/contracts/java/charset.ts';
import { fieldsAt, findTimeZone } from '../../../../src/agent/contracts/java/time-zone.ts';
import { hexOf } from './java-answers.ts';

/** A question in the words of JavaAnswers.java, and what we say. */
export interface Fact {
  readonly question: string;
  readonly ours: () => string;
}

const hourMs = 3_600_000;

/** Moments around both changes of the clocks in 2026, and some others. */
const changes: readonly (readonly [zone: string, changeMs: number])[] = [
  ['Europe/Berlin', Date.UTC(2026, 2, 29, 1)],
  ['Europe/Berlin', Date.UTC(2026, 9, 25, 1)],
  ['America/New_York', Date.UTC(2026, 2, 8, 7)],
  ['America/New_York', Date.UTC(2026, 10, 1, 6)],
  ['Australia/Lord_Howe', Date.UTC(2026, 3, 4, 15)],
  ['Australia/Lord_Howe', Date.UTC(2026, 9, 3, 15, 30)],
  ['Asia/Kathmandu', Date.UTC(1985, 11, 31, 18, 30)],
];
const aroundMs = [-hourMs, -1800_000, -1001, -1000, -1, 0, 1, 999, 1000, 1800_000, 3599_999, hourMs, 2 * hourMs];

const zoneNames =
  'GMT UTC GMT+8 GMT+08 GMT+08:00 GMT-0330 GMT-330 GMT+8:30 GMT-0 PST EST MST HST CST IST AST BST ACT ' +
  'AET AGT ART BET CAT CNT CTT EAT ECT IET JST MIT NET NST PLT PNT PRT SST VST Asia/Shanghai US/Pacific ' +
  'Etc/GMT+8 Zulu PRC W-SU EST5EDT CET EET MET WET Asia/Calcutta GB NZ ROK UCT GMT0 Asia/Kolkata ' +
  'America/Port-au-Prince Europe/Dublin Africa/Casablanca';
const zoneTimes = [
  Date.UTC(2026, 0, 15, 12, 34, 56, 789),
  Date.UTC(2024, 11, 31, 23, 59, 59, 999),
  Date.UTC(2024, 1, 29, 3),
  Date.UTC(2000, 6, 1),
  -1,
];

const charsetNamesTested =
  'UTF-8 utf8 ISO8859_1 ISO-8859-1 latin1 US-ASCII ascii UTF-16 UTF-16LE UTF-16BE windows-1252 Cp1252 cp1251 KOI8-R ' +
  'ISO-8859-15 IBM850 cp866 GBK gb2312 GB18030 Big5 Shift_JIS SJIS EUC-JP EUC-KR windows-31j';
const charsetText = 'a中文日本';
const singleBytes = Array.from({ length: 256 }, (_, one) => one.toString(16).padStart(2, '0')).join('');
const charsetBytes: Readonly<Record<string, string>> = {
  'UTF-8': '61e4b8ade6c3a9ff80edaaaa41f4908080f09f98c0f09f9880efbbbfe08080f0808080e0a0',
  'UTF-16': 'feff00614e2dd83d004100',
  'UTF-16LE': 'fffe61002d4e3dd8410000',
  'UTF-16BE': 'feff00614e2dd83dde00dc0000',
};

function charsetFact(name: string): Fact {
  const found = findCharset(name);
  const isMulti = /^(?:GB|Big5|Shift|EUC|windows-31j)/.test(found?.name ?? '');
  const bytes =
    charsetBytes[found?.name ?? ''] ?? (isMulti ? (found?.encode(charsetText).toString('hex') ?? '') : singleBytes);
  // What vendors added to Big5 is not the same everywhere.
  const text = found?.name === 'Big5' ? charsetText : `${charsetText}Äé😀`;
  return {
    question: ['charset', hexOf(name), hexOf(text), bytes].join('\t'),
    ours: () => {
      if (found === undefined) return 'refused';
      const encoded = found.encode(text).toString('hex');
      return [found.name, `=${encoded}`, `=${hexOf(found.decode(Buffer.from(bytes, 'hex')))}`].join('\t');
    },
  };
}

/** Halves of pairs: alone, before another half, before a pair, at the end. */
const halves = 'a\ud800b\udc00c\ud83d\ud83d\ude00\udc00\ud800日\ud800';

function halvesFact(name: string): Fact {
  const found = findCharset(name);
  return {
    question: ['charset', hexOf(name), hexOf(halves), ''].join('\t'),
    ours: () => [found?.name, `=${found?.encode(halves).toString('hex')}`, '='].join('\t'),
  };
}

function zoneFact(name: string, epochMs: number): Fact {
  return {
    question: ['zone', hexOf(name), epochMs].join('\t'),
    ours: () => {
      const zone = findTimeZone(name);
      return zone === undefined ? 'refused' : Object.values(fieldsAt(zone, epochMs)).join(',');
    },
  };
}

/** All questions. */
export const facts: readonly Fact[] = [
  ...changes.flatMap(([zone, changeMs]) => aroundMs.map((byMs) => zoneFact(zone, changeMs + byMs))),
  ...zoneNames.split(' ').flatMap((name) => zoneTimes.map((epochMs) => zoneFact(name, epochMs))),
  ...charsetNamesTested.split(' ').map(charsetFact),
  ...charsetNamesTested.split(' ').map(halvesFact),
];
