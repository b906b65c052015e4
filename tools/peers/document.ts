/** The page on performance, made of results and of nothing else. */
import { readable } from '../../src/bench/readable.ts';
import { bodyName, bodySizes, type Cell, type CellWork, sizeName } from './cells.ts';
import { type Contender, contenders } from './contenders.ts';
import { Figures, nodeMajor } from './figures.ts';
import { cellsOf, pictureName, sizeMeanings, workTitles } from './pictures.ts';
import type { FailedLine, Line, ResultLine, StartLine } from './results-file.ts';

/** The folder of the pictures, beside the document. */
export const pictureFolder = 'performance';

/** The text. @throws {Error} Where there is no result. */
export function documentOf(lines: readonly Line[]): string {
  const starts = lines.filter((line): line is StartLine => line.kind === 'start');
  const results = lines.filter((line): line is ResultLine => line.kind === 'result');
  const [start] = starts;
  if (start === undefined || results.length === 0) throw new Error('no results to make a document of');
  const figures = new Figures(results);
  const parts = [
    ...introduction(),
    ...summary(figures),
    ...provenanceOf(starts, results),
    ...contendersPart(starts, figures),
    ...failures(lines, results),
    ...(['put', 'take', 'both'] as const).flatMap((work) => chapter(figures, work)),
  ];
  return `${parts.join('\n')}\n`;
}

function introduction(): string[] {
  return [
    '# Performance',
    '',
    'forebay beside other durable queues and logs, on one machine, in one directory, in turns: for each repetition,',
    'for each cell, forebay and then each peer; every second repetition the other way round. This page and its',
    'pictures are made by `npm run bench:peers -- --dir DIR` from what it measured, and by nothing else. A run that',
    'was cut off goes on with the same command and `--resume FILE`; `--report FILE` makes the page of one results',
    'file or of several.',
    '',
    '- Each contender is a process of its own, warmed up with the same work in a directory of its own, then measured',
    '  in a fresh one. What it wrote is removed, and the directory synced, before the next one begins.',
    '- Bodies are random bytes; there are no headers. Figures are events per second, the median of the repetitions.',
    '- A put is over when it is acknowledged. A commit is that call alone: of a put with its writing, of a take',
    '  without the taking. Take: the queue was filled, closed and opened again.',
    '- *Best syncing peer*: the fastest of those that acknowledge after the sync, measured under the same Node in the',
    '  same run. Those that acknowledge before are here for scale, and marked *not synced*.',
    '- A window ends early where a queue has been drained (it is filled with about twice of what it takes in a',
    '  window, at most 4,000,000 events or 2 GiB), where Flume’s channel is full, and after 2 GiB put by a peer that',
    '  does not sync: the kernel would write that while others are measured. The rate is that of the time until then.',
    '- *The disk alone*: what the disk did in the same minute with synchronous writes of the median size of forebay’s,',
    '  one after the other and nothing above them, each with as many events as forebay had in one write.',
    '- Two figures less than about 20 % apart are equal on a machine like this.',
    '',
  ];
}

function summary(figures: Figures): string[] {
  const rows = figures.nodes.flatMap((node) => {
    const compared = figures.cells.flatMap((cell) => {
      const found = figures.compare(cell, node);
      return found === undefined ? [] : [{ cell, ...found }];
    });
    if (compared.length === 0) return [];
    const behind = compared.filter(({ ratio }) => ratio < 1);
    const list = behind.map(({ cell, best, ratio }) => `${cell.id} (${readable(ratio)} of ${best.title})`).join('; ');
    const ahead = `Node ${node}: ahead of every peer that syncs first in ${compared.length - behind.length} of`;
    return [`- ${ahead} ${compared.length} cells.${list === '' ? '' : ` Not in: ${list}.`}`];
  });
  return ['## In short', '', ...(rows.length > 0 ? rows : ['- No cell was measured with forebay and a peer.']), ''];
}

function provenanceOf(starts: readonly StartLine[], results: readonly ResultLine[]): string[] {
  const [first] = starts;
  if (first === undefined) return [];
  const { machine, settings } = first;
  const days = results.map(({ at }) => at.slice(0, 10)).sort();
  const nodes = [...new Set(results.map(({ node }) => node))].sort().join(', ');
  const repetitions = Math.max(...results.map(({ repetition }) => repetition));
  const loads = starts.map(({ loadBefore }) => loadBefore);
  const quick = settings.quick ? ['- **A quick run: it shows that everything works; the figures mean nothing.**'] : [];
  return [
    '## Machine and settings',
    '',
    ...quick,
    `- ${machine.cpus} × ${machine.cpu}, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${machine.system}`,
    `- ${machine.fileSystem}`,
    `- Node ${nodes}; measured ${[...new Set([days[0], days.at(-1)])].join(' to ')}`,
    `- window ${settings.windowMs} ms after ${settings.warmUpMs} ms of warm-up, up to ${repetitions} repetitions`,
    settings.coldTakes
      ? '- the page cache was emptied before each take: queues are drained from the disk'
      : '- the page cache was as it was before each take: what was written through it is still there',
    `- load average before it began: ${loads.map((load) => load.toFixed(1)).join(', ')}`,
    `- commit ${[...new Set(starts.map(({ commit }) => commit))].join(', ')}; drivers ${settings.harness}`,
    '',
  ];
}

function contendersPart(starts: readonly StartLine[], figures: Figures): string[] {
  const shown = contenders.filter((one) => figures.series.some(({ contender }) => contender === one));
  const rows = shown.map((one) => {
    const versions = new Set(starts.flatMap(({ versions: known }) => known[one.name] ?? []));
    return [one.title, [...versions].join('; '), one.durability, one.drivenAs];
  });
  return ['## Who is compared', '', ...markdown(['', 'version', 'an acknowledged event', 'driven as'], rows), ''];
}

/** What is not there, and why: nothing is left out silently. */
function failures(lines: readonly Line[], results: readonly ResultLine[]): string[] {
  const isMade = (one: FailedLine): boolean =>
    results.some(
      (line) =>
        line.contender === one.contender &&
        nodeMajor(line.node) === nodeMajor(one.node) &&
        (one.cell === undefined || (line.cell === one.cell && line.repetition === one.repetition)),
    );
  const failed = lines.filter((line): line is FailedLine => line.kind === 'failed' && !isMade(line));
  const said = new Set(
    failed.map(({ contender, cell, node, error }) => {
      const what = `${titleOf(contender)}${cell === undefined ? '' : `, ${cell}`}, Node ${nodeMajor(node)}`;
      return `- ${what}: ${error.split('\n')[0]?.replaceAll('|', '/')}`;
    }),
  );
  return said.size === 0 ? [] : ['## Missing', '', ...said, ''];
}

function titleOf(name: Contender['name']): string {
  return contenders.find((one) => one.name === name)?.title ?? name;
}

function chapter(figures: Figures, work: CellWork): string[] {
  const bodies = bodySizes.filter((bodyBytes) => cellsOf(figures, work, bodyBytes).length > 0);
  if (bodies.length === 0) return [];
  const sections = bodies.flatMap((bodyBytes) => {
    const cells = cellsOf(figures, work, bodyBytes);
    const title = `${workTitles[work]}, bodies of ${bodyName(bodyBytes)}`;
    return [
      `### ${title}`,
      '',
      `![${title}](${pictureFolder}/${pictureName(work, bodyBytes)})`,
      '',
      ...comparisonTable(figures, cells),
      '',
      ...fullTable(figures, cells),
      '',
    ];
  });
  return [`## ${workTitles[work]}`, '', `Rows: ${sizeMeanings[work]}.`, '', ...sections];
}

/** forebay and the best peer that syncs first; one row for each size and Node. */
function comparisonTable(figures: Figures, cells: readonly Cell[]): string[] {
  const ours = contenders[0];
  const rows = cells.flatMap((cell) =>
    figures.nodes.flatMap((node) => {
      const found = ours === undefined ? undefined : figures.of(cell, { contender: ours, node });
      if (found === undefined) return [];
      const other = figures.compare(cell, node);
      const { eventsPerSecond, limit, writeBytes } = found;
      return [
        [
          sizeName(cell),
          `Node ${node}`,
          readable(eventsPerSecond),
          other === undefined ? '–' : `${other.best.title} ${readable(other.bestEventsPerSecond)}`,
          other === undefined ? '–' : `**${readable(other.ratio)}**`,
          readable(limit),
          limit === undefined ? '–' : readable(eventsPerSecond / limit),
          writeBytes === undefined ? '–' : readable(writeBytes / 1024),
        ],
      ];
    }),
  );
  const heads = ['', '', 'forebay', 'best syncing peer', 'forebay ÷ best', 'the disk alone', 'forebay ÷ disk'];
  return markdown([...heads, 'median write, KiB'], rows);
}

function fullTable(figures: Figures, cells: readonly Cell[]): string[] {
  const isBoth = cells.some(({ work }) => work === 'both');
  const rows = cells.flatMap((cell) =>
    figures.series.flatMap((series) => {
      const found = figures.of(cell, series);
      if (found === undefined) return [];
      return [
        [
          sizeName(cell),
          `${series.name}${series.contender.syncsFirst ? '' : ' (*not synced*)'}`,
          readable(found.eventsPerSecond),
          `${readable(found.low)}–${readable(found.high)}`,
          ...(isBoth ? [readable(found.putPerSecond)] : []),
          readable(found.p50Us),
          readable(found.p99Us),
          readable(found.cpuCores),
          `${found.repetitions}`,
        ],
      ];
    }),
  );
  const sides = isBoth ? ['taken/s', 'lowest–highest', 'put/s'] : ['events/s', 'lowest–highest'];
  return markdown(['', '', ...sides, 'commit p50 µs', 'p99 µs', 'CPU cores', 'runs'], rows);
}

/** The first two columns to the left, numbers to the right. */
function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const isNumber = heads.map((_, column) => rows.every((row) => /^[–\d*]/.test(row[column] ?? '')));
  return [line(heads), line(isNumber.map((is) => (is ? '---:' : '---'))), ...rows.map(line)];
}
