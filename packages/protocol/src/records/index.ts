// The door of `records`: batches of Kafka's format v2, built by producers, checked by brokers, read by consumers.
export { BatchReader } from './batch-reader.ts'
export { BatchWriter, type HeaderInput, type SealOptions } from './batch-writer.ts'
export { batchesIn } from './batches-in.ts'
export { type BatchRefusal, checkProducedBatch } from './check-batch.ts'
export { type DecodedRecord, decodeBatch } from './decode-batch.ts'
export { BatchFilter, emptyBatch } from './filter-batch.ts'
export {
  type BatchHeader,
  batchBaseOffsetAt,
  batchCrcIsRight,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchMagicAt,
  batchMaxTimestampAt,
  batchRecordCountAt,
  batchSizeAt,
  readBatchHeader,
} from './header.ts'
export { BATCH_HEADER_SIZE } from './layout.ts'
export { type RecordHeader, readRecordHeaders } from './record-headers.ts'
export { restampProducer, stampBatch, stampLogAppendTime } from './stamp.ts'
