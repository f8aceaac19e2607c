// The door of the core: what producer, consumer and admin are built on.
export { Alarm } from './alarm.ts'
export { hasSubscribers } from './channels.ts'
export type { ClientOptions, ClientSettings, RetryOptions } from './client-options.ts'
export type { Lane, Target } from './connections.ts'
export { type CallOptions, type ClientEvents, Core, type Part, type PartKind } from './core.ts'
export { Events } from './emitter.ts'
export {
  anything,
  boolean,
  callable,
  checkOptions,
  integer,
  invalidOption,
  type OptionRule,
  type OptionRules,
  oneOf,
  text,
  waitRules,
} from './options.ts'
export type { BrokerInfo, PartitionInfo, TopicInfo } from './topic-info.ts'
export { knownError } from './unexpected.ts'
export { CLOSE_TIMEOUT_MS, Deadline } from './wait.ts'
