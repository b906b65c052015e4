/** From a measured work to a row, and from a place to what a measurement needs. */
import type { WorkPlace, WorkResult } from '../src/bench/measure-work.ts';
import type { Place, Row, Sizes } from './context.ts';

/** How a work is measured there. */
export function workPlace(place: Place, sizes: Sizes): WorkPlace {
  const { disk, directory, options, gauge } = place;
  const { windowMs, warmUpMs, gaugeMs, bodyBytes, seed } = sizes;
  return { disk, directory, options, gauge, windowMs, warmUpMs, gaugeMs, bodyBytes, seed };
}

/**
 * The figures of a put are those of its puts, of all else those of its takes. `overwriting` and `appending`: what the
 * disk does by itself with synchronous writes of the size of the groups; for puts also in events.
 */
export function rowOfWork({ name, figures, groups, diskRate, work }: WorkResult, bodyBytes: number): Row {
  const main = figures.taken ?? figures.put;
  const eventsPerWrite = groups.writes === 0 ? 0 : (main?.events ?? 0) / groups.writes;
  const overwriting = diskRate?.overwriting.writesPerSecond ?? Number.NaN;
  const appending = diskRate?.appending.writesPerSecond ?? Number.NaN;
  return {
    name,
    figures: {
      'events/s': main?.eventsPerSecond,
      'MB/s': ((main?.eventsPerSecond ?? 0) * bodyBytes) / 1e6,
      'commits/s': main?.commitsPerSecond,
      'p50 µs': main?.p50Us,
      'p99 µs': main?.p99Us,
      ...(work.kind === 'mixed' ? { 'put events/s': figures.put?.eventsPerSecond } : {}),
      'CPU cores': figures.cpuCores,
      'disk busy %': 100 * groups.busyShare,
      'group KiB': groups.bytesMedian / 1024,
      ...(diskRate === undefined ? {} : { 'overwriting, writes/s': overwriting, 'appending, writes/s': appending }),
      ...(diskRate === undefined || work.kind !== 'put'
        ? {}
        : { 'overwriting, events/s': overwriting * eventsPerWrite, 'appending, events/s': appending * eventsPerWrite }),
    },
  };
}
