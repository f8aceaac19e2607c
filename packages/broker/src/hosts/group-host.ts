// The host of one partition of __consumer_offsets: it keeps what the state machine decides (REPLICATION 2.13.1).
// Enters: requests, ticks, news. Leaves: answers, given when the records they rest on are committed and replayed.
import { channel } from 'node:diagnostics_channel'
import type { GroupRequest, GroupResponse } from '@minikafka/coordinator'
import { type Env, type Logger, withDeadline } from '@minikafka/platform'
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import type { Appended, Partition } from '../partition/index.ts'
import { decisionBatch } from './decision-batch.ts'
import type { GroupClock } from './group-clock.ts'
import { type Asker, type Begun, Lanes, type Order, type Room } from './lanes.ts'
import { type Loaded, loadLog } from './load-log.ts'
import type { Machine, RecordCodec } from './machine.ts'
import { WakeUps } from './wake-ups.ts'

/** As Kafka's offsets.commit.timeout.ms: below a session, so that a member hears of it in time. */
const ANSWER_MS = 5_000
/** After a tick that could not be written: the disk is full, or the partition is going. */
const TICK_AGAIN_MS = 1_000
/** A decision that blocks all others for longer is counted (KIP-1263). */
const SLOW_DECISION_MS = 10

const loads = channel('minikafka:broker:groups-loaded')

type Response = GroupResponse[GroupRequest['kind']]
/** Whose signal aborts when its connection dies; it is asked for only where a request waits. */
export type Sender = { readonly signal: AbortSignal }
/** What the broker itself asks of a group. */
export type News = 'tick' | 'topicsChanged' | 'expire'

export type GroupHostParts<Change, M extends Machine<Change>> = {
  readonly machine: M
  readonly codec: RecordCodec<Change>
  readonly time: GroupClock
  /** Shared by the hosts of a broker. */
  readonly room: Room
  /** A decision took long. */
  readonly onSlow: () => void
  /** It gave up while its partition is led: another one may have more luck, after a while. */
  readonly onFailed: () => void
}

/** One life of it is one leader epoch: who leads again makes another one. */
export class GroupHost<Change, M extends Machine<Change>> {
  readonly partition: Partition
  readonly leaderEpoch: number
  readonly #env: Env
  readonly #logger: Logger
  readonly #parts: GroupHostParts<Change, M>
  readonly #lanes: Lanes<GroupRequest, Response>
  readonly #wakeUps: WakeUps
  readonly #unsubscribe: () => void
  /** Of decisions that are appended and not committed: how to give up on their answers. */
  readonly #inFlight = new Set<(error: MinikafkaError) => void>()
  /** News that wait for their turn: another one of the same kind would find nothing new. */
  readonly #told = new Set<string>()
  /** Why nothing is answered; undefined: it serves. */
  #refusal: MinikafkaError | undefined = new MinikafkaError('COORDINATOR_LOAD_IN_PROGRESS')
  /** Aborts when it resigns. */
  readonly #over = new AbortController()

  constructor(env: Env, partition: Partition, parts: GroupHostParts<Change, M>) {
    this.#env = env
    this.#logger = env.logger.child({ component: 'groups', partition: partition.number })
    this.partition = partition
    this.leaderEpoch = partition.leadership.leaderEpoch
    this.#parts = parts
    this.#lanes = new Lanes((request) => this.#begin(request), parts.room)
    this.#wakeUps = new WakeUps(env.clock, parts.time, (groupId) => this.tell(groupId, 'tick'))
    this.#unsubscribe = parts.time.onSet(() => this.#clockWasSet())
  }

  /** Nothing is known of its groups yet. */
  get isLoading(): boolean {
    return this.#refusal?.name === 'COORDINATOR_LOAD_IN_PROGRESS'
  }

  /** Undefined where `machine` would be refused. */
  get machineIfServing(): M | undefined {
    return this.#refusal === undefined && this.#leads ? this.#parts.machine : undefined
  }

  get inFlightCount(): number {
    return this.#inFlight.size
  }

  /**
   * For reads of committed facts.
   *
   * Errors  COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
   */
  get machine(): M {
    this.#mustServe()
    return this.#parts.machine
  }

  // --- load and resign -----------------------------------------------------------------------

  /** Serves when it resolves, or says why not to whoever asks. */
  async load(): Promise<void> {
    const beganMs = this.#env.clock.monotonicMs()
    try {
      const loaded = await loadLog(this.#env, this.partition, {
        codec: this.#parts.codec,
        replay: (offset, record) => this.#parts.machine.replay(offset, record),
        isCurrent: () => !this.isOver && this.#leads,
        signal: this.#over.signal,
      })
      if (!this.isOver) this.#serve(loaded, this.#env.clock.monotonicMs() - beganMs)
    } catch (error) {
      if (!this.isOver) this.#fail(error, 'the groups could not be loaded')
    }
  }

  #serve({ records, bytes }: Loaded, durationMs: number): void {
    if (!this.#leads) {
      this.resign()
      return
    }
    const { machine, time } = this.#parts
    machine.loaded(time.nowMs())
    this.#refusal = undefined
    this.#wakeAll()
    const about = { partition: this.partition.number, records, bytes, durationMs }
    loads.publish(about)
    if (records > 0) this.#logger.debug(about, 'groups loaded')
  }

  /** Drops all: parked answers are NOT_COORDINATOR, later ones `because`. */
  resign(because: MinikafkaError = notCoordinator(this.#name)): void {
    if (this.isOver) return
    this.#refusal = because
    this.#over.abort()
    this.#unsubscribe()
    this.#wakeUps.stop()
    const error = notCoordinator(this.#name)
    for (const giveUp of this.#inFlight) giveUp(error)
    this.#inFlight.clear()
    this.#lanes.dropWaiting(error)
  }

  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  get #leads(): boolean {
    const { partition, leaderEpoch } = this
    return (
      partition.offline === undefined &&
      partition.isLeader() &&
      partition.leadership.leaderEpoch === leaderEpoch
    )
  }

  #mustServe(): void {
    const { offline } = this.partition
    if (offline !== undefined && !this.isOver)
      this.resign(notAvailable(`${this.#name} is out of service: ${offline.message}`))
    else if (!this.#leads) this.resign()
    if (this.#refusal !== undefined) throw this.#refusal
  }

  // --- requests ------------------------------------------------------------------------------

  /**
   * Asks the machine, in its turn; at once where nothing is to be written and nothing is in the way.
   *
   * Errors  what the machine refuses with; REQUEST_TIMED_OUT: it may happen yet, and what comes after it waits on;
   *         COORDINATOR_NOT_AVAILABLE, STORAGE_FULL: nothing changed; NOT_COORDINATOR; THROTTLING_QUOTA_EXCEEDED.
   */
  ask<K extends GroupRequest['kind']>(
    request: Extract<GroupRequest, { kind: K }>,
    from: Sender,
  ): GroupResponse[K] | Promise<GroupResponse[K]> {
    this.#mustServe()
    const asker = new Caller(from)
    const answer = this.#lanes.run(keyOf(request), ORDERS[request.kind], request, asker)
    if (!(answer instanceof Promise)) return answer as GroupResponse[K]
    const bounded = withDeadline(this.#env.clock, answer, { timeoutMs: ANSWER_MS }, () =>
      asker.timedOut(),
    )
    return bounded as Promise<GroupResponse[K]>
  }

  /** Something happened that the group has to know. What comes of it is nobody's answer. */
  tell(groupId: string, kind: News): void {
    const key = `${kind} ${groupId}`
    if (this.#refusal !== undefined || this.#told.has(key)) return
    this.#told.add(key)
    void this.#heard(groupId, kind, key)
  }

  async #heard(groupId: string, kind: News, key: string): Promise<void> {
    const begun = { gone: false, begun: () => this.#told.delete(key) }
    try {
      await this.#lanes.run(groupId, ORDERS[kind], { kind, groupId }, begun)
    } catch (error) {
      if (this.isOver) return
      if (!isMinikafkaError(error))
        this.#logger.error({ err: error, groupId, kind }, 'a group could not be told of it')
      const { machine, time } = this.#parts
      if (machine.wakeAt(groupId) !== undefined)
        this.#wakeUps.set(groupId, time.nowMs() + TICK_AGAIN_MS)
    }
  }

  // --- decisions -----------------------------------------------------------------------------

  #begin(request: GroupRequest): Begun<Response> {
    const beganMs = this.#env.clock.monotonicMs()
    const groupId = keyOf(request)
    const { records, response, wakeAt } = this.#decided(request, groupId)
    const durationMs = this.#env.clock.monotonicMs() - beganMs
    if (durationMs > SLOW_DECISION_MS) this.#parts.onSlow()
    if (records.length > 0) return { response, committed: this.#append(groupId, request, records) }
    this.#wakeUps.set(groupId, wakeAt)
    return { response, committed: undefined }
  }

  #decided(request: GroupRequest, groupId: string) {
    const { machine, time } = this.#parts
    try {
      return machine.handle(request, time.nowMs())
    } catch (error) {
      // What is in the way of a decision may be for a tick to clear.
      this.#wakeUps.set(groupId, machine.wakeAt(groupId))
      throw error
    }
  }

  /** Resolves when the records are committed and replayed. An accepted append is never given up but by resigning. */
  #append(groupId: string, request: GroupRequest, records: readonly Change[]): Promise<void> {
    const { codec } = this.#parts
    const { compress, clock } = this.#env
    const batch = decisionBatch(compress, clock.wallMs(), records.map(codec.encode))
    const appended = this.partition.produce(batch, -1, Number.POSITIVE_INFINITY)
    return new Promise<void>((resolve, reject) => {
      this.#inFlight.add(reject)
      const settle = (outcome: Appended) => {
        if (!this.#inFlight.delete(reject)) return
        const error = this.#applied(outcome, groupId, records)
        if (error === undefined) resolve()
        else reject(refused(error, request))
      }
      if (appended instanceof Promise) appended.then(settle).catch(reject)
      else settle(appended)
    })
  }

  /** Replays what is committed; the error otherwise. */
  #applied(
    outcome: Appended,
    groupId: string,
    records: readonly Change[],
  ): MinikafkaError | undefined {
    const { error, message, written, baseOffset } = outcome
    if (error === 'NONE') return this.#replay(baseOffset, groupId, records)
    // A write that failed was cut from the log, where that goes on: it is as if it had never been.
    if (written === 0 || this.partition.offline === undefined)
      return new MinikafkaError(error, { message: message ?? undefined })
    // Nobody knows what is in the log: what is known here may be less than that.
    this.resign(notAvailable(`${this.#name}: ${message}`))
    return notCoordinator(this.#name)
  }

  #replay(
    baseOffset: number,
    groupId: string,
    records: readonly Change[],
  ): MinikafkaError | undefined {
    const { machine } = this.#parts
    try {
      for (let index = 0; index < records.length; index++)
        machine.replay(baseOffset + index, records[index] as Change)
      this.#wakeUps.set(groupId, machine.wakeAt(groupId))
      return undefined
    } catch (error) {
      // A fault of ours: half of a decision is in the state.
      this.#fail(error, 'a decision could not be applied')
      return notCoordinator(this.#name)
    }
  }

  #fail(error: unknown, what: string): void {
    this.#logger.error({ err: error }, `${what}: the groups are loaded again`)
    this.resign(notAvailable(`${this.#name}: ${what}: ${(error as Error).message}`))
    this.#parts.onFailed()
  }

  // --- time ----------------------------------------------------------------------------------

  /** What was a minute ago may be tomorrow: every deadline starts anew, in full. */
  #clockWasSet(): void {
    if (this.#refusal !== undefined) return
    this.#parts.machine.loaded(this.#parts.time.nowMs())
    this.#wakeAll()
  }

  #wakeAll(): void {
    const { machine } = this.#parts
    for (const groupId of machine.groupIds()) this.#wakeUps.set(groupId, machine.wakeAt(groupId))
  }

  get #name(): string {
    return `${this.partition.topic}-${this.partition.number}`
  }
}

const ORDERS: Readonly<Record<GroupRequest['kind'], Order>> = {
  heartbeat: 'alone',
  leave: 'alone',
  tick: 'alone',
  topicsChanged: 'alone',
  commit: 'beside',
  delete: 'last',
  deleteOffsets: 'last',
  expire: 'last',
}

function keyOf(request: GroupRequest): string {
  return 'body' in request ? request.body.groupId : request.groupId
}

/** Who asked, until it is answered. */
class Caller implements Asker {
  readonly #sender: Sender
  #isBegun = false
  #isTimedOut = false

  constructor(sender: Sender) {
    this.#sender = sender
  }

  get gone(): boolean {
    return this.#isTimedOut || this.#sender.signal.aborted
  }

  begun(): void {
    this.#isBegun = true
  }

  timedOut(): MinikafkaError {
    this.#isTimedOut = true
    const what = this.#isBegun
      ? 'not written by all replicas yet; it may be, look before you try again'
      : 'others of the group were not done yet; nothing was changed'
    return new MinikafkaError('REQUEST_TIMED_OUT', {
      message: `${what} (${ANSWER_MS} ms)`,
      outcome: this.#isBegun ? 'unknown' : 'not-written',
    })
  }
}

/** Nothing was written. A full disk keeps its name: whoever looks after the broker can do something. */
function refused(error: MinikafkaError, { kind }: GroupRequest): MinikafkaError {
  if (error.name === 'STORAGE_FULL' || error.name === 'NOT_COORDINATOR') return error
  if (error.name === 'NOT_LEADER_OR_FOLLOWER')
    return new MinikafkaError('NOT_COORDINATOR', { message: error.message })
  if (error.name === 'MESSAGE_TOO_LARGE' && (kind === 'commit' || kind === 'deleteOffsets'))
    return new MinikafkaError('INVALID_COMMIT_OFFSET_SIZE', { message: error.message })
  return notAvailable(error.message)
}

function notAvailable(message: string): MinikafkaError {
  return new MinikafkaError('COORDINATOR_NOT_AVAILABLE', { message })
}

function notCoordinator(partition: string): MinikafkaError {
  return new MinikafkaError('NOT_COORDINATOR', {
    message: `this broker no longer leads ${partition}: ask FindCoordinator`,
  })
}
