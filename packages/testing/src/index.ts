// The front door of `testing`.
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
export type { ReadOptions, ReadRecord } from './read-topic.ts'
export { type History, type RecordOptions, recordHistory } from './recording/index.ts'
export { TestBroker, type TestBrokerOptions, type TopicOptions } from './test-broker.ts'
export {
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
