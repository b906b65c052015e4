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
export type { DeliveredEvent, Event, Headers } from './event/event.ts';
