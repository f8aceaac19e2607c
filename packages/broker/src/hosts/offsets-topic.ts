// __consumer_offsets: where groups are kept, and which partition of it looks after which group (REPLICATION 2.13).
// Enters: group ids. Leaves: partition numbers; the topic itself, made when the first group is asked for.
import type { ClusterState, Controller, NewTopic, Topic } from '@minikafka/cluster'
import { isMinikafkaError, murmur2 } from '@minikafka/protocol'
import type { Values } from '../config/index.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

/** As many as there are brokers, up to so many. */
const REPLICAS_WANTED = 3

/** What its clients cannot change: a position that was answered is durable and stays until it is replaced. */
const CONFIG: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'compact'],
  ['flush', 'group'],
  ['segment.bytes', String(100 * 1024 * 1024)],
  // The records of one decision are never split.
  ['max.message.bytes', String(8 * 1024 * 1024)],
  ['message.timestamp.type', 'CreateTime'],
  ['message.timestamp.before.max.ms', '-1'],
])

export class OffsetsTopic {
  readonly #parts: {
    readonly state: ClusterState
    readonly controller: Controller
    readonly values: () => Values
    readonly reached: (revision: number) => Promise<void>
  }
  #making: Promise<void> | undefined

  constructor(parts: {
    state: ClusterState
    controller: Controller
    values: () => Values
    reached: (revision: number) => Promise<void>
  }) {
    this.#parts = parts
  }

  get topic(): Topic | undefined {
    return this.#parts.state.topicByName(OFFSETS_TOPIC)
  }

  /** undefined: there is no such topic yet. */
  partitionOf(groupId: string): number | undefined {
    const { topic } = this
    if (topic === undefined) return undefined
    return (murmur2(Buffer.from(groupId)) & 0x7fffffff) % topic.partitions
  }

  /** Broker id; -1: nobody leads it now. */
  leaderOf(partition: number): number {
    const { topic } = this
    const found = topic && this.#parts.state.partition(topic.topicId, partition)
    return found?.leader ?? -1
  }

  /**
   * Makes it where it is not there; many may ask at once. Resolved: its partitions are open and led here.
   *
   * Errors  those of `Controller.createTopic`.
   */
  async make(): Promise<void> {
    if (this.topic !== undefined) return
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    })
    await this.#making
  }

  async #make(): Promise<void> {
    const { state, controller, reached } = this.#parts
    try {
      const { rev } = await controller.createTopic(this.#wanted())
      await reached(rev)
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'TOPIC_ALREADY_EXISTS') throw error
      await reached(state.revision)
    }
  }

  #wanted(): NewTopic {
    const { state, values } = this.#parts
    const brokers = state.brokers().filter(({ status }) => status === 'active').length
    return {
      name: OFFSETS_TOPIC,
      partitions: values()['offsets.topic.num.partitions'],
      replicationFactor: Math.max(1, Math.min(REPLICAS_WANTED, brokers)),
      config: CONFIG,
      defaults: { partitions: 1, replicationFactor: 1 },
      minIsr: (replicationFactor) => Math.floor(replicationFactor / 2) + 1,
      internal: true,
    }
  }
}
