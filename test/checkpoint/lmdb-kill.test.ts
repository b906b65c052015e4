/** kill -9 while saving: what is opened next is the last record that was acknowledged, or the one after it. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import test from 'node:test';
import { nodeDisk } from '../../src/base/disk-node.ts';
import { openLmdbCheckpoint } from '../../src/checkpoint/lmdb.ts';
import { makeRecord, suiteChannelId } from '../conformance/checkpoint-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Report, type SaveTask, savedStateBytes } from './store-process.ts';

const rounds = 8;

/** Saves `fromSerial` and on in another process, kills it `delayMs` after its first save; the last acknowledged. */
async function saveUntilKilled(directory: string, fromSerial: number, delayMs: number): Promise<number> {
  const child = fork(new URL('./store-process.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: process.execArgv.filter((arg) => !arg.startsWith('--test')),
  });
  let acknowledged = 0;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.on('message', (report: Report) => {
    if (!('saved' in report)) return;
    if (acknowledged === 0) setTimeout(() => child.kill('SIGKILL'), delayMs);
    acknowledged = report.saved;
  });
  child.send({ kind: 'save', directory, fromSerial } satisfies SaveTask);
  await ended;
  return acknowledged;
}

test('kill -9 while saving leaves the old record or the new one, whole', async (context) => {
  const directory = await tempDir(context);
  let serial = 0;
  for (let round = 0; round < rounds; round += 1) {
    const delayMs = round * 7.3;
    const acknowledged = await saveUntilKilled(directory, serial + 1, delayMs);
    assert.ok(acknowledged > serial, 'it saved before it was killed');
    const options = { channelId: suiteChannelId, afterUncleanStop: true };
    const opened = await openLmdbCheckpoint(nodeDisk(), directory, options);
    assert.ok(opened.kind === 'opened');
    assert.equal(opened.setAside, undefined);
    const record = await opened.store.load();
    assert.ok(record !== undefined);
    assert.ok(
      record.serial === acknowledged || record.serial === acknowledged + 1,
      `${record.serial}, ${acknowledged}`,
    );
    assert.deepEqual(record, makeRecord(record.serial, savedStateBytes));
    await opened.store.close();
    serial = record.serial;
  }
  console.log(`shows: checkpoint kill -9: ${rounds} kills while saving, ${serial} saves, none lost`);
});
