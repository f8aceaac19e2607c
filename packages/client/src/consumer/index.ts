// The door of the consumer.
export { openConsumer } from './consumer.ts'
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
  PartitionLag,
  PollOptions,
  ReadOptions,
  RunOptions,
  Stall,
  Start,
} from './types.ts'
