// The controller: the one broker that elects leaders and changes topics, by compare-and-swap on the store (REPLICATION 2.9).
// Enters: brokers that come and go, wishes of clients. Leaves: transactions; every broker sees them by its own watch.
import type { Env, Timer } from '@minikafka/platform'
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import {
  neededFence,
  planElections,
  planFence,
  planLost,
  planMinIsr,
  type RecoveryReport,
} from './broker-plans.ts'
import type { ClusterState } from './cluster-state.ts'
import type { ClusterChange } from './cluster-view.ts'
import { ControllerWrites } from './controller-writes.ts'
import type { ReplicaAnswer, UncleanRecovery } from './election.ts'
import { brokerKey, brokerStatusKey, CONTROLLER_KEY } from './keys.ts'
import type { Member } from './member.ts'
import { type MetaStore, NotApplied } from './meta-store.ts'
import {
  type ConfigChange,
  type CreatedTopic,
  type MinIsrOf,
  TopicAdmin,
  type TopicRef,
  type WriteOptions,
} from './topic-admin.ts'
import type { NewTopic } from './topic-plans.ts'
import { type BrokerStatusValue, brokerStatusCodec, controllerCodec } from './values.ts'

export type ControllerParts = {
  readonly store: MetaStore
  readonly state: ClusterState
  readonly member: Member
}

export type ControllerSettings = {
  /** max.partitions: of all topics together. */
  readonly partitionsMax: () => number
  /** Default: balanced. */
  readonly uncleanRecovery?: UncleanRecovery | undefined
  /** Whether a topic with these settings of its own runs with flush=group; default: it does. */
  readonly isFlushGroup?: ((config: ReadonlyMap<string, string>) => boolean) | undefined
}

export type ReadyBroker = {
  readonly brokerId: number
  /** What its replicas say after recovery; undefined: the log is not there or not readable. Asked again later. */
  readonly answers: (topicId: string, partition: number) => ReplicaAnswer | undefined
}

/** What was written stands in the image at this revision of the store. */
export type AtRevision = { readonly rev: number }

const RETRY_MS = 1000

/**
 * Methods that write resolve with the store's revision when this broker's own image shows it; one after the other.
 *
 * Errors  NOT_CONTROLLER, STORAGE_FULL, REQUEST_TIMED_OUT (ambiguous), CLOSED, besides those that each one names.
 */
export class Controller {
  readonly #env: Env
  readonly #parts: ControllerParts
  readonly #settings: {
    uncleanRecovery: UncleanRecovery
    isFlushGroup: (config: ReadonlyMap<string, string>) => boolean
  }
  readonly #writes: ControllerWrites
  readonly #topics: TopicAdmin
  /** What brokers that reported ready say of their replicas, as long as it is the same process. */
  readonly #ready = new Map<number, { incarnation: string; answers: ReadyBroker['answers'] }>()
  readonly #unsubscribe: (() => void)[] = []
  #retry: Timer | undefined
  #closed = false

  private constructor(env: Env, parts: ControllerParts, settings: ControllerSettings) {
    this.#env = env
    this.#parts = parts
    this.#settings = {
      uncleanRecovery: settings.uncleanRecovery ?? 'balanced',
      isFlushGroup: settings.isFlushGroup ?? (() => true),
    }
    this.#writes = new ControllerWrites(parts.store, parts.state)
    this.#topics = new TopicAdmin(env, parts.state, this.#writes, settings.partitionsMax)
  }

  /** Becomes controller where there is none, and tidies up: brokers without a lease, half-made topics. */
  static async open(
    env: Env,
    parts: ControllerParts,
    settings: ControllerSettings,
  ): Promise<Controller> {
    const controller = new Controller(env, parts, settings)
    // First: what changes while it campaigns is not told a second time.
    controller.#unsubscribe.push(
      parts.state.onChange((change) => controller.#changed(change)),
      parts.member.onRejoin(() => void controller.#inBackground(() => controller.#campaign())),
    )
    try {
      await controller.#writes.enqueue(() => controller.#campaign())
    } catch (error) {
      await controller.close()
      throw error
    }
    return controller
  }

  /** As far as this broker knows. */
  get isController(): boolean {
    return (
      this.#writes.epoch !== undefined &&
      this.#parts.state.image.controller?.epoch === this.#writes.epoch
    )
  }

  /**
   * The broker has read the metadata and recovered its logs: it becomes active, and leads what it may lead.
   * May be called again when a log that was not readable has become so.
   */
  brokerReady(broker: ReadyBroker): Promise<readonly RecoveryReport[]> {
    return this.#writes.enqueue(async () => {
      this.#writes.assertController()
      const { brokerId, answers } = broker
      const { brokers } = this.#parts.state.image
      const incarnation = brokers.get(brokerId)?.incarnation
      if (incarnation === undefined) throw notRegistered(brokerId)
      await this.#fenceIfNeeded(brokerId)
      this.#ready.set(brokerId, { incarnation, answers })
      return this.#activate(brokerId)
    })
  }

  /**
   * Errors  INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
   *         INVALID_CONFIG, POLICY_VIOLATION.
   */
  createTopic(topic: NewTopic, options: WriteOptions = {}): Promise<CreatedTopic & AtRevision> {
    return this.#write(() => this.#topics.create(topic, options))
  }

  /** The name is free when it resolves. Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_AUTHORIZATION_FAILED. */
  deleteTopic(topic: TopicRef): Promise<{ topicId: string; name: string } & AtRevision> {
    return this.#write(() => this.#topics.delete(topic))
  }

  /**
   * The broker has no directory of this deleted topic any more. The last one's word removes the topic's keys.
   *
   * Errors  none: what cannot be done now is done later; a broker that starts says it again.
   */
  replicasRemoved(topicId: string, brokerId: number): Promise<void> {
    this.#topics.noteRemoved(topicId, brokerId)
    return this.#inBackground(() => this.#topics.finishDeletions())
  }

  /** Errors: as deleteTopic, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, POLICY_VIOLATION. */
  createPartitions(name: string, total: number, options: WriteOptions = {}): Promise<AtRevision> {
    return this.#write(() => this.#topics.grow(name, total, options))
  }

  /** `minIsr`: the effective value under the new settings. Errors: what `change` throws, INVALID_CONFIG, as deleteTopic. */
  alterTopicConfig(
    topic: TopicRef,
    change: ConfigChange,
    minIsr: MinIsrOf,
    options: WriteOptions = {},
  ): Promise<AtRevision> {
    return this.#write(() => this.#topics.alterTopicConfig(topic, { change, minIsr }, options))
  }

  /** Errors: what `change` throws. */
  alterBrokerConfig(
    broker: number | 'cluster',
    change: ConfigChange,
    options: WriteOptions = {},
  ): Promise<AtRevision> {
    return this.#write(() => this.#topics.alterBrokerConfig(broker, change, options))
  }

  /** Takes no more work, waits for what is under way. Who leaves gives `ctrl` up with the lease. */
  async close(): Promise<void> {
    this.#closed = true
    this.#retry?.cancel()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    await this.#writes.enqueue(async () => undefined)
  }

  #write<T>(task: () => Promise<T>): Promise<T & AtRevision> {
    return this.#writes.enqueue(async () => {
      if (this.#closed) throw new MinikafkaError('CLOSED', { message: 'the broker is stopping' })
      this.#writes.assertController()
      const done = await task()
      // Each transaction of the task was awaited until the image showed it.
      return { ...done, rev: this.#parts.state.revision }
    })
  }

  // --- being controller --------------------------------------------------------------------------

  #changed(change: ClusterChange): void {
    if (change.controllerChanged) void this.#inBackground(() => this.#campaign())
    if (change.brokers.length > 0 && this.isController) {
      void this.#inBackground(() => this.#fenceWhoeverNeeds())
    }
  }

  async #campaign(): Promise<void> {
    if (this.isController || this.#closed) return
    const { state, member, store } = this.#parts
    this.#writes.epoch = undefined
    if (state.controllerId < 0) {
      const { brokerId, incarnation, leaseId } = member
      const value = controllerCodec.encode({ brokerId, incarnation })
      const put = { op: 'put', key: CONTROLLER_KEY, value, leaseId } as const
      const { rev } = await store.txn([{ key: CONTROLLER_KEY, createRev: 0 }], [put], [])
      await state.reached(rev)
    }
    const controller = state.image.controller
    if (controller?.value.incarnation !== member.incarnation) return
    this.#writes.epoch = controller.epoch
    this.#env.logger.info({ controllerEpoch: controller.epoch }, 'became controller')
    await this.#repair()
  }

  /** What a predecessor may have left half done. */
  async #repair(): Promise<void> {
    await this.#topics.undoHalfMade()
    await this.#topics.finishDeletions()
    await this.#fenceWhoeverNeeds()
    await this.#writes.rewrite(() => planMinIsr(this.#parts.state.image))
    await this.#activateWhoIsReady()
  }

  /** Who was found ready, and for want of space could not be told so or given its partitions. */
  async #activateWhoIsReady(): Promise<void> {
    const { brokers } = this.#parts.state.image
    for (const [brokerId, { incarnation }] of this.#ready)
      if (brokers.get(brokerId)?.incarnation === incarnation) await this.#activate(brokerId)
  }

  // --- brokers -----------------------------------------------------------------------------------

  async #fenceWhoeverNeeds(): Promise<void> {
    for (const brokerId of this.#parts.state.image.brokers.knownIds())
      await this.#fenceIfNeeded(brokerId)
  }

  /**
   * Partitions first, the status after them: who finds the old status begins again.
   * A process that only lost its lease is as ready as it was.
   */
  async #fenceIfNeeded(brokerId: number): Promise<void> {
    const { image } = this.#parts.state
    const needed = neededFence(image, brokerId)
    if (needed === undefined) return
    const { status, clean } = needed
    await this.#writes.rewrite(() => planFence(image, brokerId, needed))
    await this.#writes.mustCommit([], [putStatus(brokerId, status)])
    // A broker alone fences its own last run at each start: nobody needs to read that.
    const level = brokerId === this.#parts.member.brokerId ? 'debug' : 'info'
    this.#env.logger[level]({ brokerId, brokerEpoch: status.epoch, clean }, 'fenced a broker')
    const registered = image.brokers.get(brokerId)
    if (registered === undefined) return
    if (this.#ready.get(brokerId)?.incarnation === registered.incarnation)
      await this.#activate(brokerId)
    else this.#ready.delete(brokerId)
  }

  async #activate(brokerId: number): Promise<readonly RecoveryReport[]> {
    const { image } = this.#parts.state
    const status = image.brokers.status(brokerId)
    if (status !== undefined && status.status !== 'active') {
      const answers = this.#ready.get(brokerId)?.answers ?? (() => undefined)
      await this.#writes.rewrite(() => planLost(image, brokerId, answers))
      await this.#writes.mustCommit(
        [{ key: brokerKey(brokerId), createRev: status.epoch }],
        [putStatus(brokerId, { ...status, status: 'active', sinceRev: image.revision })],
      )
    }
    return this.#electLeaders()
  }

  async #electLeaders(): Promise<readonly RecoveryReport[]> {
    const { image } = this.#parts.state
    const answers = new Map([...this.#ready].map(([id, ready]) => [id, ready.answers]))
    const plan = () => planElections(image, answers, this.#settings)
    const { reports } = plan()
    await this.#writes.rewrite(() => plan().rewrites)
    return reports
  }

  /**
   * What fails for want of space or of the store is tried again; who is no longer controller has nothing to do.
   * Anything else is a fault of the program: the rejection is nobody's to catch.
   */
  async #inBackground(task: () => Promise<void>): Promise<void> {
    try {
      await this.#writes.enqueue(task)
    } catch (error) {
      // The lease is gone; the member registers again and tells.
      if (error instanceof NotApplied && error.reason === 'no-such-lease') return
      if (!isMinikafkaError(error)) throw error
      if (this.#closed || error.name === 'NOT_CONTROLLER' || error.name === 'CLOSED') return
      this.#env.logger.warn(
        { err: error },
        'the controller could not finish a change, it tries again',
      )
      this.#retry?.cancel()
      this.#retry = this.#env.clock.timer(
        RETRY_MS,
        () => void this.#inBackground(() => this.#again()),
      )
    }
  }

  async #again(): Promise<void> {
    if (this.isController) await this.#repair()
    else await this.#campaign()
  }
}

function notRegistered(brokerId: number): MinikafkaError {
  return new MinikafkaError('INVALID_REQUEST', { message: `broker ${brokerId} is not registered` })
}

function putStatus(brokerId: number, status: BrokerStatusValue) {
  return {
    op: 'put',
    key: brokerStatusKey(brokerId),
    value: brokerStatusCodec.encode(status),
  } as const
}
