// The records of groups in __consumer_offsets, as the state machine sees them (REPLICATION 2.13.6).
// A `value` of null is a tombstone. How they look in bytes stands in record-codec.ts.
import type { PartitionKey } from './partitions.ts'

export type GroupRecord =
  | {
      readonly type: 'Offset'
      readonly groupId: string
      readonly topicId: string
      readonly partition: number
      readonly value: Position | null
    }
  | { readonly type: 'Group'; readonly groupId: string; readonly value: Epoch | null }
  | {
      readonly type: 'Member'
      readonly groupId: string
      readonly memberId: string
      readonly value: Subscriber | null
    }
  | {
      readonly type: 'Target'
      readonly groupId: string
      readonly value: { readonly targetEpoch: number } | null
    }
  | {
      readonly type: 'TargetMember'
      readonly groupId: string
      readonly memberId: string
      readonly value: Target | null
    }
  | {
      readonly type: 'Current'
      readonly groupId: string
      readonly memberId: string
      readonly value: Current | null
    }

/** Where a group stands in one partition. */
export type Position = {
  /** The next offset to read. */
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
  /** Wall clock of the coordinator at the commit. */
  readonly commitTimestamp: number
}

/** A group epoch began: a new assignment is needed. */
export type Epoch = {
  readonly groupEpoch: number
  /** Of the subscribed topics, their ids and partition counts; empty without members. */
  readonly metadataHash: string
  /** Wall clock. Of a group without members: since when it has none. */
  readonly atMs: number
  /** In words, for whoever asks why the group rebalanced. */
  readonly reason: string
}

/** What a member said of itself. */
export type Subscriber = {
  /** Null: a dynamic member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly topics: readonly string[]
  /** Empty: none. */
  readonly regex: string
  /** Null: it has no wish. */
  readonly assignor: string | null
  readonly rebalanceTimeoutMs: number
}

/** What a member shall have. */
export type Target = ReadonlySet<PartitionKey>

/** What a member has now, and how far it got on its way to the target. */
export type Current = {
  /** -2: a static member that is away. */
  readonly epoch: number
  readonly previousEpoch: number
  /** `unrevoked`: it has to give up `revoking` first; `unreleased`: others have to give up first. */
  readonly state: MemberState
  readonly assigned: Holdings
  readonly revoking: Holdings
}

export type MemberState = 'stable' | 'unrevoked' | 'unreleased'

/** With the assignment epoch: a commit must not come from before it (KIP-1251). */
export type Holdings = ReadonlyMap<PartitionKey, number>
