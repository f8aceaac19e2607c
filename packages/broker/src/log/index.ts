// The door of the log: what is kept. Everything else in this folder is its own business.
export { checkedBody, checksumLine, withChecksum } from './checked-text.ts'
export { Coalesced } from './coalesced.ts'
export type { CompactionNeed } from './compaction/compactor.ts'
export { OffsetMap } from './compaction/offset-map.ts'
export { DataDirectory } from './data-directory.ts'
export type { DirectoryMeta } from './directory-meta.ts'
export { type DumpOptions, dumpLog, type InspectLine } from './inspect.ts'
export { Log } from './log.ts'
export { PRODUCER_SNAPSHOT } from './log-files.ts'
export type {
  DataDirectoryOptions,
  FlushPolicy,
  FoundPartition,
  LogIdentity,
  LogListener,
  LogSettings,
  LogSlice,
  OpenLogOptions,
  RecoveryReport,
} from './log-types.ts'
export { isOutOfDescriptors } from './open-files.ts'
export { readRegularFile } from './regular-file.ts'
export { Repair, type RepairWay } from './repair.ts'
export { ScrubTimes } from './scrub-times.ts'
export { EXIT, StartError } from './start-error.ts'
export { type VerifyOptions, verifyDirectory } from './verify.ts'
