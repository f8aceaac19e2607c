// The front door of the client: everything a user may name, and nothing else.
export type { Env, Logger } from '@minikafka/platform'
export { nodeEnv } from '@minikafka/platform'
export { type ErrorName, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
export {
  Client,
  type ClientStats,
  type ConnectionStats,
  type ConsumerStats,
  createClient,
  type ProducerStats,
} from './client.ts'
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
export type {
  Bytes,
  Closable,
  Done,
  Emitter,
  NextOffset,
  OffsetSpec,
  Partitions,
  TopicPartition,
  Wait,
} from './words.ts'
