/**
 * One case of the matrix: an agent writes lines into a directory of HDFS of its own, through a proxy that spoils one
 * request of it. It is started again where it was killed, and stopped when all is there. Then each line is there once,
 * and nothing else is.
 *
 * The lines come in two portions. The first fills one file and begins another one, which is made safe while it waits;
 * the second goes on with that one, and begins the third, which is finished as the agent stops.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebFileSystem } from '../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import { writeAccessLogs } from '../e2e/access-log.ts';
import { type LineSet, lineSetOf } from '../e2e/line-set.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type FaultProxy, startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { hdfsBytes, hdfsFiles, hdfsLineSet, hdfsLitter } from './hdfs-lines.ts';
import type { MatrixCase } from './hdfs-matrix-cases.ts';
import { planFaults } from './hdfs-matrix-faults.ts';
import { AgentLives } from './hdfs-matrix-life.ts';
import { write } from './webhdfs-support.ts';

const lineBytes = 500;
const linesPerPortion = 750;
const linesPerFile = 600;
const foreignName = 'FlumeData.1.tmp';
const foreignBytes = 'not ours\n';
/** Of a machine that does much else. */
const drainLimitMs = 60_000;
const timeoutMs = 10_000;
/** Where requests are to be given up. */
const shortTimeoutMs = 2000;
/** Starts and stops after the first stop, for what came late. */
const furtherLivesMax = 3;
/** How long such a life may take to see what is left. */
const settleMs = 4000;

/** What all cases share. */
export interface MatrixSetup {
  /** Of `buildAgent`. */
  readonly main: string;
  /** Of the NameNode: for whoever looks. */
  readonly address: string;
  /** What the agent is to talk to, behind the proxy. */
  readonly target: string;
  /** For what is there before. */
  readonly files: WebFileSystem;
}

/** What a case did. */
export interface CaseResult {
  readonly kills: number;
  readonly lines: number;
  readonly requests: number;
}

/** Rejects where a line is missing, there twice or torn, or where anything is left; with the end of the agent's log. */
export async function runCase(setup: MatrixSetup, one: MatrixCase, number: number): Promise<CaseResult> {
  const ends: (() => unknown)[] = [];
  const scope = { after: (call: () => unknown): void => void ends.push(call) };
  try {
    const directory = await tempDir(scope);
    const [spool, staging] = ['spool', 'staging'].map((name) => join(directory, name)) as [string, string];
    await Promise.all([spool, staging].map((path) => mkdir(path)));
    writeAccessLogs(staging, { files: 2, linesPerFile: linesPerPortion, seed: number });
    const place = `/matrix/${number}`;
    await write(setup.files, `${place}/${foreignName}`, Buffer.from(foreignBytes));
    const proxy = await startFaultProxy(scope, setup.target);
    const configuration = join(directory, 'agent.properties');
    const callTimeoutMs = one.fault === 'late' ? shortTimeoutMs : timeoutMs;
    await writeFile(configuration, propertiesFor(directory, `${proxy.address}${place}`, callTimeoutMs));
    const lives = new AgentLives({ main: setup.main, configuration, logPath: join(directory, 'log') });
    scope.after(() => lives.end());
    const written = await lineSetOf([staging]);
    planFaults(proxy, lives, one);
    const life = new CaseLife(setup, { place, spool, staging, proxy, lives });
    try {
      return await life.run(written);
    } catch (error) {
      const log = lives.log();
      throw new Error(`${String(error)}\nrequests: ${proxy.seen.join(', ')}\n${await life.listed()}\n${log}`);
    }
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

interface CaseParts {
  /** In HDFS. */
  readonly place: string;
  readonly spool: string;
  readonly staging: string;
  readonly proxy: FaultProxy;
  readonly lives: AgentLives;
}

class CaseLife {
  readonly #setup: MatrixSetup;
  readonly #parts: CaseParts;

  constructor(setup: MatrixSetup, parts: CaseParts) {
    this.#setup = setup;
    this.#parts = parts;
  }

  async run(written: LineSet): Promise<CaseResult> {
    const { lives, proxy, spool, staging } = this.#parts;
    for (let portion = 0; portion < 2; portion += 1) {
      await rename(join(staging, `access-${portion}.log`), join(spool, `access-${portion}.log`));
      const lines = linesPerPortion * (portion + 1);
      await lives.until(() => this.#isThere(lines), drainLimitMs, `${lines} lines are in HDFS`);
    }
    await lives.stop();
    for (let further = 0; further < furtherLivesMax && !(await this.#isOver(written)); further += 1) {
      await lives.goOnFor(settleMs, () => this.#isOver(written));
      await lives.stop();
    }
    await this.#check(written);
    return { kills: lives.kills, lines: written.lines, requests: proxy.seen.length };
  }

  /** For reports. */
  async listed(): Promise<string> {
    const found = await hdfsFiles(this.#setup.address, this.#parts.place);
    return [...found].map(([name, bytes]) => `${name}: ${bytes} bytes`).join(', ');
  }

  /**
   * Whether so many lines' bytes are in files that are not being written. There can be more: a file that came late, and
   * is to be deleted.
   */
  async #isThere(lines: number): Promise<boolean> {
    const { spool } = this.#parts;
    const own = [...(await this.#own())];
    const lengths = own.map(([, bytes]) => bytes);
    const isSpooled = (await readdir(spool)).every((name) => name.endsWith('.COMPLETED') || name.startsWith('.'));
    return isSpooled && lengths.reduce((sum, bytes) => sum + bytes, 0) >= lines * lineBytes;
  }

  /** Whether nothing is left to be done: what comes late may have come, and no file of ours is unfinished. */
  async #isOver(written: LineSet): Promise<boolean> {
    if (this.#parts.proxy.seen.length !== this.#parts.proxy.over) return false;
    const own = await this.#own();
    const isFinal = [...own.keys()].every((name) => !name.endsWith('.tmp'));
    return isFinal && (await this.#isThere(written.lines));
  }

  async #check(written: LineSet): Promise<void> {
    const { address } = this.#setup;
    const { place, proxy } = this.#parts;
    assert.equal(proxy.waiting, 0, 'what was planned came up');
    assert.equal(proxy.over, proxy.seen.length, 'no request is held');
    const foreign = `${place}/${foreignName}`;
    assert.deepEqual(await hdfsLitter(address, place), [foreign], 'nothing of its own is left');
    const { lines, digest } = await hdfsLineSet(address, place, (name) => name !== foreignName);
    assert.deepEqual({ lines, digest }, written, 'each line once');
    assert.equal((await hdfsBytes(address, foreign)).toString(), foreignBytes, 'untouched');
  }

  async #own(): Promise<ReadonlyMap<string, number>> {
    const found = new Map(await hdfsFiles(this.#setup.address, this.#parts.place));
    found.delete(foreignName);
    return found;
  }
}

function propertiesFor(directory: string, address: string, callTimeoutMs: number): string {
  return `a1.sources = r1
    a1.channels = c1
    a1.sinks = k1
    a1.sources.r1.type = spooldir
    a1.sources.r1.spoolDir = ${directory}/spool
    a1.sources.r1.pollDelay = 100
    a1.sources.r1.channels = c1
    a1.channels.c1.type = file
    a1.channels.c1.checkpointDir = ${directory}/checkpoint
    a1.channels.c1.dataDirs = ${directory}/data
    a1.channels.c1.maxFileSize = 2097152
    a1.sinks.k1.type = hdfs
    a1.sinks.k1.channel = c1
    a1.sinks.k1.hdfs.path = ${address.replace('http:', 'webhdfs:')}
    a1.sinks.k1.hdfs.fileType = DataStream
    a1.sinks.k1.hdfs.rollInterval = 0
    a1.sinks.k1.hdfs.rollSize = 0
    a1.sinks.k1.hdfs.rollCount = ${linesPerFile}
    a1.sinks.k1.hdfs.maxPinnedAge = 1
    a1.sinks.k1.hdfs.callTimeout = ${callTimeoutMs}
    `;
}
