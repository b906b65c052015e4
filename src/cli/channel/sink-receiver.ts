/**
 * A sink of a configuration, run alone: it takes from a channel of its own, which a replay feeds. All that is sent is
 * delivered and committed as in the agent; at the end files are closed as at the agent's stop.
 *
 * Without a resume file that channel is in memory. With one it is a small file channel beside that file: what the sink
 * acknowledged, what it noted of its files and how far the replay is are in one place, and survive a kill together. So
 * a replay that goes on sends no event twice that the sink would not send twice itself.
 */
import { rm } from 'node:fs/promises';
import { Counters } from '../../agent/counters.ts';
import { Drain } from '../../agent/drain.ts';
import { makeLogger } from '../../agent/logger.ts';
import type { PlannedSink } from '../../agent/plan.ts';
import { sleep } from '../../agent/sleep.ts';
import { systemClock } from '../../base/clock.ts';
import { isForebayError } from '../../base/errors.ts';
import type { Channel } from '../../channel/channel.ts';
import { FileChannel } from '../../channel/file-channel.ts';
import { MemoryChannel } from '../../channel/memory-channel.ts';
import type { ReplayProgress, ResumeFile } from './resume-file.ts';
import type { SelectedBatch } from './selected-events.ts';
import { inert, UsageError } from './verb.ts';

/** What it is made with. */
export interface SinkReceiverParts {
  readonly sink: PlannedSink;
  readonly resume: ResumeFile | undefined;
  /** Of `--conf`. */
  readonly confDirectories: readonly string[];
  /** How long it may make no headway at all. */
  readonly stallLimitMs?: number;
}

const noteKey = 'replay';
/** Waiting in its channel: a sink that keeps up is never idle, and what a Ctrl-C has to send on is little. */
const channelLimits = { capacityEvents: 10_000, keepAliveMs: 200 } as const;
const fileLimits = {
  ...channelLimits,
  segmentBytes: 4 * 1024 * 1024,
  minimumFreeBytes: 0,
  checkpoint: 'memory',
} as const;
const pollMs = 20;
const stallLimitMsPreset = 60_000;
/** A sink that failed on the last events gets them again. */
const roundsMax = 3;

/** One life: opened, fed, finished. */
export class SinkReceiver {
  readonly #parts: SinkReceiverParts;
  readonly #channel: Channel;
  readonly #logger = makeLogger({ format: 'text', level: 'warn', clock: systemClock });
  #drain: Drain;
  #headway = { mark: -1, atMs: 0 };

  private constructor(parts: SinkReceiverParts, channel: Channel) {
    this.#parts = parts;
    this.#channel = channel;
    this.#drain = this.#makeDrain();
  }

  /** @throws where the sink does not start, or the channel beside the resume file is of another replay. */
  static async open(parts: SinkReceiverParts): Promise<SinkReceiver> {
    const { resume } = parts;
    if (resume !== undefined && resume.earlier === undefined) await resume.write({ nextSequence: 0, events: 0 });
    const channel =
      resume === undefined
        ? await MemoryChannel.open(channelLimits)
        : await FileChannel.open(channelPathOf(resume), fileLimits);
    const receiver = new SinkReceiver(parts, channel);
    try {
      receiver.#checkNote();
      await receiver.#start();
      return receiver;
    } catch (error) {
      await receiver.#drain.stop();
      await channel.close();
      throw error;
    }
  }

  /** Where to go on. */
  get progress(): ReplayProgress | undefined {
    const note = this.#channel.notes.get(noteKey) as { progress?: ReplayProgress } | undefined;
    return note?.progress ?? this.#parts.resume?.earlier;
  }

  /** Events that it was given and has not delivered. */
  get waitingEvents(): number {
    return this.#channel.stats().depthEvents;
  }

  /** Resolves once the sink has room for them. False where `signal` was aborted before. @throws where it stalls. */
  async send({ events }: SelectedBatch, progress: ReplayProgress, signal: AbortSignal): Promise<boolean> {
    const plain = events.map(({ event: { headers, body } }) => ({ headers, body }));
    const { resume } = this.#parts;
    const note = { identity: JSON.stringify(resume?.identity), progress: { ...progress } };
    const options = resume === undefined ? {} : { notes: { [noteKey]: note } };
    while (!signal.aborted) {
      try {
        await this.#channel.put(plain, options);
        return true;
      } catch (error) {
        if (!isForebayError(error) || error.code !== 'CHANNEL_FULL') throw error;
        this.#checkHeadway();
      }
    }
    return false;
  }

  /**
   * Waits until all is delivered, stops the sink in order and closes the channel; `progress` is of all that was sent.
   * Resolves to how many events are not delivered; with a resume file they wait for the next run.
   */
  async finish(progress: ReplayProgress | undefined, isHasty: boolean): Promise<number> {
    try {
      for (let round = 1; ; round += 1) {
        await this.#untilTaken();
        await this.#drain.stop();
        if (this.waitingEvents === 0 || round === roundsMax || isHasty) break;
        this.#drain = this.#makeDrain();
        await this.#start();
      }
    } catch (error) {
      this.#logger.log(this.#parts.sink.name).error('the sink does not deliver', { error });
    }
    await this.#drain.stop();
    const left = this.waitingEvents;
    await this.#channel.close();
    this.#logger.flush();
    const { resume } = this.#parts;
    if (resume !== undefined && left === 0) {
      if (progress !== undefined) await resume.write(progress);
      await rm(channelPathOf(resume), { recursive: true, force: true });
    }
    return left;
  }

  /** Stops at once what runs, after an error: what is left waits for the next run. */
  async abandon(): Promise<void> {
    await this.#drain.stop();
    await this.#channel.close();
    this.#logger.flush();
  }

  #checkNote(): void {
    const { resume } = this.#parts;
    const note = this.#channel.notes.get(noteKey) as { identity?: string } | undefined;
    if (resume === undefined || note === undefined || note.identity === JSON.stringify(resume.identity)) return;
    const path = inert(channelPathOf(resume));
    throw new UsageError(`--resume: ${path} is of another replay: name another file, or remove that directory`);
  }

  async #start(): Promise<void> {
    await this.#drain.start();
    const { name } = this.#parts.sink;
    if (this.#drain.states.get(name) !== 'running') throw new Error(`sink ${name} does not start: see above why`);
  }

  #makeDrain(): Drain {
    const { sink, confDirectories } = this.#parts;
    // What cannot be delivered stays: a dead letter channel is the agent's.
    const alone = { ...sink, deadLetterChannel: undefined };
    const planned = { id: `sink ${sink.name}`, name: sink.name, sinks: [alone], channels: [sink.channel] };
    return new Drain(
      { ...planned, processor: undefined },
      {
        log: (component) => this.#logger.log(component),
        clock: systemClock,
        counters: new Counters(),
        random: Math.random,
        surroundings: { environment: process.env, confDirectories },
        channel: () => this.#channel,
      },
    );
  }

  async #untilTaken(): Promise<void> {
    const never = new AbortController().signal;
    for (;;) {
      const { depthEvents, leasedEvents, preparedEvents } = this.#channel.stats();
      if (depthEvents - leasedEvents - preparedEvents <= 0) return;
      this.#checkHeadway();
      await sleep(systemClock, pollMs, never);
    }
  }

  /** Events that a failing sink takes and gives back are no headway. @throws where there was none for long. */
  #checkHeadway(): void {
    const { counters, leasedEvents, preparedEvents } = this.#channel.stats();
    const mark = counters.taken + leasedEvents + preparedEvents;
    const nowMs = systemClock.monotonicMs();
    const { stallLimitMs = stallLimitMsPreset, sink } = this.#parts;
    if (mark > this.#headway.mark) this.#headway = { mark, atMs: nowMs };
    else if (nowMs - this.#headway.atMs > stallLimitMs) {
      throw new Error(`sink ${sink.name} has delivered nothing for ${Math.round(stallLimitMs / 1000)} s`);
    }
  }
}

function channelPathOf(resume: ResumeFile): string {
  return `${resume.path}.channel`;
}
