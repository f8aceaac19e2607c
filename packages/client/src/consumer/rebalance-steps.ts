// What a member does with its partitions, one step after the other: begins those that it was given, gives up in order
// those that are taken, forgets those that are lost (CLIENT 3, 7 and 8). Partitions that stay are not touched by any.
// Enters: what the member knows after each heartbeat. Leaves: feeds, hooks that were called, releases.
import { MinikafkaError } from '@minikafka/protocol'
import { Alarm, type Core, Deadline, knownError } from '../core/index.ts'
import {
  keyOf,
  type LeaveEpoch,
  type Lost,
  type Member,
  type Place,
  publishRebalance,
} from '../group/index.ts'
import type { Partitions } from '../words.ts'
import type { Bell } from './bell.ts'
import type { Commits } from './commits.ts'
import type { Feed } from './feed.ts'
import { placesOf } from './feeds.ts'
import type { Hooks } from './hooks.ts'
import { InHand } from './in-hand.ts'
import type { MemberFeeds } from './member-feeds.ts'
import type { GroupSettings } from './settings.ts'

export type RebalanceParts = {
  readonly commits: Commits
  readonly hooks: Hooks
  /** Rings when a handler is done, and when the consumer is about to close. */
  readonly bell: Bell
  /** The reader has records of this feed in hand. */
  readonly holds: (feed: Feed) => boolean
  /** Look again before anything more is handed out. */
  readonly halt: () => void
  /** There are feeds that need a place to begin. */
  readonly begun: () => void
  /** These may be handed out from now on. */
  readonly ready: () => void
  readonly told: (kind: 'revoked' | 'lost', partitions: Partitions) => void
}

export type StepsOf = {
  readonly memberId: string
  readonly member: Member
  readonly feeds: MemberFeeds
  /** Rings when the member knows more. */
  readonly wake: Bell
  /** There is something to say to the coordinator. */
  readonly go: () => void
}

type Step = () => Promise<void>

/** Of the rebalance timeout: how long handlers may take; the rest is for the commit and the hook. */
const HANDLERS_SHARE = 0.9
/** What is finished is committed before the member leaves because of one record that is not. */
const LAST_COMMIT_MS = 5000

export class RebalanceSteps {
  readonly #core: Core
  readonly #group: GroupSettings
  readonly #memberId: string
  readonly #member: Member
  readonly #feeds: MemberFeeds
  readonly #wake: Bell
  readonly #go: () => void
  readonly #parts: RebalanceParts
  readonly #alarm: Alarm
  readonly #inHand: InHand
  readonly #lost: { readonly partitions: Partitions; readonly reason: string }[] = []
  /** Ends what is under way for partitions that are lost. */
  #tenure = new AbortController()
  #working: Promise<void> | undefined
  #isStepping = false
  #isOverdue = false
  #isClosing = false
  #rebalances = 0

  constructor(core: Core, group: GroupSettings, of: StepsOf, parts: RebalanceParts) {
    this.#core = core
    this.#group = group
    this.#memberId = of.memberId
    this.#member = of.member
    this.#feeds = of.feeds
    this.#wake = of.wake
    this.#go = of.go
    this.#parts = parts
    this.#alarm = new Alarm(core.env.clock, () => this.#wake.ring())
    this.#inHand = new InHand(parts.holds)
  }

  get rebalances(): number {
    return this.#rebalances
  }

  get isStepping(): boolean {
    return this.#isStepping
  }

  get isOverdue(): boolean {
    return this.#isOverdue
  }

  // --- one after the other -------------------------------------------------------------------

  start(): void {
    this.#working ??= this.#work()
  }

  /** No step begins any more. Resolves after the one at work; never rejects. */
  async end(): Promise<void> {
    this.#isClosing = true
    this.#wake.ring()
    await this.#working
  }

  close(): void {
    this.#tenure.abort(new MinikafkaError('CLOSED', { message: 'the consumer is closed' }))
    this.#alarm.cancel()
    this.#wake.ring()
  }

  async #work(): Promise<void> {
    while (!this.#isClosing) {
      const step = this.#nextStep()
      if (step === undefined) {
        await this.#wake.wait()
        continue
      }
      this.#isStepping = true
      try {
        await step()
      } catch (error) {
        // Whatever it is, it ends this step and no other.
        this.#parts.hooks.report(knownError(error, 'a rebalance'))
        await this.#pause(this.#core.backoffMs(1))
      }
      this.#isStepping = false
    }
  }

  #nextStep(): Step | undefined {
    const lost = this.#lost.shift()
    if (lost !== undefined)
      return () => this.#tellLost(lost.partitions, this.#deadline(1, this.#tenure.signal))
    if (this.#isOverdue) return this.#overdueStep()
    const release = this.#member.toRelease()
    if (release.length > 0) return () => this.#release(release)
    const given = this.#member.toBegin()
    const begin = given.filter((place) => !this.#isInHand(place))
    if (begin.length > 0) return () => this.#begin(begin)
    return given.length > 0 ? () => this.#handlerDone() : undefined
  }

  #isInHand(place: Place): boolean {
    return this.#inHand.has(this.#feeds.placeOf(place), this.#nowMs)
  }

  async #handlerDone(): Promise<void> {
    for (const untilMs of this.#inHand.times()) this.#alarm.at(untilMs)
    await Promise.race([this.#wake.wait(), this.#parts.bell.wait()])
  }

  // --- coming --------------------------------------------------------------------------------

  async #begin(places: readonly Place[]): Promise<void> {
    const { signal } = this.#tenure
    const named = await this.#feeds.named(places)
    if (signal.aborted) return
    if (named.length === 0) return await this.#pause(this.#core.backoffMs(1))
    const held = new Set(this.#member.toBegin().map(keyOf))
    const begun = named.filter((place) => held.has(keyOf(place)))
    this.#member.begun(begun)
    const feeds = this.#feeds.add(begun)
    this.#parts.begun()
    const partitions = placesOf(feeds)
    await this.#parts.hooks.call('onAssigned', partitions, this.#deadline(1, signal))
    if (signal.aborted) return
    const leaving = new Set(this.#member.toRelease().map(keyOf))
    for (const feed of feeds) if (!leaving.has(keyOf(feed))) feed.withheld = false
    this.#rebalances++
    this.tell('assigned', partitions)
    this.#parts.ready()
  }

  // --- going ---------------------------------------------------------------------------------

  /** Nothing more of them is handed out, and handlers know. */
  withhold(feeds: readonly Feed[]): void {
    if (this.#feeds.withhold(feeds, takenBack)) this.#parts.halt()
  }

  /** In this order (CLIENT 3, 7): nothing more, finish, commit, onRevoked, release. */
  async #release(places: readonly Place[]): Promise<void> {
    const { signal } = this.#tenure
    const feeds = this.#feeds.at(places)
    this.withhold(feeds)
    await this.#finished(feeds, this.#deadline(HANDLERS_SHARE, signal))
    const deadline = this.#deadline(1 - HANDLERS_SHARE, signal)
    await this.lastCommit(feeds, deadline)
    if (!signal.aborted) await this.#parts.hooks.call('onRevoked', placesOf(feeds), deadline)
    if (signal.aborted) return
    this.drop(feeds)
    this.#keepInHand(feeds)
    this.#member.released(places)
    this.#go()
    this.#rebalances++
    this.tell('revoked', placesOf(feeds))
  }

  /** Until the reader has nothing of them in hand, or the time is over: then others do the rest once more. */
  async #finished(feeds: readonly Feed[], deadline: Deadline): Promise<void> {
    try {
      while (feeds.some((feed) => this.#parts.holds(feed)))
        await deadline.hold(this.#parts.bell.wait(deadline.signal))
    } catch (error) {
      if (deadline.signal?.aborted) return
      const words = 'records are not finished, and their partitions have to go'
      this.#core.logger.warn({ err: error, partitions: placesOf(feeds) }, words)
    }
  }

  async lastCommit(feeds: readonly Feed[], deadline: Deadline): Promise<void> {
    await this.#parts.commits.last(feeds, deadline).catch((error: unknown) => {
      if (!deadline.signal?.aborted) this.#parts.hooks.report(knownError(error, 'the last commit'))
    })
  }

  drop(feeds: readonly Feed[]): void {
    this.#feeds.drop(feeds, takenBack)
  }

  // --- losing --------------------------------------------------------------------------------

  /** At once: they belong to others already. */
  lose({ reason }: Lost): void {
    const feeds = this.#feeds.all()
    const tenure = this.#tenure
    this.#tenure = new AbortController()
    this.#feeds.drop(feeds, (feed) => lostTo(feed, reason))
    tenure.abort(new MinikafkaError('FENCED_MEMBER_EPOCH', { message: reason }))
    this.#keepInHand(feeds)
    this.#parts.halt()
    const partitions = placesOf(feeds)
    const about = { group: this.#group.id, memberId: this.#memberId, partitions, reason }
    this.#core.logger.warn(about, 'thrown out of the group: joining again')
    if (partitions.length > 0) this.#lost.push({ partitions, reason })
  }

  async #tellLost(partitions: Partitions, deadline: Deadline): Promise<void> {
    this.#rebalances++
    this.tell('lost', partitions)
    await this.#parts.hooks.call('onLost', partitions, deadline)
  }

  /** Where no step does it any more. */
  async tellAllLost(deadline: Deadline): Promise<void> {
    for (const { partitions } of this.#lost.splice(0)) await this.#tellLost(partitions, deadline)
  }

  #keepInHand(feeds: readonly Feed[]): void {
    this.#inHand.keep(feeds, this.#nowMs + this.#group.rebalanceTimeoutMs)
  }

  // --- too slow ------------------------------------------------------------------------------

  /** A record is in hand longer than `maxProcessingMs`: others shall have the partitions until it is done. */
  overdue(): void {
    if (this.#member.state !== 'in' || this.#isOverdue) return
    this.#isOverdue = true
    this.#wake.ring()
  }

  #overdueStep(): Step | undefined {
    if (this.#member.state === 'in') return () => this.#stepOut()
    if (this.#member.state === 'leaving') return undefined
    if (this.#inHand.isHeld) return () => this.#handlerDone()
    return async () => {
      this.#isOverdue = false
      this.#member.join(this.#nowMs)
      this.#go()
    }
  }

  async #stepOut(): Promise<void> {
    const { signal } = this.#tenure
    const { clock } = this.#core.env
    const deadline = new Deadline(clock, { signal }, LAST_COMMIT_MS, 'the last commit')
    await this.#parts.commits.last(this.#feeds.all(), deadline).catch((error: unknown) => {
      this.#core.logger.warn({ err: error }, 'leaving the group without a last commit')
    })
    if (signal.aborted) return
    this.lose({ places: [], reason: 'a record was in hand longer than maxProcessingMs' })
    this.#inHand.keepAll()
    this.#member.leave(farewell(this.#group, undefined) ?? -1, this.#nowMs)
    this.#go()
  }

  // --- helpers -------------------------------------------------------------------------------

  tell(kind: 'assigned' | 'revoked' | 'lost', partitions: Partitions): void {
    if (partitions.length === 0) return
    const { id: group } = this.#group
    const about = { group, memberId: this.#memberId, memberEpoch: this.#member.epoch, kind }
    this.#core.logger.info({ ...about, partitions }, 'rebalance')
    publishRebalance(() => ({ ...about, partitions }))
    if (kind !== 'assigned') this.#parts.told(kind, partitions)
  }

  #deadline(share: number, signal: AbortSignal): Deadline {
    const timeoutMs = Math.max(1, this.#group.rebalanceTimeoutMs * share)
    return new Deadline(this.#core.env.clock, { signal, timeoutMs }, undefined, 'a rebalance')
  }

  /** Until there is news, at most so long. */
  async #pause(ms: number): Promise<void> {
    this.#alarm.in(ms)
    await this.#wake.wait()
  }

  get #nowMs(): number {
    return this.#core.env.clock.monotonicMs()
  }
}

/** undefined: the session just ends. A static member comes back, unless it is told to leave for good. */
export function farewell(
  { instanceId }: GroupSettings,
  leave: boolean | undefined,
): LeaveEpoch | undefined {
  if (instanceId !== undefined) return leave === true ? -1 : -2
  return leave === false ? undefined : -1
}

function takenBack({ topic, partition }: Feed): MinikafkaError {
  const message = 'the partition goes to another member of the group'
  return new MinikafkaError('STALE_MEMBER_EPOCH', { topic, partition, message })
}

function lostTo({ topic, partition }: Feed, reason: string): MinikafkaError {
  const message = `the partition is lost: ${reason}`
  return new MinikafkaError('FENCED_MEMBER_EPOCH', { topic, partition, message })
}
