// The front door of the client: everything a user may name, and nothing else.
export type { Env, Logger } from '@minikafka/platform'
export { nodeEnv } from '@minikafka/platform'
export { type ErrorName, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
export type {
  Admin,
  BrokerDescription,
  BrokerProcess,
  ClusterDescription,
  ClusterHealth,
  Config,
  ConfigChanges,
  ConfigEntry,
  CreateTopicOptions,
  GroupDescription,
  GroupMember,
  GroupSummary,
  HealthCheck,
  LogDirDescription,
  PartitionDescription,
  ResetOffset,
  ResetOffsets,
  TopicDescription,
} from './admin/index.ts'
export {
  Client,
  type ClientStats,
  type ConnectionStats,
  type ConsumerStats,
  createClient,
  type ProducerStats,
} from './client.ts'
export type {
  AnyRecord,
  Batch,
  BatchesOptions,
  Consumer,
  ConsumerEvents,
  ConsumerHealth,
  ConsumerOptions,
  ConsumerRecord,
  ConsumerTuning,
  ErrorPolicy,
  Handler,
  Hook,
  Outcome,
  PollOptions,
  ReadOptions,
  RunOptions,
  Stall,
  Start,
} from './consumer/index.ts'
export { rawRecord } from './consumer/index.ts'
export type { ClientEvents, ClientOptions, RetryOptions } from './core/index.ts'
export {
  PartialFailureError,
  type Partitioner,
  type Producer,
  type ProducerEvents,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  roundRobin,
  sticky,
} from './producer/index.ts'
export { toPrometheus } from './prometheus.ts'
export {
  bytes,
  type Codec,
  type HeadersInit,
  type InferInput,
  type InferOutput,
  json,
  msgpack,
  nullable,
  type Parts,
  type RecordHeaders,
  type StandardSchema,
  type Topic,
  type TopicLike,
  text,
  topic,
} from './topic/index.ts'
export type {
  Bytes,
  Closable,
  Done,
  Emitter,
  NextOffset,
  OffsetSpec,
  PartitionLag,
  Partitions,
  TopicPartition,
  Wait,
} from './words.ts'
