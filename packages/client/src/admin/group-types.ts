// What an admin is asked and answers about groups.
import type { NextOffset, OffsetSpec, PartitionLag, Partitions } from '../words.ts'

export type GroupSummary = {
  readonly group: string
  /** `consumer`. */
  readonly type: string
  /** Empty, Assigning, Reconciling or Stable. */
  readonly state: string
}

export type GroupMember = {
  readonly memberId: string
  /** Of a static member; else null. */
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -2: a static member that is away. */
  readonly memberEpoch: number
  /** stable, unrevoked (has to give something up), unreleased (waits for others) or away. */
  readonly state: string
  readonly clientId: string
  readonly clientHost: string
  readonly topics: readonly string[]
  readonly pattern: string | null
  /** What it may read. A topic that is gone by now is called by its id. */
  readonly assigned: Partitions
  /** What it has to give up first. */
  readonly revoking: Partitions
  /** What it shall have. */
  readonly target: Partitions
  readonly lastHeartbeatMsAgo: number
  /** undefined: not running. */
  readonly sessionLeftMs: number | undefined
  /** undefined: it has nothing to give up. */
  readonly revokeLeftMs: number | undefined
}

export type GroupDescription = {
  readonly group: string
  readonly state: string
  /** Grows by one whenever a new assignment is needed. */
  readonly groupEpoch: number
  /** The group epoch that the targets were made for. */
  readonly targetEpoch: number
  readonly assignor: string
  readonly members: readonly GroupMember[]
  /** The last 20, oldest first. */
  readonly rebalances: readonly {
    readonly groupEpoch: number
    /** Milliseconds since 1970. */
    readonly atMs: number
    readonly reason: string
  }[]
  /** Since when they are known: the coordinator forgets them when it restarts. Milliseconds since 1970. */
  readonly rebalancesSinceMs: number
}

export type ResetOffsets = {
  /** Default: where the group has committed something; with these all of their partitions. */
  readonly topics?: readonly string[] | undefined
  /** A point; so many records forward or (negative) back, within the log; or an offset for each partition. */
  readonly to: OffsetSpec | { readonly shift: number } | readonly NextOffset[]
  /** Says what it would do, and does nothing. */
  readonly dryRun?: boolean | undefined
}

/** `committed` as it was before; the lag as it is from `nextOffset` on. */
export type ResetOffset = PartitionLag & NextOffset
