// Topics and settings: each change is planned on the image, then written by the controller's transactions (REPLICATION 3.3).
import type { Env } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { brokersOf, planMinIsr } from './broker-plans.ts'
import type { ClusterState } from './cluster-state.ts'
import type { Topic } from './cluster-view.ts'
import { BATCH_MAX, type ControllerWrites, chunks } from './controller-writes.ts'
import {
  brokerConfigKey,
  CLUSTER_CONFIG_KEY,
  partitionKey,
  partitionsPrefix,
  topicKey,
  topicNameKey,
} from './keys.ts'
import type { Cmp, Op } from './meta-store.ts'
import {
  checkMinIsr,
  type NewTopic,
  type PlannedTopic,
  type Present,
  planGrowth,
  planTopic,
  topicExists,
  unknownTopic,
} from './topic-plans.ts'
import {
  configCodec,
  type PartitionValue,
  partitionCodec,
  type TopicValue,
  topicCodec,
  topicNameCodec,
} from './values.ts'

export type CreatedTopic = {
  /** '' with validateOnly. */
  readonly topicId: string
  readonly partitions: number
  readonly replicationFactor: number
}

export type TopicRef = { readonly name: string } | { readonly topicId: string }

/** Gets the present settings, answers the new ones or throws INVALID_CONFIG; nothing is written then. */
export type ConfigChange = (current: ReadonlyMap<string, string>) => ReadonlyMap<string, string>

export type MinIsrOf = (config: ReadonlyMap<string, string>, replicationFactor: number) => number

export type WriteOptions = { readonly validateOnly?: boolean | undefined }

/** Partitions that go into the transaction that also writes the topic. */
const FIRST_BATCH_MAX = BATCH_MAX - 2

export class TopicAdmin {
  readonly #env: Env
  readonly #state: ClusterState
  readonly #writes: ControllerWrites
  readonly #partitionsMax: () => number
  /** Who has no directory of a deleted topic any more, by topic id. */
  readonly #removed = new Map<string, Set<number>>()

  constructor(
    env: Env,
    state: ClusterState,
    writes: ControllerWrites,
    partitionsMax: () => number,
  ) {
    this.#env = env
    this.#state = state
    this.#writes = writes
    this.#partitionsMax = partitionsMax
  }

  async create(topic: NewTopic, options: WriteOptions): Promise<CreatedTopic> {
    const plan = planTopic(topic, this.#present())
    const { replicationFactor } = plan
    const partitions = plan.partitions.length
    if (options.validateOnly) return { topicId: '', partitions, replicationFactor }
    await this.undoHalfMade()
    const topicId = this.#env.random.uuid()
    await this.#write(topicId, plan)
    return { topicId, partitions, replicationFactor }
  }

  /** A small topic is one transaction; of a large one readers see nothing before its last step. */
  async #write(topicId: string, plan: PlannedTopic): Promise<void> {
    const { name, partitions, replicationFactor, minIsr, config } = plan
    const value: TopicValue = {
      name,
      partitions: partitions.length,
      replicationFactor,
      minIsr,
      config,
      state: 'live',
    }
    const free: Cmp = { key: topicNameKey(name), createRev: 0 }
    const putName = put(topicNameKey(name), topicNameCodec.encode({ topicId }))
    const putTopic = (state: TopicValue['state']) =>
      put(topicKey(topicId), topicCodec.encode({ ...value, state }))
    const puts = partitions.map((one, number) => putPartition(topicId, number, one))
    const small = puts.length <= FIRST_BATCH_MAX
    const first = small ? [putName, putTopic('live'), ...puts] : [putName, putTopic('creating')]
    const { ok, rev } = await this.#writes.commit([free], first)
    if (!ok) throw topicExists(name)
    if (small) return
    const unchanged: Cmp = { key: topicKey(topicId), modRev: rev }
    for (const batch of chunks(puts, BATCH_MAX)) await this.#writes.mustCommit([unchanged], batch)
    await this.#writes.mustCommit([unchanged], [putTopic('live')])
  }

  async delete(ref: TopicRef): Promise<{ topicId: string; name: string }> {
    const topic = this.#clientTopic(ref)
    const { topicId, name } = topic
    await this.#writes.mustCommit(
      [{ key: topicKey(topicId), modRev: topic.modRev }],
      [
        { op: 'delete', key: topicNameKey(name) },
        put(topicKey(topicId), topicCodec.encode({ ...topic, state: 'deleting' })),
      ],
    )
    return { topicId, name }
  }

  /** The broker has no directory of this topic any more. */
  noteRemoved(topicId: string, brokerId: number): void {
    const removed = this.#removed.get(topicId) ?? new Set()
    this.#removed.set(topicId, removed.add(brokerId))
  }

  /** The keys of a deleted topic stay until every broker that had replicas said so: they are what tells it to. */
  async finishDeletions(): Promise<void> {
    const { topics } = this.#state.image
    for (const topic of topics.inState('deleting')) {
      const removed = this.#removed.get(topic.topicId)
      const holders = topics.storedPartitionsOf(topic.topicId).flatMap(({ replicas }) => replicas)
      if (removed === undefined || holders.some((id) => !removed.has(id))) continue
      await this.#removeKeys(topic)
      this.#removed.delete(topic.topicId)
    }
  }

  async grow(name: string, total: number, options: WriteOptions): Promise<void> {
    const topic = this.#clientTopic({ name })
    const added = planGrowth(topic, total, this.#present())
    if (options.validateOnly) return
    const { topicId, partitions: first } = topic
    const puts = added.map((one, index) => putPartition(topicId, first + index, one))
    const unchanged: Cmp = { key: topicKey(topicId), modRev: topic.modRev }
    const batches = chunks(puts, FIRST_BATCH_MAX)
    const last = batches.pop() ?? []
    // Readers look at no partition above the topic's count, which is raised at the end.
    for (const batch of batches) await this.#writes.mustCommit([unchanged], batch)
    const value = topicCodec.encode({ ...topic, partitions: total })
    await this.#writes.mustCommit([unchanged], [...last, put(topicKey(topicId), value)])
  }

  async alterTopicConfig(
    ref: TopicRef,
    { change, minIsr: minIsrOf }: { change: ConfigChange; minIsr: MinIsrOf },
    options: WriteOptions,
  ): Promise<void> {
    const topic = this.#clientTopic(ref)
    const { topicId, name, replicationFactor } = topic
    const config = change(topic.config)
    const wish = { config, minIsr: minIsrOf(config, replicationFactor), replicationFactor }
    const minIsr = checkMinIsr(name, wish)
    if (options.validateOnly) return
    await this.#writes.mustCommit(
      [{ key: topicKey(topicId), modRev: topic.modRev }],
      [put(topicKey(topicId), topicCodec.encode({ ...topic, config, minIsr }))],
    )
    await this.#writes.rewrite(() => planMinIsr(this.#state.image))
  }

  async alterBrokerConfig(
    broker: number | 'cluster',
    change: ConfigChange,
    options: WriteOptions,
  ): Promise<void> {
    const key = broker === 'cluster' ? CLUSTER_CONFIG_KEY : brokerConfigKey(broker)
    const entry = this.#state.image.brokers.configEntry(broker)
    const values = change(entry?.value.values ?? new Map())
    if (options.validateOnly) return
    const value = configCodec.encode({ ...entry?.value, values })
    await this.#writes.mustCommit([{ key, modRev: entry?.modRev ?? 0 }], [put(key, value)])
  }

  /** Topics that never became live: nobody ever wrote to them. */
  async undoHalfMade(): Promise<void> {
    for (const topic of this.#state.image.topics.inState('creating')) await this.#removeKeys(topic)
  }

  async #removeKeys({ topicId, name, modRev }: Topic): Promise<void> {
    const nameKv: Op[] = this.#ownsName(topicId, name)
      ? [{ op: 'delete', key: topicNameKey(name) }]
      : []
    await this.#writes.mustCommit(
      [{ key: topicKey(topicId), modRev }],
      [
        ...nameKv,
        { op: 'deletePrefix', prefix: partitionsPrefix(topicId) },
        { op: 'delete', key: topicKey(topicId) },
      ],
    )
  }

  /** A topic that is being made holds its name; one that is being deleted gave it up. */
  #ownsName(topicId: string, name: string): boolean {
    const { topics } = this.#state.image
    return (
      topics.byName(name) === undefined &&
      topics.inState('creating').some((one) => one.topicId === topicId)
    )
  }

  /** A live topic that clients may change. */
  #clientTopic(ref: TopicRef): Topic {
    const topic =
      'name' in ref ? this.#state.topicByName(ref.name) : this.#state.topicById(ref.topicId)
    if (topic === undefined) {
      if ('name' in ref)
        throw unknownTopic(
          ref.name,
          this.#state.topics().map(({ name }) => name),
        )
      throw new MinikafkaError('UNKNOWN_TOPIC_ID', {
        message: `no topic has the id ${ref.topicId}`,
      })
    }
    if (topic.internal) {
      throw new MinikafkaError('TOPIC_AUTHORIZATION_FAILED', {
        message: `${topic.name} is kept by the brokers for themselves: it cannot be changed or deleted; groups are deleted with the group commands`,
        topic: topic.name,
      })
    }
    return topic
  }

  #present(): Present {
    const { image } = this.#state
    const brokers = brokersOf(image)
    const activeBrokers = image.brokers
      .all()
      .map(({ brokerId }) => brokerId)
      .filter((id) => brokers.isActive(id) && !brokers.isDraining(id))
    return {
      has: (name) => image.topics.byName(name) !== undefined,
      partitionCount: image.topics.partitionCount,
      partitionsMax: this.#partitionsMax(),
      activeBrokers,
    }
  }
}

function put(key: string, value: string): Op {
  return { op: 'put', key, value }
}

function putPartition(topicId: string, partition: number, value: PartitionValue): Op {
  return put(partitionKey(topicId, partition), partitionCodec.encode(value))
}
