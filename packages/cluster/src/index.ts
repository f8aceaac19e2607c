// The front door of `cluster`.

export type { RecoveryReport } from './broker-plans.ts'
export { ClusterState } from './cluster-state.ts'
export type {
  Broker,
  ClusterChange,
  Partition,
  PartitionChange,
  Topic,
  TopicChange,
} from './cluster-view.ts'
export {
  Controller,
  type ControllerParts,
  type ControllerSettings,
  type ReadyBroker,
} from './controller.ts'
export type { ReplicaAnswer, UncleanRecovery } from './election.ts'
export {
  EmbeddedStore,
  type EmbeddedStoreOptions,
  inspectEmbeddedStore,
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
export type { ConfigChange, CreatedTopic, TopicRef, WriteOptions } from './topic-admin.ts'
export { isInternalTopic, topicNameError } from './topic-names.ts'
export { type NewTopic, unknownTopic } from './topic-plans.ts'
export type { PartitionValue, TopicValue } from './values.ts'
