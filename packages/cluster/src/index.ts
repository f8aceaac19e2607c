// The front door of `cluster`.
export {
  type Broker,
  type ClusterChange,
  ClusterState,
  type Partition,
  type PartitionChange,
  type Topic,
  type TopicChange,
} from './cluster-state.ts'
export {
  type ConfigChange,
  Controller,
  type ControllerSettings,
  type CreatedTopic,
  type NewTopic,
  type RecoveryReport,
  type TopicRef,
} from './controller.ts'
export type { Brokers, Recovered, ReplicaAnswer, UncleanRecovery } from './election.ts'
export {
  EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore,
  StoreDamaged,
} from './embedded/index.ts'
export { bootstrapCluster, Member, newClusterId, type Registration } from './member.ts'
export type {
  Cmp,
  Event,
  KeyValue,
  Lease,
  MetaStore,
  NotAppliedReason,
  Op,
  OpResult,
  RangeOptions,
  RangeResult,
  TxnResult,
  WatchItem,
} from './meta-store.ts'
export { NotApplied, Unknown } from './meta-store.ts'
export { PRODUCER_ID_BLOCK, ProducerIds } from './producer-ids.ts'
export { isInternalTopic, topicNameError } from './topic-names.ts'
export { MalformedValue } from './value-codec.ts'
export type {
  BrokerStatusValue,
  BrokerValue,
  ClusterValue,
  ConfigValue,
  ControllerValue,
  PartitionValue,
  ProducerIdValue,
  TopicNameValue,
  TopicValue,
} from './values.ts'
