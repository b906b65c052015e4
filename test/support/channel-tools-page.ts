/**
 * docs/channel-tools.md with what its commands print: each `console` block names a sample (sample-damage.ts), its
 * commands run one after the other on it, and their output stands below them. `npm run docs:update` writes it.
 */
import { join } from 'node:path';
import { forebayAt } from './forebay-here.ts';
import type { Sample } from './sample-channels.ts';
import { samples } from './sample-damage.ts';

/** Three minutes after the samples' last event. */
const lookedMs = Date.UTC(2026, 8, 21, 14, 17, 0);
/** Where the page has its channel, and where the sample is. */
const shownHome = '/var/lib/forebay';
const block = /(<!-- sample: ([\w-]+) -->\n```console\n)([\s\S]*?)(```)/g;
const prompt = '$ ';
const program = 'forebay';

/** The page anew. `makeHome`: a fresh directory for a sample. @throws {Error} where a block cannot be run. */
export async function withOutputs(page: string, makeHome: () => Promise<string>): Promise<string> {
  const told = new Map<string, { readonly home: string; readonly sample: Sample }>();
  const outputs: string[] = [];
  for (const [, , name = '', text = ''] of page.matchAll(block)) {
    const make = samples[name];
    if (make === undefined) throw new Error(`there is no sample '${name}'`);
    const known = told.get(name);
    const home = known?.home ?? (await makeHome());
    const sample = known?.sample ?? (await make(home));
    told.set(name, { home, sample });
    outputs.push(await outputOf(text, home));
  }
  let at = 0;
  return page.replace(block, (_, head: string, _name: string, _text: string, tail: string) => {
    const output = outputs[at] ?? '';
    at += 1;
    return `${head}${output}${tail}`;
  });
}

/** The commands of a block, each with what it prints. A run that ends with another status than 0 says so below. */
async function outputOf(text: string, home: string): Promise<string> {
  const lines: string[] = [];
  for (const line of text.split('\n').filter((one) => one.startsWith(prompt))) {
    const [name = '', ...args] = line.slice(prompt.length).split(' ');
    if (name !== program) throw new Error(`${line}: only ${program} is run`);
    const real = args.map((arg) => arg.replace(shownHome, home));
    const { status, stdout, stderr } = await forebayAt(lookedMs, ...real);
    lines.push(line, `${stdout}${stderr}`.replaceAll(join(home), shownHome).trimEnd());
    if (status !== 0) lines.push(`(exit status ${status})`);
  }
  return `${lines.filter((line) => line !== '').join('\n')}\n`.replace(/\b(?!9e26eb38)[0-9a-f]{32}\b/g, ranId);
}

/** Stands for an id that is drawn by lot. */
const ranId = '5d41402abc4b2a76b9719d911017c592';
