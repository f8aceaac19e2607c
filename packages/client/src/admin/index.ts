// The door of the admin.
export { openAdmin } from './admin.ts'
export { findOffsets, offsetsOf } from './offsets.ts'
export type {
  Admin,
  BrokerDescription,
  ClusterDescription,
  Config,
  ConfigEntry,
  CreateTopicOptions,
  LogDirDescription,
  PartitionDescription,
  TopicDescription,
} from './types.ts'
