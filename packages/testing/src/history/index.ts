// The door of the history checker.
export type { Anomaly, AnomalyKind } from './anomaly.ts'
export { type CheckOptions, checkHistory, type HistoryReport } from './check-history.ts'
export type { Lag, Stuck } from './measures.ts'
export type { Operation, Partition, Polled, Step, Value } from './operation.ts'
