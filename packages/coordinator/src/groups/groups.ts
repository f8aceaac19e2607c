// The groups of one partition of __consumer_offsets: requests in, records and answers out (REPLICATION 2.13).
// Enters: requests with the time, committed records, views of topics and settings. Leaves: decisions, and reads.
import { type Apis, assertNever, type RequestOf, type ResponseOf } from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import type {
  GroupRequest,
  GroupResponse,
  GroupSettings,
  RequestOfKind,
  TopicsView,
} from './contract.ts'
import { describe } from './description.ts'
import type { Moment } from './draft.ts'
import { deleteGroup, expire, topicsChanged } from './expiry.ts'
import { tick } from './fence.ts'
import { Group, memberBytes, positionBytes } from './group.ts'
import { heartbeat } from './heartbeat.ts'
import { commit, deleteOffsets, fetchOffsets } from './offsets.ts'
import type { GroupRecord } from './records.ts'
import { mayConcern } from './subscriptions.ts'
import { takeOut } from './take-out.ts'

type Kind = GroupRequest['kind']
type AnyDecision = Decision<GroupRecord, GroupResponse[Kind]>
type Described = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type Listed = ResponseOf<Apis['listGroups']>['groups'][number]

export class Groups {
  readonly #settings: () => GroupSettings
  readonly #topics: TopicsView
  /** Invariant: none of them is nothing. */
  readonly #groups = new Map<string, Group>()
  #heldBytes = 0
  /** The latest time that was told; what is replayed then happens then. */
  #nowMs = 0
  /** Undefined: its records are still being read. */
  #loadedAtMs: number | undefined

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
    request: RequestOfKind<K>,
    nowMs: number,
  ): Decision<GroupRecord, GroupResponse[K]> {
    this.#nowMs = nowMs
    const groupId = 'body' in request ? request.body.groupId : request.groupId
    const group = this.#groups.get(groupId) ?? new Group(groupId)
    const { records, response } = this.#decide(group, request)
    // The kinds and their responses are paired in #decide.
    return { records, response: response as GroupResponse[K], wakeAt: this.wakeAt(groupId) }
  }

  #decide(group: Group, request: GroupRequest): AnyDecision {
    const moment = this.#moment(this.#nowMs)
    switch (request.kind) {
      case 'heartbeat':
        return heartbeat(group, request, moment)
      case 'commit':
        return commit(group, request.body, moment)
      case 'leave':
        return takeOut(group, request.body, moment)
      case 'delete':
        return deleteGroup(group)
      case 'deleteOffsets':
        return deleteOffsets(group, request.body, moment)
      case 'tick':
        return tick(group, moment)
      case 'topicsChanged':
        return topicsChanged(group, moment)
      case 'expire':
        return expire(group, moment)
      default:
        return assertNever(request)
    }
  }

  /** Applies one committed record: after our own append and after a failover, alike. */
  replay(_offset: number, record: GroupRecord): void {
    let group = this.#groups.get(record.groupId)
    if (group === undefined) {
      if (record.value === null) return
      group = new Group(record.groupId)
      this.#groups.set(record.groupId, group)
    }
    const before = group.heldBytes
    group.replay(record, this.#nowMs, this.#loadedAtMs !== undefined)
    this.#heldBytes += group.heldBytes - before
    if (record.value === null && group.isNothing) this.#groups.delete(record.groupId)
  }

  /** The log is replayed to its end, or the clock was set: every deadline begins anew, in full. */
  loaded(nowMs: number): void {
    this.#nowMs = nowMs
    this.#loadedAtMs ??= nowMs
    for (const group of this.#groups.values()) group.loaded(nowMs)
  }

  /** When `tick` is due for the group; undefined: never. It may be early, and never late. */
  wakeAt(groupId: string): number | undefined {
    const atMs = this.#groups.get(groupId)?.wakeAtMs(this.#settings())
    if (atMs === undefined || atMs === Number.POSITIVE_INFINITY) return undefined
    return Math.max(atMs, this.#nowMs)
  }

  // --- reads of committed facts --------------------------------------------------------------

  /** Errors  UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, INVALID_REQUEST. */
  fetchOffsets(body: RequestOf<Apis['offsetFetch']>): ResponseOf<Apis['offsetFetch']> {
    return fetchOffsets(this.#groups.get(body.groupId) ?? new Group(body.groupId), body)
  }

  /** Of each group, by topic id, by partition. No copies: who reads on in a later turn sees what has changed. */
  *positions(): Iterable<readonly [groupId: string, Group['positions']]> {
    for (const [groupId, { positions }] of this.#groups) yield [groupId, positions]
  }

  /** In name order; `states` empty: all. */
  list(states: readonly string[]): Listed[] {
    const listed: Listed[] = []
    for (const groupId of this.groupIds()) {
      const state = this.#groups.get(groupId)?.state ?? 'Empty'
      if (states.length === 0 || states.includes(state))
        listed.push({ groupId, type: 'consumer', state })
    }
    return listed
  }

  /** A group that does not exist is described as Dead, with GROUP_ID_NOT_FOUND. */
  describe(groupId: string, nowMs: number): Described {
    const group = this.#groups.get(groupId) ?? new Group(groupId)
    return describe(group, this.#moment(nowMs), this.#loadedAtMs ?? nowMs)
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** About what positions and members take in memory. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** More memory would be held, if this were granted: a new member, a new position, longer words. */
  wouldGrow(request: GroupRequest): boolean {
    if (request.kind === 'heartbeat') {
      const { groupId, memberId, subscribedTopicNames, subscribedTopicRegex } = request.body
      const before = this.#groups.get(groupId)?.members.get(memberId)
      const topics = subscribedTopicNames ?? before?.topics ?? []
      const regex = subscribedTopicRegex ?? before?.regex ?? ''
      return memberBytes({ topics, regex }) > memberBytes(before)
    }
    if (request.kind !== 'commit') return false
    const { groupId, positions } = request.body
    const held = this.#groups.get(groupId)?.positions
    return positions.some((position) => {
      const before = held?.get(position.topicId)?.get(position.partition)
      return positionBytes(position) > positionBytes(before)
    })
  }

  get groupCount(): number {
    return this.#groups.size
  }

  /** In name order. */
  groupIds(): string[] {
    return [...this.#groups.keys()].sort()
  }

  /** Those to which `topicsChanged` has to be told when this topic was created, deleted or has grown. */
  groupsWith({ name, topicId }: { readonly name: string; readonly topicId: string }): string[] {
    const concerned = [...this.#groups.values()].filter((group) => {
      if (group.positions.has(topicId)) return true
      for (const member of group.members.values()) if (mayConcern(member, name)) return true
      return false
    })
    return concerned.map(({ groupId }) => groupId)
  }

  #moment(nowMs: number): Moment {
    return { nowMs, settings: this.#settings(), topics: this.#topics }
  }
}
