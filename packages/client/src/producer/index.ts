// The door of the producer.
export { PartialFailureError } from './partial-failure.ts'
export { roundRobin, sticky } from './partitioner.ts'
export { openProducer } from './producer.ts'
export type {
  Partitioner,
  Producer,
  ProducerEvents,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
} from './types.ts'
