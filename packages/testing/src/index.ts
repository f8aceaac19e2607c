// The front door of `testing`.
export type { BrokerDisk, FlippedBit } from './broker-disk.ts'
export type { ChaosFault, ChaosOptions, ChaosReport } from './chaos.ts'
export {
  type Anomaly,
  type AnomalyKind,
  type CheckOptions,
  checkHistory,
  type HistoryReport,
  type Lag,
  type Operation,
  type Partition,
  type Polled,
  type Step,
  type Stuck,
  type Value,
} from './history/index.ts'
export type { InterceptedApi, Interception, Interceptor, Verdict } from './intercept.ts'
export type { ReadOptions, ReadRecord } from './read-topic.ts'
export { type History, type RecordOptions, recordHistory } from './recording/index.ts'
export type { Side } from './sides.ts'
export { type BrokerIndex, TestBroker } from './test-broker.ts'
export type { TestBrokerOptions, TopicOptions } from './test-broker-options.ts'
export {
  type BuggifyPoint,
  type ClockFaults,
  type ClockMode,
  createWorld,
  type DiskFaults,
  type DiskFile,
  type Duration,
  durationMs,
  type Latency,
  type LogLine,
  type NetworkFaults,
  type ProcessOptions,
  type SignedDuration,
  swizzleClog,
  type WaitOptions,
  type World,
  type WorldClock,
  type WorldOptions,
} from './world/index.ts'
