// The front door of `protocol`.
export { assert, assertNever } from '@minikafka/platform'
export type { ApiName, Apis } from './apis/index.ts'
export { apis } from './apis/index.ts'
export type { Api, Field, Fields, FieldType, RequestOf, ResponseOf, Struct } from './define.ts'
export type { ErrorFields, ErrorName, ErrorRow } from './errors.ts'
export {
  errorCode,
  errorName,
  errorRow,
  errors,
  isMinikafkaError,
  MinikafkaError,
} from './errors.ts'
export { decodeMsgpack, encodeMsgpack } from './msgpack.ts'
export { murmur2 } from './murmur2.ts'
export { nearest } from './nearest.ts'
export {
  BATCH_HEADER_SIZE,
  BatchFilter,
  type BatchHeader,
  BatchReader,
  type BatchRefusal,
  BatchWriter,
  batchBaseOffsetAt,
  batchCrcIsRight,
  batchesIn,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchMagicAt,
  batchMaxTimestampAt,
  batchRecordCountAt,
  batchSizeAt,
  checkProducedBatch,
  type DecodedRecord,
  decodeBatch,
  emptyBatch,
  type HeaderInput,
  type RecordHeader,
  readBatchHeader,
  readRecordHeaders,
  restampProducer,
  type SealOptions,
  stampBatch,
  stampLogAppendTime,
} from './records/index.ts'
export type {
  AnyResponse,
  CallMemory,
  CallOptions,
  CallOutcome,
  ConnectionOptions,
  HangUp,
  MemoryAccount,
  RefusalReason,
  ServerCall,
  ServerConnection,
  ServerLimits,
  Service,
} from './rpc/index.ts'
export {
  CallHolding,
  Connection,
  FramePool,
  Holding,
  RpcServer,
  SERVER_LIMITS,
} from './rpc/index.ts'
