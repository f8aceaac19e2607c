// The door of the consumer.
export { openConsumer } from './consumer.ts'
export { rawRecord } from './record.ts'
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
} from './types.ts'
