// The door of the admin.
export { openAdmin } from './admin.ts'
export type {
  GroupDescription,
  GroupMember,
  GroupSummary,
  ResetOffset,
  ResetOffsets,
} from './group-types.ts'
export { type LagPlace, lagsAt } from './lags.ts'
export { findOffsets } from './offsets.ts'
export { checkPoint, POINT_WORDS, pointRule } from './point.ts'
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
  HealthCheck,
  LogDirDescription,
  PartitionDescription,
  TopicDescription,
} from './types.ts'
