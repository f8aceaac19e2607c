// What is written into a finished batch: by the broker before it appends, by the producer before it sends again.
// Enters: a batch whose bytes the caller may change. Leaves: the same bytes, changed in place.
import { assert, crc32c } from '@minikafka/platform'
import { batchSizeAt } from './header.ts'
import { int16At, putInt16, putInt32, putInt64 } from './integer.ts'
import * as at from './layout.ts'

/** Base offset and leader epoch: both lie outside the CRC. */
export function stampBatch(batch: Uint8Array, baseOffset: number, leaderEpoch: number): void {
  assert(Number.isSafeInteger(baseOffset) && baseOffset >= 0, 'a base offset is a safe integer')
  putInt64(batch, at.BASE_OFFSET, baseOffset)
  putInt32(batch, at.LEADER_EPOCH, leaderEpoch)
}

/** LogAppendTime: the time of all its records, and the CRC anew. */
export function stampLogAppendTime(batch: Uint8Array, timeMs: number): void {
  assert(Number.isSafeInteger(timeMs), 'a time is a safe integer')
  putInt64(batch, at.MAX_TIMESTAMP, timeMs)
  putInt16(batch, at.ATTRIBUTES, int16At(batch, at.ATTRIBUTES) | at.APPEND_TIME_BIT)
  sumBatch(batch)
}

/**
 * Gives a batch another producer identity, and the CRC anew. Only for a batch whose attempts all had a definite
 * outcome: one that may be in the log under its old identity would appear twice (CLIENT 5).
 */
export function restampProducer(
  batch: Uint8Array,
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
): void {
  assert(Number.isSafeInteger(producerId), 'a producer id is a safe integer')
  putInt64(batch, at.PRODUCER_ID, producerId)
  putInt16(batch, at.PRODUCER_EPOCH, producerEpoch)
  putInt32(batch, at.BASE_SEQUENCE, baseSequence)
  sumBatch(batch)
}

/** Writes the CRC that fits the bytes of `batch`, which is exactly one batch. */
export function sumBatch(batch: Uint8Array): void {
  assert(batch.length === batchSizeAt(batch), 'a batch that is summed is whole')
  putInt32(batch, at.CRC, crc32c(batch.subarray(at.ATTRIBUTES)))
}
