/**
 * A channel that keeps its events in memory: as fast as can be, gone with the process. Same contract as
 * FileChannel, without its durability.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { QueueState } from '../queue/queue-state.ts';
import type { ChannelStats } from './channel.ts';
import { ChannelCore } from './core.ts';
import { MemoryBackend } from './memory-backend.ts';
import { type ChannelOptions, memoryOptionNames, type OptionName, resolveOptions } from './options.ts';

/** The options a memory channel has. */
export type MemoryChannelOptions = Pick<
  ChannelOptions,
  | Extract<
      OptionName,
      'capacityEvents' | 'capacityBytes' | 'transactionCapacity' | 'transactionBytesMax' | 'keepAliveMs'
    >
  | 'capacity'
>;

/** See Channel. */
export class MemoryChannel extends ChannelCore {
  readonly #backend: MemoryBackend;
  readonly #clock: Clock;
  readonly #channelId: string;

  /** @throws {ForebayError} CONFIG_INVALID */
  static async open(options: MemoryChannelOptions = {}, clock: Clock = systemClock): Promise<MemoryChannel> {
    const resolved = resolveOptions(options, memoryOptionNames);
    const state = new QueueState();
    const backend = new MemoryBackend(state, clock, resolved.capacityBytes !== undefined);
    const channelId = systemRandom.bytes(16).toString('hex');
    return new MemoryChannel({ backend, state, options: resolved, clock, idPrefix: channelId }, backend, clock);
  }

  private constructor(parts: ConstructorParameters<typeof ChannelCore>[0], backend: MemoryBackend, clock: Clock) {
    super(parts);
    this.#backend = backend;
    this.#clock = clock;
    this.#channelId = parts.idPrefix;
  }

  stats(): ChannelStats {
    const oldest = this.#backend.oldestPutAtMs();
    return {
      channelId: this.#channelId,
      ...this.queueStats(),
      bytesOnDisk: 0,
      segments: 0,
      oldestEventAgeMs: oldest === undefined ? null : Math.max(0, this.#clock.wallMs() - oldest),
      checkpoint: null,
      health: { state: this.gate.isClosed ? 'closed' : 'ok', reasons: [] },
    };
  }

  protected override async closeBackend(): Promise<void> {
    this.#backend.clear();
  }
}
