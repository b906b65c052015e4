/** The engine's public API: a list of exports, no code. What is not here is internal. */
export type { Clock, Timer } from './base/clock.ts';
export { type ErrorCode, type ErrorDetails, errorCodes, ForebayError, isForebayError } from './base/errors.ts';
export type { Sequence, SequenceRange, SequenceRanges } from './base/units.ts';
export type {
  Channel,
  ChannelCounters,
  ChannelStats,
  Consumer,
  NoteChanges,
  Notes,
  NotesOption,
  NoteValue,
  PutTransaction,
  TakeBatch,
  TakeOptions,
  UnresolvedTake,
} from './channel/channel.ts';
export type { ChannelEnvironment, OpenCheckpoint } from './channel/channel-parts.ts';
export { FileChannel } from './channel/file-channel.ts';
export { MemoryChannel, type MemoryChannelOptions } from './channel/memory-channel.ts';
export type { ChannelOptions, EncryptionOptions, FsyncOption } from './channel/options.ts';
export type { DeliveredEvent, Event, Headers } from './event/event.ts';
export type { Damage } from './wal/damage.ts';
export type { DamageKind } from './wal/system-frames.ts';
