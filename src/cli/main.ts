#!/usr/bin/env node
/** The `forebay` command: what the shell started, and how it ends. */
import { runCommandLine } from './command-line.ts';

// Whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
