// What a broker believes of a batch that a producer sent: its header, and nothing inside (no per-record work).
// Enters: one blob of a produce request. Leaves: nothing where it is fine, else the error for that partition.
import type { ErrorName } from '../errors.ts'
import { type BatchHeader, batchCrcIsRight, readBatchHeader } from './header.ts'
import * as at from './layout.ts'

export type BatchRefusal = { readonly error: ErrorName; readonly message: string }

/**
 * Length and magic first, then the CRC, then the other fields. undefined: fine.
 *
 * What it cannot know is its caller's: the size limit, the clock (too old, too new), and the producer's state.
 * Source  SECURITY, rows 38-47; Kafka LogValidator.validateBatch.
 */
export function checkProducedBatch(batch: Uint8Array): BatchRefusal | undefined {
  if (batch.length < at.BATCH_HEADER_SIZE) {
    return invalid(`a batch has at least ${at.BATCH_HEADER_SIZE} bytes, this has ${batch.length}`)
  }
  const header = readBatchHeader(batch)
  if (header.sizeBytes !== batch.length) {
    return invalid(
      `one blob is one batch: its header says ${header.sizeBytes}, it has ${batch.length}`,
    )
  }
  if (header.magic !== at.MAGIC_V2) return invalid(`magic is 2, not ${header.magic}`)
  if (!batchCrcIsRight(batch)) {
    return { error: 'CORRUPT_MESSAGE', message: 'the CRC-32C of the batch does not fit its bytes' }
  }
  return (
    checkAttributes(header) ?? checkCounts(header) ?? checkTimes(header) ?? checkProducer(header)
  )
}

function checkAttributes(header: BatchHeader): BatchRefusal | undefined {
  if (header.compression === undefined) {
    const message = `unknown compression type ${header.attributes & at.COMPRESSION_MASK}`
    return { error: 'UNSUPPORTED_COMPRESSION_TYPE', message }
  }
  if (header.control) return invalid('control batches are written by brokers alone')
  if (header.timestampType === 'append') {
    const message = 'the broker alone sets the timestamp type to LogAppendTime'
    return { error: 'INVALID_TIMESTAMP', message }
  }
  if ((header.attributes & at.RESERVED_MASK) !== 0)
    return invalid('a reserved attribute bit is set')
  return undefined
}

function checkCounts(header: BatchHeader): BatchRefusal | undefined {
  const { baseOffset, recordCount, lastOffsetDelta } = header
  if (baseOffset !== 0) return invalid(`the base offset of a new batch is 0, not ${baseOffset}`)
  if (recordCount < 1) return invalid(`a batch holds at least one record, not ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    return invalid(`${recordCount} records do not end at the offset delta ${lastOffsetDelta}`)
  }
  // Offsets are finite: none may be taken by records for which there is no room.
  const bodyBytes = header.sizeBytes - at.BATCH_HEADER_SIZE
  const room = header.compression === 'none' ? bodyBytes : at.bodyBytesMax(bodyBytes)
  if (recordCount * at.RECORD_SIZE_MIN > room) {
    return invalid(`${recordCount} records cannot be in ${bodyBytes} bytes`)
  }
  return undefined
}

function checkTimes(header: BatchHeader): BatchRefusal | undefined {
  const { baseTimestamp, maxTimestamp } = header
  if (isTime(baseTimestamp) && isTime(maxTimestamp) && baseTimestamp <= maxTimestamp)
    return undefined
  const message = `the batch has no sound timestamps: first ${baseTimestamp}, greatest ${maxTimestamp}`
  return { error: 'INVALID_TIMESTAMP', message }
}

/** -1 stands for no timestamp. */
function isTime(timestamp: number): boolean {
  return Number.isSafeInteger(timestamp) && timestamp >= -1
}

function checkProducer(header: BatchHeader): BatchRefusal | undefined {
  const { producerId, producerEpoch, baseSequence } = header
  if (!Number.isSafeInteger(producerId) || producerId < -1) {
    return invalid(`there is no producer id ${producerId}`)
  }
  if (producerId >= 0) {
    if (producerEpoch < 0) return invalid(`a producer id comes with an epoch, not ${producerEpoch}`)
    if (baseSequence < 0) return invalid(`a producer id comes with a sequence, not ${baseSequence}`)
    return undefined
  }
  if (header.transactional) return invalid('a transactional batch has a producer id')
  // -1 by convention; kafkajs writes 0. Neither is ever looked at without a producer id.
  if (producerEpoch !== -1 && producerEpoch !== 0) {
    return invalid(`an epoch (${producerEpoch}) comes with a producer id`)
  }
  if (baseSequence !== -1 && baseSequence !== 0) {
    return invalid(`a sequence (${baseSequence}) comes with a producer id`)
  }
  return undefined
}

function invalid(message: string): BatchRefusal {
  return { error: 'INVALID_RECORD', message }
}
