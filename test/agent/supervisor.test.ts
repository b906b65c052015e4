/** Supervision and the pace of sinks, on a manual clock. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { SinkStatus } from '../../src/agent/contracts/components.ts';
import { SinkRunner } from '../../src/agent/sink-runner.ts';
import { Supervisor } from '../../src/agent/supervisor.ts';
import { ManualClock, turnOver } from '../support/manual-clock.ts';
import { RecordedLog } from './recorded-log.ts';

/** Lets what is ready run, however many promises deep. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await turnOver();
}

test('a start that fails is tried again after 1, 2, 4, … 30 s, until it works', async () => {
  const clock = new ManualClock();
  const log = new RecordedLog();
  const startsAtMs: number[] = [];
  let stops = 0;
  let isRunning = false;
  const part = {
    start: async () => {
      startsAtMs.push(clock.nowMs);
      if (startsAtMs.length < 8) throw new Error('not yet');
    },
    stop: async () => {
      stops += 1;
    },
  };
  const onRunning = (): void => {
    isRunning = true;
  };
  const supervisor = new Supervisor({ part, log, clock, onRunning });
  assert.equal(supervisor.state, 'idle');
  await supervisor.start();
  assert.equal(supervisor.state, 'failing');
  while (!isRunning) {
    clock.fireNext();
    await settle();
  }
  assert.deepEqual(
    startsAtMs,
    [0, 1, 3, 7, 15, 31, 61, 91].map((seconds) => seconds * 1000),
  );
  assert.equal(supervisor.state, 'running');
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 7);
  await supervisor.stop();
  await supervisor.stop();
  assert.equal(stops, 1);
  assert.equal(supervisor.state, 'stopped');
});

test('stopping ends the wait for the next try at once; no start follows', async () => {
  const clock = new ManualClock();
  let starts = 0;
  const part = {
    start: async () => {
      starts += 1;
      throw new Error('never');
    },
    stop: async () => {
      throw new Error('nor this');
    },
  };
  const log = new RecordedLog();
  const supervisor = new Supervisor({ part, log, clock });
  await supervisor.start();
  await supervisor.stop();
  assert.equal(supervisor.state, 'stopped');
  assert.equal(clock.fireNext(), false, 'no timer is left');
  assert.equal(starts, 1);
  assert.match(log.text, /ERROR did not stop cleanly/);
});

test('stopping waits for a start under way, then stops the part', async () => {
  const clock = new ManualClock();
  const order: string[] = [];
  let started: () => void = () => undefined;
  const part = {
    start: () =>
      new Promise<void>((resolve) => {
        started = () => {
          order.push('started');
          resolve();
        };
      }),
    stop: async () => void order.push('stopped'),
  };
  const supervisor = new Supervisor({ part, log: new RecordedLog(), clock });
  const attempt = supervisor.start();
  assert.equal(supervisor.state, 'starting');
  const stop = supervisor.stop();
  await settle();
  assert.deepEqual(order, []);
  started();
  await Promise.all([attempt, stop]);
  assert.deepEqual(order, ['started', 'stopped']);
});

test('a sink is called at once again, after n s up to 5 where it backs off, after 5 s on an error', async () => {
  const clock = new ManualClock();
  const log = new RecordedLog();
  const answers = ['ready', 'backoff', 'backoff', 'backoff', 'backoff', 'backoff', 'backoff', 'error', 'ready'];
  const calledAtS: number[] = [];
  const process = async (): Promise<SinkStatus> => {
    const answer = answers[calledAtS.length] ?? 'backoff';
    calledAtS.push(clock.nowMs / 1000);
    if (answer === 'error') throw new Error('down');
    return answer === 'ready' ? 'ready' : 'backoff';
  };
  const runner = new SinkRunner({ process, log, clock });
  runner.start();
  while (calledAtS.length < 12) {
    await settle();
    clock.fireNext();
  }
  await settle();
  assert.deepEqual(calledAtS.slice(0, 12), [0, 0, 1, 3, 6, 10, 15, 20, 25, 25, 26, 28]);
  assert.match(log.text, /ERROR cannot deliver, and will try again/);
  await runner.stop();
  assert.equal(clock.fireNext(), false, 'no timer is left');
});

test('a sink that has waited itself for events that did not come waits again at once', async () => {
  const clock = new ManualClock();
  const calledAtS: number[] = [];
  const process = async (): Promise<SinkStatus> => {
    calledAtS.push(clock.nowMs / 1000);
    await new Promise<void>((resolve) => clock.after(1000, resolve));
    return 'backoff';
  };
  const runner = new SinkRunner({ process, log: new RecordedLog(), clock });
  runner.start();
  while (calledAtS.length < 8) {
    await settle();
    clock.fireNext();
  }
  assert.deepEqual(calledAtS.slice(0, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
  const stopped = runner.stop();
  clock.fireNext();
  await stopped;
});

test('stopping interrupts a pause, and waits for the call under way', async () => {
  const clock = new ManualClock();
  let finish: () => void = () => undefined;
  const seen: boolean[] = [];
  const process = (signal: AbortSignal): Promise<SinkStatus> =>
    new Promise((resolve) => {
      finish = () => {
        seen.push(signal.aborted);
        resolve('ready');
      };
    });
  const runner = new SinkRunner({ process, log: new RecordedLog(), clock });
  runner.start();
  let isStopped = false;
  const stopped = runner.stop().then(() => {
    isStopped = true;
  });
  await settle();
  assert.equal(isStopped, false);
  finish();
  await stopped;
  assert.deepEqual(seen, [true]);
});

test('a sink that never waits lets timers in', async () => {
  let calls = 0;
  const process = async (): Promise<SinkStatus> => {
    calls += 1;
    return 'ready';
  };
  const runner = new SinkRunner({ process, log: new RecordedLog(), clock: new ManualClock() });
  runner.start();
  await turnOver();
  await turnOver();
  await runner.stop();
  assert.ok(calls >= 16 && calls < 1000, `${calls} calls`);
});
