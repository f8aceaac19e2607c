// Opens what the last run left of a log (REPLICATION 2.12.1). After a clean stop nothing is scanned. Otherwise every batch from
// the recovery point on is checked; the first bad one is a torn tail or corruption, and the floor decides which.
// Enters: files, and what the checkpoints say. Leaves: a log all of which is on the disk, or an error and nothing touched.
import { assert } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt, batchLeaderEpochAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import { type ChainBreak, scanBatches, walkHeaders } from './header-walk.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { listLogFiles, type SegmentFiles } from './log-files.ts'
import type { LogHost } from './log-host.ts'
import type { OpenedLog } from './log-state.ts'
import type { LogIdentity, RecoveryReport } from './log-types.ts'
import { loadSealed, type SealedSegment, saveSealed } from './sealed-segments.ts'
import { Segment } from './segment.ts'

/** What the checkpoints of the directory say of one partition. */
export type Knowledge = {
  /** The last stop was clean, and this log was among those that were closed cleanly. */
  readonly clean: boolean
  /** 'lost': the file was damaged. undefined: nothing was ever synced. */
  readonly recoveryPoint: number | 'lost' | undefined
  /** Of `synced`; undefined: no good slot. */
  readonly synced: number | undefined
  readonly logStartOffset: number | undefined
  readonly highWatermark: number | undefined
}
