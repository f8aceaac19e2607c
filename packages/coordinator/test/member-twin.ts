// A consumer as the rules for clients want it (REPLICATION 2.13.3), as far as a coordinator can see: what it works on, what
// it was told, which answers it never got. Enters: answers, or none. Leaves: heartbeats and commits.
import { type Apis, isMinikafkaError, type RequestOf, type ResponseOf } from '@minikafka/protocol'
import { byTopic, keysOf, splitKey } from '../src/groups/partitions.ts'
import type { MiniHost } from './world.ts'

type Heartbeat = RequestOf<Apis['consumerGroupHeartbeat']>
type Answer = ResponseOf<Apis['consumerGroupHeartbeat']>

export type Subscription = {
  readonly topics: readonly string[]
  readonly regex: string
  readonly assignor: string | null
}

export class MemberTwin {
  memberId: string
  readonly groupId: string
  readonly instanceId: string | null
  subscription: Subscription
  /** 0: it has to join. */
  epoch = 0
  /** What it may use, as far as it knows. */
  allowed = new Set<string>()
  /** What it may still be working on. */
  owned = new Set<string>()
  /** The last answer did not come: the next request says everything. */
  #isUnsure = false
  #lives = 1

  constructor(groupId: string, name: string, subscription: Subscription, isStatic: boolean) {
    this.groupId = groupId
    this.memberId = `${name}1`
    this.instanceId = isStatic ? name : null
    this.subscription = subscription
  }

  /** One heartbeat. `isLost`: the coordinator decides, and the member never hears of it. */
  beat(host: MiniHost, isLost: boolean): void {
    const body = this.#heartbeat()
    try {
      const request = { kind: 'heartbeat', body, clientId: 'app', clientHost: 'here' } as const
      const { response } = host.ask<'heartbeat'>(request)
      if (isLost) this.#isUnsure = true
      else this.#hear(response)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      if (isLost || error.retriable) this.#isUnsure = true
      else this.#lose()
    }
  }

  /** It is done with what it has to give up. */
  finish(): void {
    for (const key of this.owned) if (!this.allowed.has(key)) this.owned.delete(key)
  }

  leave(host: MiniHost, isForGood: boolean): void {
    const memberEpoch = isForGood || this.instanceId === null ? -1 : -2
    this.#tell(host, { ...this.#silent(), memberEpoch })
    this.#lose()
  }

  /** Without a goodbye; a static member comes back under another id. */
  restart(): void {
    this.#lose()
    this.#lives++
    this.memberId = this.memberId.replace(/\d+$/, `${this.#lives}`)
  }

  /** The partitions of which the coordinator would take a commit now. Nothing is written. */
  committable(host: MiniHost, memberEpoch: number, keys: Iterable<string>): string[] {
    const places = [...keys].map(splitKey)
    if (places.length === 0) return []
    const { groupId, memberId, instanceId } = this
    const positions = places.map((place) => ({
      ...place,
      offset: 1,
      leaderEpoch: 0,
      metadata: null,
    }))
    const body = { groupId, memberId, memberEpoch, instanceId, positions }
    try {
      const { records } = host.groups.handle<'commit'>({ kind: 'commit', body }, host.nowMs)
      return records.flatMap((record) =>
        record.type === 'Offset' ? [`${record.topicId}:${record.partition}`] : [],
      )
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      return []
    }
  }

  commit(host: MiniHost, offset: number): void {
    const { groupId, memberId, epoch: memberEpoch, instanceId } = this
    const positions = [...this.owned].map((key) => {
      return { ...splitKey(key), offset, leaderEpoch: 0, metadata: null }
    })
    if (positions.length === 0) return
    const body = { groupId, memberId, memberEpoch, instanceId, positions }
    try {
      host.ask<'commit'>({ kind: 'commit', body })
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
    }
  }

  #heartbeat(): Heartbeat {
    const silent = this.#silent()
    const topicPartitions = byTopic(this.owned)
    if (this.epoch > 0 && !this.#isUnsure)
      return { ...silent, memberEpoch: this.epoch, topicPartitions }
    const { topics, regex, assignor } = this.subscription
    return {
      ...silent,
      memberEpoch: this.epoch,
      rebalanceTimeoutMs: 20_000,
      subscribedTopicNames: topics,
      subscribedTopicRegex: regex,
      serverAssignor: assignor,
      topicPartitions,
    }
  }

  #silent(): Heartbeat {
    return {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      instanceId: this.instanceId,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
    }
  }

  #tell(host: MiniHost, body: Heartbeat): void {
    try {
      host.ask<'heartbeat'>({ kind: 'heartbeat', body, clientId: 'app', clientHost: 'here' })
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
    }
  }

  #hear({ memberEpoch, assignment }: Answer): void {
    this.epoch = memberEpoch
    this.#isUnsure = false
    if (assignment === null) return
    this.allowed = keysOf(assignment.partitions)
    for (const key of this.allowed) this.owned.add(key)
  }

  #lose(): void {
    this.epoch = 0
    this.#isUnsure = false
    this.allowed = new Set()
    this.owned = new Set()
  }

  /** With the next heartbeat it says so. */
  changeMind(subscription: Subscription): void {
    this.subscription = subscription
    this.#isUnsure = true
  }
}
