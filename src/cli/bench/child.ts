/**
 * The program that `forebay bench channel` starts to fill and to open channels: small, so that the memory it takes is
 * the channel's, and not that of a command line with all of its commands.
 */
import { fileURLToPath } from 'node:url';
import { nodeDisk } from '../../base/disk-node.ts';
import { runChild } from '../../bench/opening-child.ts';
import { peakRssBytes } from './machine.ts';

/** This file, to be started. */
export const childProgram: string = fileURLToPath(import.meta.url);

if (process.argv[1] === childProgram) {
  const environment = { disk: nodeDisk(), options: {}, peakRssBytes };
  await runChild(process.argv.slice(2), environment, (line) => console.log(line));
}
