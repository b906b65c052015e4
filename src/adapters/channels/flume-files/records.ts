/**
 * The records of a log file of Flume's file channel, version 3: three delimited messages each, header, body and an
 * empty footer. Flume: TransactionEventRecord.
 */
import { crc32 } from 'node:zlib';
import type { Event } from '../../../engine.ts';
import { bytesOf, int32, int64, readDelimited, readMessage } from './protobuf.ts';

/** What every record has. Both ids ascend over all channels of a process. */
interface RecordHeader {
  readonly transactionId: bigint;
  readonly writeOrderId: bigint;
}

/** A record, without what a put puts. */
export type FlumeRecord = RecordHeader &
  (
    | { readonly kind: 'put' | 'rollback' }
    | { readonly kind: 'take'; readonly fileId: number; readonly offset: number }
    | { readonly kind: 'commit'; readonly of: 'puts' | 'takes' }
  );

const kinds: ReadonlyMap<number | undefined, FlumeRecord['kind']> = new Map([
  [1, 'put'],
  [2, 'take'],
  [3, 'rollback'],
  [4, 'commit'],
]);

/** So much of a record's payload has what `readRecord` needs of it. */
export const recordPrefixBytes = 64;

/** Reads the head of a payload, of which a prefix is enough; undefined where it is no record. */
export function readRecord(payload: Buffer): FlumeRecord | undefined {
  const head = readDelimited(payload, 0);
  const header = head && readMessage(head.message);
  const transactionId = header && int64(header, 2);
  const writeOrderId = header && int64(header, 3);
  const kind = header && kinds.get(int32(header, 1));
  if (head === undefined || transactionId === undefined || writeOrderId === undefined) return undefined;
  if (kind === 'put' || kind === 'rollback') return { kind, transactionId, writeOrderId };
  const body = readDelimited(payload, head.next);
  const message = body && readMessage(body.message);
  if (message === undefined || kind === undefined) return undefined;
  if (kind === 'commit') {
    const type = int32(message, 1);
    if (type !== 1 && type !== 2) return undefined;
    return { kind, of: type === 1 ? 'puts' : 'takes', transactionId, writeOrderId };
  }
  const fileId = int32(message, 1);
  const offset = int32(message, 2);
  if (fileId === undefined || offset === undefined || fileId < 1 || offset < 0) return undefined;
  return { kind, fileId, offset, transactionId, writeOrderId };
}

/** The event of a put's whole payload, or a sentence: why there is none. */
export function readEvent(payload: Buffer): Event | string {
  const head = readDelimited(payload, 0);
  const put = head && readDelimited(payload, head.next);
  const message = put && readMessage(put.message);
  const stored = message && bytesOf(message, 1);
  const event = stored && readMessage(stored);
  const body = event && bytesOf(event, 2);
  if (message === undefined || event === undefined || body === undefined) return 'it is no put of an event';
  const checksum = int64(message, 2);
  if (checksum !== undefined && checksum !== BigInt(crc32(body))) return 'the sum of its body does not hold';
  const headers: Record<string, string> = {};
  for (const value of event.get(1) ?? []) {
    const pair = value instanceof Buffer ? readMessage(value) : undefined;
    const key = pair && bytesOf(pair, 1);
    if (pair === undefined || key === undefined) return 'a header of it is none';
    headers[key.toString()] = (bytesOf(pair, 2) ?? Buffer.alloc(0)).toString();
  }
  return { headers, body };
}
