/**
 * Each request of a file's life is cut, delayed, repeated or left without its answer, alone and with the agent killed
 * over it, through the NameNode and through HttpFS: each line is in HDFS once, whatever happened. A real cluster.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { buildAgent } from '../e2e/agent-process.ts';
import { hadoopFolder, startCluster } from './hadoop-cluster/cluster.ts';
import { type DoorName, doors, type MatrixCase, matrixCases, nameOf } from './hdfs-matrix-cases.ts';
import { type CaseResult, type MatrixSetup, runCase } from './hdfs-matrix-run.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { clientOf } from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;
const casesAtOnce = 8;
/** A pattern: only the cases with such names, each told when it is over. To look into one. */
const only = process.env['FOREBAY_MATRIX'];
const cases = matrixCases().filter((one) => only === undefined || new RegExp(only).test(nameOf(one)));

test('each request of a file is spoiled, with and without kill -9', { skip, timeout: 880_000 }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { httpFs: true });
  const [address = ''] = cluster.webAddresses;
  const files = clientOf(t, [`http://${address}`]);
  const main = await buildAgent(t);
  const targets: Readonly<Record<DoorName, string>> = { NameNode: address, HttpFS: cluster.httpFsAddress };
  console.log(`shows: the matrix of requests, faults and kill -9: ${cases.length} cases`);
  for (const door of doors) {
    await t.test(`through ${door}: each line once`, async () => {
      const mine = cases.filter((one) => one.door === door);
      await runAll(door, mine, { main, address, target: targets[door], files });
    });
  }
});

async function runAll(door: string, mine: readonly MatrixCase[], setup: MatrixSetup): Promise<void> {
  const began = performance.now();
  const results: CaseResult[] = [];
  const failures: string[] = [];
  const waiting = mine.entries();
  const work = async (): Promise<void> => {
    for (const [, one] of waiting) {
      const from = performance.now();
      let failed = '';
      try {
        results.push(await runCase(setup, one, 1 + cases.indexOf(one)));
      } catch (error) {
        failed = error instanceof Error ? error.message : String(error);
        failures.push(`${nameOf(one)}: ${failed}`);
      }
      if (only !== undefined) console.log(nameOf(one), Math.round(performance.now() - from), failed);
    }
  };
  await Promise.all(Array.from({ length: casesAtOnce }, work));
  const sum = (count: (result: CaseResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  console.log(
    `shows: matrix through ${door}: ${mine.length} cases, ${sum(({ kills }) => kills)} kills, ` +
      `${sum(({ requests }) => requests)} requests, ${sum(({ lines }) => lines)} lines, each once, ` +
      `${Math.round((performance.now() - began) / 1000)} s`,
  );
  assert.equal(failures.length, 0, `${failures.length} of ${mine.length} cases failed:\n\n${failures.join('\n\n')}`);
}
