// Who leads what, and where to reach it: asked for when needed, kept five minutes, refreshed on errors.
// Enters: names. Leaves: topics with leaders. Rounds are coalesced, and spaced out per topic.
import { sleep, type Timer } from '@minikafka/platform'
import {
  type ErrorName,
  errorName,
  isMinikafkaError,
  MinikafkaError,
  nearest,
} from '@minikafka/protocol'
import type { Wait } from '../words.ts'
import type { Target } from './connections.ts'
import type { Core } from './core.ts'
import {
  type BrokerInfo,
  type MetadataAnswer,
  sameTopic,
  type TopicInfo,
  topicInfoOf,
  withLeader,
} from './topic-info.ts'
import { knownError } from './unexpected.ts'
import { Deadline } from './wait.ts'

/** An unknown topic is asked for this long, for metadata spreads; then the controller has the last word. */
const UNKNOWN_GRACE_MS = 1000

/** Names whose trouble is remembered between two rounds. */
const TROUBLE_MAX = 1000

type TopicWait = Wait & {
  /** Lets a broker that auto-creates topics do so. Default true. */
  readonly create?: boolean | undefined
}
type Listener = (name: string, info: TopicInfo | undefined) => void

export class Metadata {
  readonly #core: Core
  readonly #topics = new Map<string, TopicInfo>()
  readonly #namesById = new Map<string, string>()
  readonly #brokers = new Map<number, BrokerInfo>()
  /** What the last round said of a name that it could not describe. */
  readonly #trouble = new Map<string, MinikafkaError>()
  readonly #listeners = new Set<Listener>()
  /** Names for the next round, and whether it may create them. */
  readonly #wanted = new Map<string, boolean>()
  readonly #askedMs = new Map<string, number>()
  #round: Promise<MinikafkaError | undefined> | undefined
  #next: Promise<MinikafkaError | undefined> | undefined
  #failures = 0
  #failure: MinikafkaError | undefined
  #aging: Timer | undefined
  #closed = false
  clusterId = ''
  controllerId = -1

  constructor(core: Core) {
    this.#core = core
  }

  /** What is known now, without asking; a stale entry is refreshed behind the scenes. */
  topicNow(name: string): TopicInfo | undefined {
    return this.#topics.get(name)
  }

  topicById(topicId: string): TopicInfo | undefined {
    const name = this.#namesById.get(topicId)
    return name === undefined ? undefined : this.topicNow(name)
  }

  broker(nodeId: number): BrokerInfo | undefined {
    return this.#brokers.get(nodeId)
  }

  brokers(): BrokerInfo[] {
    return [...this.#brokers.values()]
  }

  /** Why a topic is not known: what its last answer said, or why there was none. */
  troubleOf(name: string): MinikafkaError | undefined {
    return this.#failure ?? this.#trouble.get(name)
  }

  /** Called with each topic that changed; `info` undefined: it is gone. Returns the function that stops listening. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * The topic, asked for where it is not known.
   *
   * Units   bounded by `timeoutMs`, default `requestTimeoutMs`.
   * Errors  UNKNOWN_TOPIC_OR_PARTITION within 1-2 s, naming the nearest name (behaviour 34);
   *         TOPIC_AUTHORIZATION_FAILED, INVALID_TOPIC_EXCEPTION; TIMED_OUT with the last error as cause; CLOSED.
   */
  async topic(name: string, wait: TopicWait = {}): Promise<TopicInfo> {
    const { clock } = this.#core.env
    const deadline = new Deadline(
      clock,
      wait,
      this.#core.settings.requestTimeoutMs,
      `topic '${name}'`,
    )
    const create = wait.create ?? true
    let firstUnknownMs: number | undefined
    for (let attempt = 1; ; attempt++) {
      const known = this.topicNow(name)
      if (known !== undefined) return known
      this.#core.throwIfClosed()
      const failure = await deadline.hold(this.#request([name], create))
      const info = this.topicNow(name)
      if (info !== undefined) return info
      const trouble = failure ?? this.#trouble.get(name)
      if (trouble !== undefined && this.#isFinal(trouble)) throw trouble
      let delayMs = this.#core.backoffMs(attempt)
      if (trouble?.name === 'UNKNOWN_TOPIC_OR_PARTITION') {
        const nowMs = clock.monotonicMs()
        firstUnknownMs ??= nowMs
        const graceMs = firstUnknownMs + UNKNOWN_GRACE_MS - nowMs
        if (graceMs <= 0) {
          const confirmed = await deadline.hold(this.#askController(name))
          if (confirmed !== undefined) throw confirmed
        } else {
          delayMs = Math.min(delayMs, graceMs)
        }
      }
      deadline.check(trouble)
      await deadline.sleep(delayMs)
      deadline.check(trouble)
    }
  }

  /**
   * Asks again: about `names`, or about all that is known. Never rejects: resolves with the error of the
   * round, if no broker answered.
   */
  refresh(reason: string, names?: readonly string[]): Promise<MinikafkaError | undefined> {
    if (this.#closed) return Promise.resolve(this.#core.signal.reason)
    this.#core.logger.debug({ reason, names }, 'refreshing metadata')
    return this.#request(names ?? [...this.#topics.keys()], false)
  }

  /**
   * Learns the topics of these ids, whose names are not known; those that are gone stay unknown.
   *
   * Errors  as Core.call.
   */
  async learn(topicIds: readonly string[]): Promise<void> {
    this.#take(await this.#fetch('any', null, false, topicIds))
    this.#scheduleAging()
  }

  /** A broker said who leads: taken over where it is news. True where we know how to reach that leader. */
  leaderHint(topicId: string, partition: number, leaderId: number, leaderEpoch: number): boolean {
    if (leaderId < 0 || !this.#brokers.has(leaderId)) return false
    const info = this.topicById(topicId)
    const known = info?.partitions[partition]
    if (info === undefined || known === undefined) return false
    if (known.leaderEpoch > leaderEpoch) return known.leaderId >= 0
    if (known.leaderEpoch === leaderEpoch) return known.leaderId === leaderId
    this.#store(withLeader(info, partition, { leaderId, leaderEpoch }))
    return true
  }

  close(): void {
    this.#closed = true
    this.#aging?.cancel()
    this.#listeners.clear()
  }

  // --- rounds --------------------------------------------------------------------------------

  /** Joins the next round; there is at most one running and one waiting. */
  #request(names: readonly string[], create: boolean): Promise<MinikafkaError | undefined> {
    for (const name of names) this.#wanted.set(name, create || (this.#wanted.get(name) ?? false))
    this.#next ??= this.#startNext()
    return this.#next
  }

  async #startNext(): Promise<MinikafkaError | undefined> {
    // Callers of this turn still join.
    await Promise.resolve()
    await this.#round
    const delayMs = this.#delayMs()
    if (delayMs > 0)
      await sleep(this.#core.env.clock, delayMs, this.#core.signal).catch(() => undefined)
    this.#round = this.#next
    this.#next = undefined
    const wanted = new Map(this.#wanted)
    this.#wanted.clear()
    if (this.#closed) return this.#core.signal.reason
    try {
      await this.#ask(wanted)
      this.#failures = 0
      this.#failure = undefined
    } catch (error) {
      // Whatever it is, it ends this round and no other.
      this.#failures++
      this.#failure = knownError(error, 'a metadata round')
    }
    return this.#failure
  }

  /** A round that failed backs off; a name that was just asked for is not asked again at once. */
  #delayMs(): number {
    if (this.#failures > 0) return this.#core.backoffMs(this.#failures)
    const nowMs = this.#core.env.clock.monotonicMs()
    let dueMs = Number.POSITIVE_INFINITY
    for (const name of this.#wanted.keys()) {
      const askedMs = this.#askedMs.get(name)
      dueMs = Math.min(
        dueMs,
        askedMs === undefined ? nowMs : askedMs + this.#core.settings.retry.minMs,
      )
    }
    return this.#wanted.size === 0 ? 0 : Math.max(0, dueMs - nowMs)
  }

  async #ask(wanted: ReadonlyMap<string, boolean>): Promise<void> {
    const nowMs = this.#core.env.clock.monotonicMs()
    this.#forgetOld(wanted, nowMs)
    const creating = [...wanted].filter(([, create]) => create).map(([name]) => name)
    const plain = [...wanted].filter(([, create]) => !create).map(([name]) => name)
    for (const name of wanted.keys()) this.#askedMs.set(name, nowMs)
    if (creating.length > 0) this.#take(await this.#fetch('any', creating, true))
    if (plain.length > 0 || creating.length === 0)
      this.#take(await this.#fetch('any', plain, false))
    this.#scheduleAging()
  }

  /** What was learned of names that nobody asks for any more: without it both maps would grow with each new name. */
  #forgetOld(wanted: ReadonlyMap<string, boolean>, nowMs: number): void {
    const { retry } = this.#core.settings
    for (const [name, askedMs] of this.#askedMs) {
      if (askedMs + retry.minMs <= nowMs) this.#askedMs.delete(name)
    }
    if (this.#trouble.size <= TROUBLE_MAX) return
    for (const name of this.#trouble.keys()) if (!wanted.has(name)) this.#trouble.delete(name)
  }

  async #fetch(
    to: Target,
    names: readonly string[] | null,
    create: boolean,
    topicIds: readonly string[] | null = null,
  ): Promise<MetadataAnswer> {
    const connection = await this.#core.connect(to)
    const answer = await this.#core.ask(
      connection,
      'metadata',
      { names, topicIds, allowAutoTopicCreation: create },
      { timeoutMs: this.#core.settings.requestTimeoutMs },
    )
    const dialled = this.#core.connections.dialled(connection)
    const brokers = answer.brokers.map((broker) => ({
      ...broker,
      host: broker.host === '' ? dialled.host : broker.host,
      port: broker.port === 0 ? dialled.port : broker.port,
    }))
    return { ...answer, brokers }
  }

  // --- what a round teaches ------------------------------------------------------------------

  #take(answer: MetadataAnswer): void {
    this.clusterId = answer.clusterId
    this.controllerId = answer.controllerId
    this.#brokers.clear()
    for (const { nodeId, host, port, rack } of answer.brokers) {
      this.#brokers.set(nodeId, { nodeId, host, port, rack })
    }
    for (const topic of answer.topics) this.#takeTopic(topic)
  }

  #takeTopic(answer: MetadataAnswer['topics'][number]): void {
    const { name, errorCode, errorMessage, topicId } = answer
    if (name === null) return
    if (errorCode === 0 && topicId !== null) {
      this.#trouble.delete(name)
      this.#store(topicInfoOf(answer, this.topicNow(name)))
      return
    }
    const error = new MinikafkaError(errorName(errorCode), {
      topic: name,
      message: errorMessage ?? undefined,
      outcome: 'not-written',
    })
    this.#trouble.set(name, error)
    if (GONE.has(error.name)) this.#forget(name)
  }

  #store(info: TopicInfo): void {
    const before = this.topicNow(info.name)
    if (before !== undefined && before.topicId !== info.topicId)
      this.#namesById.delete(before.topicId)
    this.#topics.set(info.name, info)
    this.#namesById.set(info.topicId, info.name)
    if (!sameTopic(before, info)) this.#tell(info.name, info)
  }

  #forget(name: string): void {
    const before = this.topicNow(name)
    this.#askedMs.delete(name)
    if (before === undefined) return
    this.#topics.delete(name)
    this.#namesById.delete(before.topicId)
    this.#tell(name, undefined)
  }

  #tell(name: string, info: TopicInfo | undefined): void {
    for (const listener of [...this.#listeners]) listener(name, info)
  }

  /** One timer for all topics: whatever is too old is asked for again. */
  #scheduleAging(): void {
    if (this.#closed || this.#aging !== undefined || this.#topics.size === 0) return
    this.#aging = this.#core.env.clock.timer(this.#core.settings.metadataMaxAgeMs, () => {
      this.#aging = undefined
      void this.refresh('its age').finally(() => this.#scheduleAging())
    })
  }

  // --- unknown topics ------------------------------------------------------------------------

  #isFinal(trouble: MinikafkaError): boolean {
    if (trouble.name === 'UNKNOWN_TOPIC_OR_PARTITION' || trouble.name === 'BROKER_UNREACHABLE')
      return false
    return !trouble.retriable
  }

  /** The error to fail with once the controller confirms it; undefined where it knows the topic, or is silent. */
  async #askController(name: string): Promise<MinikafkaError | undefined> {
    let answer: MetadataAnswer
    try {
      answer = await this.#fetch('controller', null, false)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      return undefined
    }
    const names = answer.topics.flatMap((topic) =>
      topic.errorCode === 0 && topic.name ? [topic.name] : [],
    )
    if (names.includes(name)) return undefined
    const near = nearest(name, names)
    const hint = near === undefined ? 'create it first' : `did you mean '${near}'?`
    return new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
      message: `there is no topic '${name}'; ${hint}`,
      topic: name,
      outcome: 'not-written',
      details: near === undefined ? undefined : { nearest: near },
    })
  }
}

/** Answers after which what we knew of a topic no longer holds. */
const GONE: ReadonlySet<ErrorName> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'TOPIC_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
])
