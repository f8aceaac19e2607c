// One consumer's membership in a group, as the consumer sees it: pure, with the time as an argument.
// Enters: answers and refusals of heartbeats, and what the consumer has let go. Leaves: the next heartbeat, and which
// partitions to begin, to give up, or to forget. Source: KIP-848, KIP-1082; REPLICATION 2.13.3 "Client rules".
import { type Apis, MinikafkaError, type RequestOf, type ResponseOf } from '@minikafka/protocol'
import { Holding, type Place } from './holding.ts'

export type Heartbeat = RequestOf<Apis['consumerGroupHeartbeat']>
export type HeartbeatAnswer = ResponseOf<Apis['consumerGroupHeartbeat']>

export type MemberSettings = {
  readonly groupId: string
  /** Made once, kept for life: a join that is repeated is the same join (KIP-1082). */
  readonly memberId: string
  readonly instanceId: string | null
  /** Topics by name, or an expression. */
  readonly topics: readonly string[] | null
  readonly pattern: string | null
  readonly rebalanceTimeoutMs: number
  /** Delay before the next attempt after so many failures in a row. */
  readonly backoffMs: (failures: number) => number
}

/** `ticket` names the heartbeat: what comes for another one than the last is of the past. */
export type Step =
  | { readonly kind: 'send'; readonly request: Heartbeat; readonly ticket: number }
  /** Infinity: until there is news. */
  | { readonly kind: 'wait'; readonly untilMs: number }

export type Lost = { readonly places: readonly Place[]; readonly reason: string }

export type MemberState = 'out' | 'joining' | 'in' | 'leaving' | 'failed'

/** -1: for good. -2: a static member that comes back. */
export type LeaveEpoch = -1 | -2

/** Of a group that has not said its own yet: the defaults of the broker. */
const SESSION_MS = 15_000
const INTERVAL_MS = 3000
const SESSION_MS_MIN = 1000
const SESSION_MS_MAX = 30 * 60_000
const INTERVAL_MS_MIN = 50
/** The coordinator asks for heartbeats as often as this while the group is not settled. */
const UNSETTLED_INTERVAL_MS = 500
/** After a session has ended, the coordinator has to write that down. */
const FENCING_MS = 2000

type InFlight = { readonly ticket: number; readonly sentMs: number; readonly changes: number }

export class Member {
  readonly #settings: MemberSettings
  readonly #holding = new Holding()
  #state: MemberState = 'out'
  #epoch = 0
  #leaveEpoch: LeaveEpoch = -1
  #inFlight: InFlight | undefined
  #tickets = 0
  /** All fields are said: at the join, and after a heartbeat whose fate is unknown. */
  #isFull = true
  /** What may be worked on has changed so many times, and the coordinator knows of so many. */
  #changes = 0
  #changesTold = 0
  /** Something was let go: others wait for it. */
  #isUrgent = false
  #dueMs = 0
  #failures = 0
  /** When the last heartbeat that was answered left. */
  #aliveMs = 0
  #sessionMs = SESSION_MS
  #intervalMs = INTERVAL_MS
  /** Since when the instance id is another's, as one coordinator says it again and again. */
  #unreleasedMs: number | undefined
  #failure: MinikafkaError | undefined
  #lost: Lost[] = []
  /** It was in and was thrown out, and is not in again. */
  #isFenced = false

  constructor(settings: MemberSettings) {
    this.#settings = settings
  }

  get state(): MemberState {
    return this.#state
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  /** Above 0 while it is in. */
  get epoch(): number {
    return this.#epoch
  }

  get sessionMs(): number {
    return this.#sessionMs
  }

  /** Failed attempts in a row. */
  get failures(): number {
    return this.#failures
  }

  /** Why it is not in, and will not be. */
  get failure(): MinikafkaError | undefined {
    return this.#failure
  }

  /** When the last heartbeat that was answered left. */
  get aliveMs(): number {
    return this.#aliveMs
  }

  /** In, and nothing is on its way to it or from it. */
  get isSettled(): boolean {
    return this.#state === 'in' && this.#holding.isStill && this.#isGroupSettled
  }

  /** In a group that has handed out everything, and nothing is left for this one. */
  get isOnStandby(): boolean {
    return this.isSettled && this.#holding.size === 0
  }

  get #isGroupSettled(): boolean {
    return this.#intervalMs > UNSETTLED_INTERVAL_MS
  }

  // --- what the consumer does ----------------------------------------------------------------

  join(nowMs: number): void {
    if (this.#state !== 'out') return
    this.#state = 'joining'
    this.#epoch = 0
    this.#isFull = true
    this.#dueMs = nowMs
  }

  /** What it still holds is no longer asked after: the consumer has seen to that before. */
  leave(epoch: LeaveEpoch, nowMs: number): void {
    this.#holding.clear()
    const wasSeen = this.#state === 'in' || (this.#state === 'joining' && this.#tickets > 0)
    if (!wasSeen) {
      if (this.#state === 'joining') this.#state = 'out'
      return
    }
    this.#state = 'leaving'
    this.#leaveEpoch = epoch
    this.#failures = 0
    this.#dueMs = nowMs
  }

  /** All that it may be working on. */
  held(): Place[] {
    return this.#holding.all()
  }

  /** Partitions that may be read from now on, and are not yet. */
  toBegin(): Place[] {
    return this.#holding.at('given')
  }

  begun(places: readonly Place[]): void {
    for (const place of places) this.#holding.move(place, 'given', 'begun')
  }

  /** Partitions to give up: finish what is in hand, commit, and say so. */
  toRelease(): Place[] {
    return this.#holding.at('taken')
  }

  /** Nobody works on these any more. */
  released(places: readonly Place[]): void {
    for (const place of places) if (this.#holding.remove(place)) this.#changed()
  }

  /** The next heartbeat is wanted at once. */
  hurry(): void {
    this.#isUrgent = true
  }

  #changed(): void {
    this.#changes++
    this.#isUrgent = true
  }

  get hasLost(): boolean {
    return this.#lost.length > 0
  }

  /** What belongs to others by now, since the last call: nothing of it may be committed. */
  takeLost(): Lost[] {
    const lost = this.#lost
    this.#lost = []
    return lost
  }

  // --- heartbeats ----------------------------------------------------------------------------

  /** What to do now. A heartbeat that is handed out is in flight until it is answered, refused or given up. */
  next(nowMs: number): Step {
    this.#expire(nowMs)
    if (this.#inFlight !== undefined || this.#state === 'out' || this.#state === 'failed') {
      return { kind: 'wait', untilMs: this.#endMs }
    }
    const isDue = nowMs >= this.#dueMs || (this.#isUrgent && this.#failures === 0)
    if (!isDue) return { kind: 'wait', untilMs: Math.min(this.#dueMs, this.#endMs) }
    const ticket = ++this.#tickets
    this.#inFlight = { ticket, sentMs: nowMs, changes: this.#changes }
    this.#isUrgent = false
    return { kind: 'send', request: this.#request(), ticket }
  }

  /** When the session ends; Infinity while it is not in. */
  get #endMs(): number {
    return this.#state === 'in' ? this.#aliveMs + this.#sessionMs : Number.POSITIVE_INFINITY
  }

  /** The coordinator has thrown it out by now, or is about to: it may not go on as if it knew nothing. */
  #expire(nowMs: number): void {
    if (nowMs < this.#endMs) return
    const silentMs = Math.round(nowMs - this.#aliveMs)
    this.#lose(`no heartbeat was answered for ${silentMs} ms, longer than the session`, nowMs)
  }

  #request(): Heartbeat {
    const { groupId, memberId, instanceId } = this.#settings
    const who = { groupId, memberId, instanceId, rackId: null, serverAssignor: null }
    if (this.#state === 'leaving') {
      return { ...who, ...UNCHANGED, memberEpoch: this.#leaveEpoch, topicPartitions: null }
    }
    const isNews = this.#isFull || this.#changes !== this.#changesTold
    const topicPartitions = isNews ? this.#holding.byTopic() : null
    const said = { memberEpoch: this.#epoch, topicPartitions }
    if (!this.#isFull) return { ...who, ...UNCHANGED, ...said }
    const { topics, pattern, rebalanceTimeoutMs } = this.#settings
    const subscribed = {
      subscribedTopicNames: topics === null ? [] : [...topics],
      subscribedTopicRegex: pattern ?? '',
    }
    return { ...who, rebalanceTimeoutMs, ...subscribed, ...said }
  }

  answered(ticket: number, answer: HeartbeatAnswer): void {
    const inFlight = this.#inFlight
    if (inFlight?.ticket !== ticket) return
    this.#inFlight = undefined
    this.#failures = 0
    if (this.#state === 'leaving') {
      // A join that was in flight when it left, or the farewell itself.
      if (answer.memberEpoch < 0) this.#state = 'out'
      return
    }
    if (answer.memberEpoch < 1) {
      const message = `a heartbeat was answered with member epoch ${answer.memberEpoch}`
      this.#fail(new MinikafkaError('PROTOCOL_VIOLATION', { message }), inFlight.sentMs)
      return
    }
    this.#state = 'in'
    this.#isFenced = false
    this.#unreleasedMs = undefined
    this.#isFull = false
    this.#epoch = answer.memberEpoch
    this.#aliveMs = inFlight.sentMs
    this.#sessionMs = sessionOf(answer.sessionTimeoutMs)
    const longestMs = this.#sessionMs / 2
    this.#intervalMs = Math.min(longestMs, Math.max(INTERVAL_MS_MIN, answer.heartbeatIntervalMs))
    this.#changesTold = inFlight.changes
    this.#dueMs = inFlight.sentMs + this.#intervalMs
    if (answer.assignment !== null) this.#assigned(answer.assignment)
  }

  #assigned({ partitions: topics }: NonNullable<HeartbeatAnswer['assignment']>): void {
    const places = topics.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => ({ topicId, partition })),
    )
    const { isChanged, isDropped } = this.#holding.assign(places)
    if (isChanged) this.#changes++
    if (isDropped) this.#isUrgent = true
  }

  /** The heartbeat failed: refused, or nobody knows. */
  refused(ticket: number, error: MinikafkaError, nowMs: number): void {
    if (this.#inFlight?.ticket !== ticket) return
    this.#inFlight = undefined
    this.#failures++
    // Whether it was heard is not known: everything is said again (2.13.3).
    this.#isFull = true
    this.#dueMs = nowMs + this.#settings.backoffMs(this.#failures)
    if (this.#state === 'leaving') {
      // It is out already, or will be when its session ends.
      if (!mayHeal(error)) this.#state = 'out'
      return
    }
    const { name } = error
    // Whoever says it next may be another coordinator, which begins all sessions anew.
    if (name !== 'UNRELEASED_INSTANCE_ID') this.#unreleasedMs = undefined
    if (name === 'UNKNOWN_MEMBER_ID' || name === 'FENCED_MEMBER_EPOCH') {
      if (this.#state === 'in') this.#lose(`the coordinator says ${name}`, nowMs)
    } else if (name === 'UNRELEASED_INSTANCE_ID') this.#unreleased(error, nowMs)
    else if (!mayHeal(error)) this.#fail(error, nowMs)
  }

  /** Whoever had this instance id before is out when its session ends; who is not out then is alive. */
  #unreleased(error: MinikafkaError, nowMs: number): void {
    const sessionMs = error.details?.sessionTimeoutMs
    if (typeof sessionMs === 'number') this.#sessionMs = sessionOf(sessionMs)
    this.#unreleasedMs ??= nowMs
    if (nowMs - this.#unreleasedMs > this.#sessionMs + FENCING_MS) this.#fail(error, nowMs)
  }

  #fail(error: MinikafkaError, nowMs: number): void {
    if (this.#state === 'in') this.#lose(`the coordinator says ${error.name}`, nowMs)
    this.#state = 'failed'
    this.#failure = error
  }

  /** Everything it had belongs to others; it joins anew, under the same member id. */
  #lose(reason: string, nowMs: number): void {
    const places = this.#holding.clear()
    this.#lost.push({ places, reason })
    this.#state = 'joining'
    this.#isFenced = true
    this.#epoch = 0
    this.#isFull = true
    this.#inFlight = undefined
    this.#isUrgent = false
    this.#changes++
    this.#failures = 0
    this.#dueMs = nowMs
  }
}

/** Whatever a coordinator says, nobody storms it, sleeps through the own session, or tries for ever. */
function sessionOf(saidMs: number): number {
  return Math.min(SESSION_MS_MAX, Math.max(SESSION_MS_MIN, saidMs))
}

/** What the broker did not expect may be over next time; until then the session runs. */
function mayHeal({ name, retriable }: MinikafkaError): boolean {
  return retriable || name === 'UNKNOWN_SERVER_ERROR'
}

const UNCHANGED = {
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
} as const
