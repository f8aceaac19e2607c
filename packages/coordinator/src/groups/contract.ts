// What the host asks of the groups of one partition of __consumer_offsets, and what it is answered.
// Enters: requests of the protocol with who sent them, ticks, news of topics. Leaves: types alone.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'

/** Who sent a request, for those who look at the group later. */
export type Peer = { readonly clientId: string; readonly clientHost: string }

/**
 * Every request names one group and may write. A refusal of the whole is thrown (`MinikafkaError`): nothing is written.
 * `commit` may be in flight any number of times; every other kind is alone in flight for its group, and `delete`,
 * `deleteOffsets` and `expire` wait for the commits in flight too (REPLICATION 2.13.1).
 */
export type GroupRequest =
  | ({
      readonly kind: 'heartbeat'
      readonly body: RequestOf<Apis['consumerGroupHeartbeat']>
    } & Peer)
  | { readonly kind: 'commit'; readonly body: RequestOf<Apis['offsetCommit']> }
  | { readonly kind: 'leave'; readonly body: RequestOf<Apis['leaveGroup']> }
  /** Of a group with very many positions: asked again until the answer says that it is done. */
  | { readonly kind: 'delete'; readonly groupId: string }
  | { readonly kind: 'deleteOffsets'; readonly body: RequestOf<Apis['offsetDelete']> }
  /** `wakeAt` of the group has come. */
  | { readonly kind: 'tick'; readonly groupId: string }
  /** A topic was created, deleted or has grown. */
  | { readonly kind: 'topicsChanged'; readonly groupId: string }
  /** Drops offsets past their retention, and a group with nothing left. */
  | { readonly kind: 'expire'; readonly groupId: string }

export type RequestOfKind<K extends GroupRequest['kind']> = Extract<GroupRequest, { kind: K }>

export type GroupResponse = {
  heartbeat: ResponseOf<Apis['consumerGroupHeartbeat']>
  commit: ResponseOf<Apis['offsetCommit']>
  leave: ResponseOf<Apis['leaveGroup']>
  delete: { readonly isDone: boolean }
  deleteOffsets: ResponseOf<Apis['offsetDelete']>
  tick: undefined
  topicsChanged: undefined
  expire: undefined
}

/**
 * The topics there are at this moment; internal ones, and those the asker may not describe, are not among them. The
 * machine drops offsets of topics that are not there: the host asks nothing of it before it knows all topics.
 */
export type TopicsView = {
  /** Undefined: there is none. */
  byName(name: string): TopicFacts | undefined
  byId(topicId: string): TopicFacts | undefined
  /**
   * Names that the expression matches as a whole, in name order. `isKept`: it was accepted once, and has more time.
   *
   * Errors  INVALID_REGULAR_EXPRESSION.
   */
  matching(expression: string, isKept?: boolean): readonly string[]
}

export type TopicFacts = {
  readonly name: string
  readonly topicId: string
  readonly partitionCount: number
}

/** Settings that the machine obeys, read at every request: they may change. */
export type GroupSettings = {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly assignmentIntervalMs: number
  readonly membersMax: number
  readonly offsetsRetentionMs: number
  /** In the order of preference; the first one is for a group whose members ask for none. */
  readonly assignors: readonly string[]
}
