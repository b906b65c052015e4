/** Dates by Joda's patterns. The table is what Joda-Time 2.9.9 itself made of each text, in this zone. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { compileJodaPattern } from '../../../src/adapters/interceptors/joda-pattern.ts';

/** Pattern, text, ms since 1970; undefined where Joda refuses the text. Years of two digits as of 2026 and after. */
const table: readonly [pattern: string, text: string, timeMs: number | undefined][] = [
  ['yyyy-MM-dd HH:mm', '2012-10-13 14:34', 1350131640000],
  ['yyyy-MM-dd HH:mm:ss,SSS', '2012-10-13 14:34:56,789', 1350131696789],
  ['yyyy-MM-dd HH:mm:ss,SSS', '2012-10-13 14:34:56,7', 1350131696700],
  ['yyyy-MM-dd', '2012-2-3', 1328223600000],
  ['yyyyMMddHHmmss', '20121013143456', 1350131696000],
  ['yyyyMMdd', '2012-10-13', undefined],
  ['dd/MMM/yyyy:HH:mm:ss Z', '13/Oct/2012:14:34:56 -0700', 1350164096000],
  ['dd/MMM/yyyy:HH:mm:ss Z', '13/OCTOBER/2012:14:34:56 +05:30', 1350119096000],
  ['dd/MMM/yyyy:HH:mm:ss Z', '13/oct/2012:14:34:56 Z', 1350138896000],
  ['dd/MMM/yyyy:HH:mm:ss Z', '13/oCt/2012:14:34:56 Z', undefined],
  ['MMM d HH:mm:ss', 'Feb 29 01:02:03', 951782523000],
  ['HH:mm', '14:34', 48840000],
  ['EEE, d MMM yyyy HH:mm:ss Z', 'Sat, 13 Oct 2012 14:34:56 +0000', 1350138896000],
  ['EEE, d MMM yyyy', 'Mon, 13 Oct 2012', 1349647200000],
  ['yy-MM-dd', '12-10-13', 1350079200000],
  ['yy-MM-dd', '2012-10-13', 1350079200000],
  ['yy-MM-dd', '99-10-13', 939765600000],
  ['yyMMdd', '121013', 1350079200000],
  ['yyMMdd', '0121013', undefined],
  ['yyyy-MM-dd hh:mm a', '2012-10-13 12:34 AM', 1350081240000],
  ['yyyy-MM-dd hh:mm a', '2012-10-13 02:34 pm', 1350131640000],
  ['yyyy-MM-dd KK:mm a', '2012-10-13 11:34 PM', 1350164040000],
  ['yyyy-MM-dd KK:mm a', '2012-10-13 12:34 PM', undefined],
  ['yyyy-MM-dd kk:mm', '2012-10-13 24:34', 1350081240000],
  ['yyyy-MM-dd HH:mm', '2012-10-13 24:34', undefined],
  ['yyyy-MM-dd HH:mm', '2012-02-30 10:34', undefined],
  ['yyyy-MM-dd HH:mm', '2012-10-13 14:34x', undefined],
  ["yyyy-MM-dd'T'HH:mm:ss.SSSZZ", '2012-10-13t14:34:56.789123+02:00', undefined],
  ["yyyy-MM-dd'T'HH:mm:ss.SSSSSSZZ", '2012-10-13T14:34:56.789999+02', 1350131696789],
  ["yyyy 'o''clock' HH", "2012 O'CLOCK 5", 1325390400000],
  ["h 'o''clock' a", "5 o'clock PM", 57600000],
  ["''yyyy", "'2012", 1325372400000],
  ['yyyy-MM-dd HH:mm', '2012-03-25 02:30', undefined],
  ['yyyy-MM-dd HH:mm', '2012-10-28 02:30', 1351384200000],
  ['YYYY', '-5', undefined],
  ['yyyy', '12345', 327403378800000],
  ['yyyy', '+2012', 1325372400000],
  ['HH:mm:ss.S', '01:02:03.9', 123900],
  ['HH:mm:ss.SSS', '01:02:03.', undefined],
  ['dd', '31', 949273200000],
  ['MM-dd', '04-31', undefined],
  ['yyyy-MM-dd HH:mm:ss Z', '2012-10-13 14:34:56 +2400', undefined],
  ['yyyy-MM-dd HH:mm:ss Z', '2012-10-13 14:34:56 +05:3', undefined],
  ['yyyy-MM-dd HH:mm:ss Z', '2012-10-13 14:34:56 +053015', 1350119081000],
  ['a HH', 'PM 05', 14400000],
  ['a', 'PM', 39600000],
  ['hh', '12', -3600000],
  ['H:m:s', '1:2:3', 123000],
  ['s', '60', undefined],
  ['E d', 'Sun 13', 947977200000],
  ['yyyyMM', '201213', undefined],
  ['yyyy.MMM', '2012.Mayor', undefined],
  ['yyyy.MMMM', '2012.May', 1335823200000],
  ['yyyyMMM', '2012May', 1335823200000],
];

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

test('reads what Joda reads, and nothing else', () => {
  for (const [pattern, text, timeMs] of table) {
    const compiled = compileJodaPattern(pattern);
    assert.ok('parse' in compiled, pattern);
    assert.equal(compiled.parse(text), timeMs, `'${text}' by '${pattern}'`);
  }
});

test('letters that would mean something else are refused, and named', () => {
  for (const run of ['G', 'C', 'x', 'w', 'e', 'D', 'z', 'ZZZ', 'Q', 'E']) {
    const compiled = compileJodaPattern(`yyyy ${run}`);
    assert.ok('problem' in compiled, run);
    assert.ok(compiled.problem.startsWith(`'${run}' `), compiled.problem);
  }
});
