// What the metadata says, done: topics that come, change and go become partitions that open, lead and close.
// Enters: changes of the cluster's image, in order. Leaves: partitions in that state; whoever asked hears when.

import {
  type ClusterChange,
  type ClusterState,
  type Controller,
  NotApplied,
  type Partition,
  type Topic,
  Unknown,
} from '@minikafka/cluster'
import type { Env, Logger } from '@minikafka/platform'
import { atOnce } from './at-once.ts'
import { type LiveConfig, resolveTopic } from './config/index.ts'
import type { Leadership, Partitions } from './partition/index.ts'

/** Logs opened at once: enough to keep the disk busy, few enough to leave file descriptors. */
const OPENS_AT_ONCE = 32

export class MetadataFollower {
  readonly #logger: Logger
  readonly #nodeId: number
  readonly #state: ClusterState
  readonly #controller: Controller
  readonly #partitions: Partitions
  readonly #config: LiveConfig
  readonly #onOpened: () => Promise<void>
  readonly #onFailure: (error: unknown) => void
  #queue: Promise<void> = Promise.resolve()
  /** A log was opened late, and nobody could be asked yet who leads its partition. */
  #wantsLeaders = false
  #stop: (() => void) | undefined

  constructor(
    env: Env,
    parts: {
      nodeId: number
      state: ClusterState
      controller: Controller
      partitions: Partitions
      config: LiveConfig
      /** A log was opened late: its partition may have waited for what it says. */
      onOpened: () => Promise<void>
      onFailure: (error: unknown) => void
    },
  ) {
    this.#logger = env.logger.child({ component: 'metadata' })
    this.#nodeId = parts.nodeId
    this.#state = parts.state
    this.#controller = parts.controller
    this.#partitions = parts.partitions
    this.#config = parts.config
    this.#onOpened = parts.onOpened
    this.#onFailure = parts.onFailure
  }

  /** Opens every log that this broker keeps. Nothing is led yet. */
  async openAll(onOpened?: (done: number, total: number) => void): Promise<void> {
    const wanted = this.#state
      .topics()
      .flatMap((topic) =>
        this.#state.partitionsOf(topic.topicId).map((partition) => ({ topic, partition })),
      )
      .filter(({ partition }) => this.#isMine(partition))
    let done = 0
    await atOnce(OPENS_AT_ONCE, wanted, async ({ topic, partition }) => {
      await this.#open(topic, partition, { atStart: true })
      onOpened?.(++done, wanted.length)
    })
    this.#partitions.settleProducers()
    const deleting = new Set(this.#state.deletingTopics().map(({ topicId }) => topicId))
    await this.#partitions.setStrayAside((topicId) => deleting.has(topicId))
    for (const topicId of deleting) await this.#tellRemoved(topicId)
  }

  /** Leads what the image says now, then follows every change of it. */
  async follow(): Promise<void> {
    const all = this.#state.topics().flatMap(({ topicId }) => this.#state.partitionsOf(topicId))
    const led = this.#queue.then(() =>
      atOnce(OPENS_AT_ONCE, all, (partition) => this.#lead(partition)),
    )
    // Changes come after it: each is newer than what is led first.
    this.#queue = led.catch(() => undefined)
    this.#stop = this.#state.onChange((change) => this.#enqueue(() => this.#apply(change)))
    await led
  }

  /** Resolves when everything up to this revision of the metadata has been done here. */
  async reached(revision: number): Promise<void> {
    await this.#state.reached(revision)
    await this.#queue
  }

  /** Broker settings changed: topics without a value of their own take the new one. */
  reconfigure(): void {
    this.#enqueue(async () => {
      for (const topic of this.#state.topics()) this.#configure(topic)
    })
  }

  /** There is space on the disk again: what it kept from being opened or led goes on. */
  goOn(): void {
    if (!this.#partitions.someWait && !this.#wantsLeaders) return
    this.#enqueue(async () => {
      await this.#partitions.goOn()
      // At the start a log that was not open had no say. Not waited for: what comes of it is applied in this queue.
      if (this.#partitions.someLeaderless) void this.#findLeaders()
    })
  }

  async #findLeaders(): Promise<void> {
    this.#wantsLeaders = true
    try {
      await this.#onOpened()
      this.#wantsLeaders = false
    } catch (error) {
      this.#logger.warn({ err: error }, 'a partition without a leader has none yet')
    }
  }

  async close(): Promise<void> {
    this.#stop?.()
    await this.#queue
  }

  // --- changes -------------------------------------------------------------------------------

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue.then(step).catch((error: unknown) => this.#onFailure(error))
  }

  async #apply({ topics, partitions }: ClusterChange): Promise<void> {
    for (const { topicId, before, after, deleted } of topics) {
      if (deleted) await this.#delete(topicId)
      else if (before !== undefined && after !== undefined) this.#configure(after)
    }
    const now = partitions.flatMap(({ after }) => (after === undefined ? [] : [after]))
    await atOnce(OPENS_AT_ONCE, now, async (partition) => {
      const topic = this.#state.topicById(partition.topicId)
      if (topic === undefined) return
      if (
        this.#isMine(partition) &&
        !this.#partitions.has(partition.topicId, partition.partition)
      ) {
        await this.#open(topic, partition)
      }
      await this.#lead(partition)
    })
  }

  async #delete(topicId: string): Promise<void> {
    if (await this.#partitions.delete(topicId)) await this.#tellRemoved(topicId)
    this.#logger.info({ topicId }, 'topic deleted')
  }

  /** Where the metadata cannot take it (a full disk), the next start says it again. */
  async #tellRemoved(topicId: string): Promise<void> {
    try {
      await this.#controller.replicasRemoved(topicId, this.#nodeId)
    } catch (error) {
      if (!(error instanceof NotApplied || error instanceof Unknown)) throw error
      this.#logger.warn({ topicId, err: error }, 'a deleted topic is still in the metadata')
    }
  }

  async #open(topic: Topic, { partition }: Partition, how = { atStart: false }): Promise<void> {
    const values = resolveTopic(this.#config.values, topic.config)
    await this.#partitions.open(
      { topic: topic.name, topicId: topic.topicId, partition, values },
      how,
    )
  }

  async #lead(partition: Partition): Promise<void> {
    const leadership: Leadership = {
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch,
      isr: partition.isr,
      minIsr: partition.minIsr,
    }
    await this.#partitions.lead(partition.topicId, partition.partition, leadership)
  }

  #configure(topic: Topic): void {
    this.#partitions.configure(topic.topicId, resolveTopic(this.#config.values, topic.config))
  }

  #isMine({ replicas }: Partition): boolean {
    return replicas.includes(this.#nodeId)
  }
}
