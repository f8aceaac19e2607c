// A member of a group that speaks the protocol itself, for integration tests: no retries, no timers of its own.
import {
  type ApiName,
  type Apis,
  Connection,
  errorName,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { TestBroker } from '@minikafka/testing'

type Heartbeat = RequestOf<Apis['consumerGroupHeartbeat']>
type Beaten = ResponseOf<Apis['consumerGroupHeartbeat']>
type Described = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type Position = RequestOf<Apis['offsetCommit']>['positions'][number]

const CALL_MS = 60_000

export class RawMember {
  readonly id: string
  readonly groupId: string
  epoch = 0
  /** What it may use, by topic id. */
  assigned = new Map<string, readonly number[]>()
  /** It was told that the groups are being loaded. */
  sawLoading = false
  readonly #broker: TestBroker
  readonly #connection: Connection

  private constructor(broker: TestBroker, connection: Connection, groupId: string, id: string) {
    this.#broker = broker
    this.#connection = connection
    this.groupId = groupId
    this.id = id
  }

  static async open(broker: TestBroker, groupId: string, id = 'm1'): Promise<RawMember> {
    const [host = '', port] = broker.address.split(':')
    const opening = Connection.open(broker.world.env(`raw-${id}`), {
      host,
      port: Number(port),
      clientName: 'raw',
      clientVersion: '0',
      clientId: `client-${id}`,
      timeoutMs: 5_000,
    })
    const member = new RawMember(broker, await broker.world.complete(opening), groupId, id)
    await member.coordinator()
    await member.#untilLoaded()
    return member
  }

  /** After a restart the coordinator reads its groups first, and says so. */
  async #untilLoaded(): Promise<void> {
    for (let round = 0; ; round++) {
      try {
        await this.positions()
        return
      } catch (error) {
        const isLoading = (error as Error).name === 'COORDINATOR_LOAD_IN_PROGRESS'
        if (!isLoading || round === 1000) throw error
        this.sawLoading = true
        await this.#broker.clock.advance('100ms')
      }
    }
  }

  /** As the protocol has it; errors of the whole request are thrown. */
  call<A extends ApiName>(api: A, request: RequestOf<Apis[A]>): Promise<ResponseOf<Apis[A]>> {
    return this.#broker.world.complete(this.send(api, request), { timeout: '2m' })
  }

  /** As `call`, and the world stands still. */
  send<A extends ApiName>(api: A, request: RequestOf<Apis[A]>): Promise<ResponseOf<Apis[A]>> {
    return this.#connection.call(api, request, { timeoutMs: CALL_MS })
  }

  async coordinator(): Promise<string> {
    const { results } = await this.call('findCoordinator', { keyType: 0, keys: [this.groupId] })
    return nameOf(results[0]?.errorCode)
  }

  /** Epoch 0 joins with everything that is given; later ones say what they own. */
  async beat(fields: Partial<Heartbeat> = {}): Promise<Beaten> {
    const answer = await this.call('consumerGroupHeartbeat', {
      groupId: this.groupId,
      memberId: this.id,
      memberEpoch: this.epoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      ...fields,
    })
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null)
      this.assigned = new Map(
        answer.assignment.partitions.map(({ topicId, partitions }) => [topicId, partitions]),
      )
    return answer
  }

  join(fields: Partial<Heartbeat>): Promise<Beaten> {
    return this.beat({
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      topicPartitions: [],
      ...fields,
    })
  }

  /** Says that it owns what it was assigned, and nothing more. */
  acknowledge(): Promise<Beaten> {
    const owned = [...this.assigned].map(([topicId, partitions]) => ({ topicId, partitions }))
    return this.beat({ topicPartitions: owned })
  }

  /** Beats until the group lets it have so many partitions; a round takes a second. */
  async untilAssigned(count: number, others: readonly RawMember[] = []): Promise<void> {
    for (let round = 0; this.partitionCount !== count; round++) {
      if (round === 20) throw new Error(`${this.id} has ${this.partitionCount}, not ${count}`)
      for (const member of [...others, this]) await member.acknowledge()
      await this.#broker.clock.advance('1s')
    }
  }

  get partitionCount(): number {
    return [...this.assigned.values()].flat().length
  }

  /** The name of the error of each position, or NONE. */
  async commit(positions: readonly Position[], memberEpoch = this.epoch): Promise<string[]> {
    const { results } = await this.call('offsetCommit', {
      ...this.#commit(memberEpoch),
      positions,
    })
    return results.map(({ errorCode }) => nameOf(errorCode))
  }

  /** Nobody waits for it. */
  commitLater(positions: readonly Position[]): Promise<ResponseOf<Apis['offsetCommit']>> {
    return this.send('offsetCommit', { ...this.#commit(-1), memberId: '', positions })
  }

  #commit(memberEpoch: number) {
    const memberId = memberEpoch < 0 ? '' : this.id
    return { groupId: this.groupId, memberId, memberEpoch, instanceId: null }
  }

  /** Every position that is committed. */
  async positions(): Promise<{ topicId: string; partition: number; offset: number }[]> {
    const { results } = await this.call('offsetFetch', {
      groupId: this.groupId,
      memberId: null,
      memberEpoch: -1,
      requireStable: false,
      partitions: null,
    })
    return results.map(({ topicId, partition, offset }) => ({ topicId, partition, offset }))
  }

  async describe(): Promise<Described> {
    const { groups } = await this.call('consumerGroupDescribe', { groupIds: [this.groupId] })
    const [group] = groups
    if (group === undefined) throw new Error('not described')
    return group
  }

  close(): void {
    this.#connection.close()
  }
}

export function at(topicId: string, partition: number, offset: number): Position {
  return { topicId, partition, offset, leaderEpoch: -1, metadata: null }
}

export function nameOf(code: number | undefined): string {
  if (code === undefined) return 'no answer'
  return code === 0 ? 'NONE' : errorName(code)
}
