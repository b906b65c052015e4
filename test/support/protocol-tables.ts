/** The decision tables of the hdfs sink as docs/hdfs-exactly-once.md prints them: `npm run docs:update` writes them. */
import {
  begunRows,
  cutRows,
  failedRows,
  fenceRows,
  finishedRows,
  type Row,
} from '../../src/adapters/sinks/hdfs/protocol-table.ts';

const begin = '<!-- the tables: npm run docs:update -->';
const end = '<!-- the end of the tables -->';

/** The page with the tables as the code has them. @throws {Error} where it has no place for them. */
export function withProtocolTables(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no place for the tables: '${begin}' and '${end}'`);
  return `${page.slice(0, from + begin.length)}\n\n${protocolTables()}\n${page.slice(to)}`;
}

function protocolTables(): string {
  return [
    tableOf('A finished file', finishedRows, ['temporary', 'final', 'known', 'side']),
    tableOf('A file that was begun and does not count', begunRows, ['name', 'deleted', 'late']),
    tableOf('A CREATE, APPEND, TRUNCATE or body that failed', failedRows, ['note', 'why', 'name', 'bucket']),
    tableOf('The fence', fenceRows, ['at', 'known']),
    tableOf('TRUNCATE behind the fence', cutRows, ['answer']),
  ].join('\n');
}

function tableOf<Facts extends Readonly<Record<string, string>>>(
  title: string,
  rows: readonly Row<Facts, string>[],
  facts: readonly (keyof Facts & string)[],
): string {
  const cells = rows.map(({ when, action, because }) => [
    ...facts.map((fact) => when[fact]?.join(', ') ?? '–'),
    `**${action}**`,
    because,
  ]);
  const all = [[...facts, 'action', 'because'], [...facts, 'action', 'because'].map(() => '---'), ...cells];
  return `### ${title}\n\n${all.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}
