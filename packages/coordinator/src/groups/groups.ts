// The groups of one partition of __consumer_offsets: requests in, records and answers out (REPLICATION 2.13).
// Enters: requests with the time, committed records, views of topics and settings. Leaves: decisions, and reads.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import type { GroupRequest, GroupResponse, GroupSettings, TopicsView } from './contract.ts'
import type { GroupRecord } from './records.ts'

type Kind = GroupRequest['kind']
type RequestOfKind<K extends Kind> = Extract<GroupRequest, { kind: K }>
type Described = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type Listed = ResponseOf<Apis['listGroups']>['groups'][number]

export class Groups {
  readonly #settings: () => GroupSettings
  readonly #topics: TopicsView

  constructor(settings: () => GroupSettings, topics: TopicsView) {
    this.#settings = settings
    this.#topics = topics
  }

  /**
   * Decides, and changes no hard state: the records may not survive. A refusal of the whole is thrown: nothing is
   * written.
   *
   * Units   `nowMs` reads as the wall clock and runs as a monotonic one; where it was set, `loaded` is called.
   */
  handle<K extends Kind>(
    _request: RequestOfKind<K>,
    _nowMs: number,
  ): Decision<GroupRecord, GroupResponse[K]> {
    throw new Error(`being built ${this.#settings().membersMax} ${this.#topics.matching('')}`)
  }

  /** Applies one committed record: after our own append and after a failover, alike. */
  replay(_offset: number, _record: GroupRecord): void {}

  /** The log is replayed to its end, or the clock was set: every deadline begins anew, in full. */
  loaded(_nowMs: number): void {}

  /** When `tick` is due for the group; undefined: never. It may be early, and never late. */
  wakeAt(_groupId: string): number | undefined {
    return undefined
  }

  /** Errors  UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH. */
  fetchOffsets(_body: RequestOf<Apis['offsetFetch']>): ResponseOf<Apis['offsetFetch']> {
    throw new Error('being built')
  }

  /** In name order; `states` empty: all. */
  list(_states: readonly string[]): Listed[] {
    return []
  }

  /** A group that does not exist is described as Dead, with GROUP_ID_NOT_FOUND. */
  describe(_groupId: string, _nowMs: number): Described {
    throw new Error('being built')
  }

  get groupCount(): number {
    return 0
  }

  groupIds(): string[] {
    return []
  }

  /** Those to which `topicsChanged` has to be told when this topic was created, deleted or has grown. */
  groupsWith(_topic: { readonly name: string; readonly topicId: string }): string[] {
    return []
  }
}
