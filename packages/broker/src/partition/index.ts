// The door of the partition room.
export { type Acks, type Appended, definite } from './appended.ts'
export { factsOf, type PartitionFacts } from './facts.ts'
export { type Leadership, Partition } from './partition.ts'
export { type Lookup, type PartitionSpec, Partitions, type Space } from './partitions.ts'
export { SteadyClock } from './steady-clock.ts'
