// Partitions by the coordinator: begun when it gives them, given up in order when it takes them, forgotten when they
// are lost. One step after the other; partitions that stay are not touched by any (CLIENT 3, 7 and 8).
// Enters: what the member knows after each heartbeat. Leaves: feeds, hooks that were called, releases.
import { MinikafkaError } from '@minikafka/protocol'
import { Alarm, type Core, Deadline, knownError } from '../core/index.ts'
import {
  type Asker,
  keyOf,
  type LeaveEpoch,
  type Lost,
  Member,
  Membership,
  type Place,
  publishRebalance,
} from '../group/index.ts'
import { topicName } from '../topic/index.ts'
import type { Partitions } from '../words.ts'
import type { Assignment, CloseOptions } from './assignment.ts'
import { Bell } from './bell.ts'
import type { Commits } from './commits.ts'
import type { Feed } from './feed.ts'
import { type Feeds, placesOf } from './feeds.ts'
import type { Hooks } from './hooks.ts'
import { type Present, presentNow } from './present.ts'
import type { FeedStart, GroupSettings, Subscription } from './settings.ts'
import type { ConsumerHealth } from './types.ts'

export type GroupAssignmentParts = {
  readonly feeds: Feeds
  readonly commits: Commits
  readonly hooks: Hooks
  /** Rings when a handler is done. */
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
  /** Being in the group is over: the reader has to know. */
  readonly failed: (error: MinikafkaError) => void
}

type Step = () => Promise<void>

/** Of the rebalance timeout: how long handlers may take; the rest is for the commit and the hook. */
const HANDLERS_SHARE = 0.9
/** What is finished is committed before the member leaves because of one record that is not. */
const LAST_COMMIT_MS = 5000

export class GroupAssignment implements Assignment {
  readonly #core: Core
  readonly #group: GroupSettings
  readonly #subscription: Subscription
  readonly #parts: GroupAssignmentParts
  readonly #memberId: string
  readonly #member: Member
  readonly #membership: Membership
  readonly #wake = new Bell()
  readonly #alarm: Alarm
  readonly #byPlace = new Map<string, Feed>()
  /** Gone while a handler had records of it: until when the partition does not begin anew because of that. */
  readonly #inHand = new Map<Feed, number>()
  readonly #lost: { readonly partitions: Partitions; readonly reason: string }[] = []
  #present: Present = new Map()
  /** Ends what is under way for partitions that are lost. */
  #tenure = new AbortController()
  #opening: Promise<void> | undefined
  #working: Promise<void> | undefined
  #isStepping = false
  #isOverdue = false
  #isStandbyTold = false
  #isFailureTold = false
  #isClosing = false
  #isClosed = false
  #rebalances = 0

  constructor(
    core: Core,
    group: GroupSettings,
    subscription: Subscription,
    parts: GroupAssignmentParts,
  ) {
    this.#core = core
    this.#group = group
    this.#subscription = subscription
    this.#parts = parts
    this.#memberId = core.env.random.uuid()
    const { topics, pattern = null } = subscription
    this.#member = new Member({
      groupId: group.id,
      memberId: this.#memberId,
      instanceId: group.instanceId ?? null,
      topics: topics?.map(topicName) ?? null,
      pattern,
      rebalanceTimeoutMs: group.rebalanceTimeoutMs,
      backoffMs: (failures) => core.backoffMs(failures),
    })
    const news = () => this.#news()
    this.#membership = new Membership(core, { groupId: group.id, member: this.#member, news })
    this.#alarm = new Alarm(core.env.clock, () => this.#wake.ring())
  }

  // --- for those who ask ---------------------------------------------------------------------

  /** Errors: UNKNOWN_MEMBER_ID. */
  asker(): Asker {
    const { id: groupId, instanceId = null } = this.#group
    const { epoch: memberEpoch } = this.#member
    if (memberEpoch > 0) return { groupId, memberId: this.#memberId, memberEpoch, instanceId }
    const message = `this consumer is not in the group '${groupId}' at the moment`
    throw new MinikafkaError('UNKNOWN_MEMBER_ID', { message })
  }

  /** The coordinator sees it differently: the next heartbeat tells. */
  doubt(): void {
    this.#member.hurry()
    this.#membership.go()
  }

  get rebalances(): number {
    return this.#rebalances
  }

  state(): ConsumerHealth['state'] {
    const { state, isFenced } = this.#member
    if (this.#isClosed) return 'left'
    if (isFenced || state === 'failed' || this.#isOverdue) return 'fenced'
    if (state === 'leaving') return 'left'
    if (state !== 'in') return 'joining'
    const isPlaced = this.#parts.feeds.all().every(({ start }) => start === undefined)
    return this.#member.isSettled && isPlaced && !this.#isStepping ? 'stable' : 'reconciling'
  }

  /** 0: none was answered yet. */
  lastHeartbeatMsAgo(nowMs: number): number {
    const { aliveMs } = this.#member
    return aliveMs === 0 ? 0 : nowMs - aliveMs
  }

  // --- life ----------------------------------------------------------------------------------

  /** Joins, once; resolves when the coordinator has said what is to be read. Errors: why there is no being in it. */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#member.failure !== undefined) throw this.#member.failure
    this.#opening ??= this.#join(signal).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    await this.#opening
  }

  async #join(signal: AbortSignal): Promise<void> {
    this.#present = await presentNow(this.#core, this.#subscription, signal)
    signal.throwIfAborted()
    if (this.#isClosing) return
    this.#working ??= this.#work()
    this.#member.join(this.#nowMs)
    this.#membership.go()
    while (this.#member.state === 'joining') await this.#wake.wait(signal)
    if (this.#member.failure !== undefined) throw this.#member.failure
  }

  /** After each heartbeat that was answered, refused or given up, in the same turn. */
  #news(): void {
    for (const lost of this.#member.takeLost()) this.#lose(lost)
    this.#withhold(this.#feedsAt(this.#member.toRelease()))
    const { failure } = this.#member
    if (failure !== undefined && !this.#isFailureTold) this.#parts.failed(failure)
    this.#isFailureTold = failure !== undefined
    this.#tellStandby()
    this.#wake.ring()
    this.#parts.bell.ring()
  }

  #tellStandby(): void {
    const { isOnStandby, isSettled } = this.#member
    if (isOnStandby && !this.#isStandbyTold) {
      const words =
        'standby: the group has handed out all partitions, and none is left for this consumer'
      this.#core.logger.info({ group: this.#group.id, memberId: this.#memberId }, words)
    }
    if (isSettled) this.#isStandbyTold = isOnStandby
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

  // --- coming --------------------------------------------------------------------------------

  async #begin(places: readonly Place[]): Promise<void> {
    const { signal } = this.#tenure
    const named = await this.#named(places)
    if (signal.aborted) return
    if (named.length === 0) return await this.#pause(this.#core.backoffMs(1))
    const held = new Set(this.#member.toBegin().map(keyOf))
    const begun = named.filter((place) => held.has(keyOf(place)))
    this.#member.begun(begun)
    const feeds = begun.flatMap((place) => this.#feedFor(place) ?? [])
    this.#parts.begun()
    const partitions = placesOf(feeds)
    await this.#parts.hooks.call('onAssigned', partitions, this.#deadline(1, signal))
    if (signal.aborted) return
    const leaving = new Set(this.#member.toRelease().map(keyOf))
    for (const feed of feeds) if (!leaving.has(keyOf(feed))) feed.withheld = false
    this.#rebalances++
    this.#tell('assigned', partitions)
    this.#parts.ready()
  }

  /** Those whose topic is known by name. One that was deleted is not: it is taken back soon. */
  async #named(places: readonly Place[]): Promise<readonly Place[]> {
    const { metadata, logger } = this.#core
    const isNamed = ({ topicId, partition }: Place) =>
      metadata.topicById(topicId)?.partitions[partition] !== undefined
    const unknown = new Set(places.filter((place) => !isNamed(place)).map(({ topicId }) => topicId))
    if (unknown.size > 0) {
      const learning = metadata.learn([...unknown])
      await learning.catch((error: unknown) => {
        logger.debug({ err: error }, 'topics that were assigned are not known yet')
      })
    }
    return places.filter(isNamed)
  }

  #feedFor(place: Place): Feed | undefined {
    const { topicId, partition } = place
    const name = this.#core.metadata.topicById(topicId)?.name ?? ''
    const topic = this.#subscription.topics?.find((one) => topicName(one) === name) ?? name
    const feed = this.#parts.feeds.add(topic, partition, this.#startOf(place), true)
    if (feed === undefined) return undefined
    feed.topicId = topicId
    this.#byPlace.set(keyOf(place), feed)
    return feed
  }

  #startOf({ topicId, partition }: Place): FeedStart {
    const wasThere = partition < (this.#present.get(topicId) ?? 0)
    return { orElse: wasThere ? this.#subscription.start : 'earliest' }
  }

  // --- going ---------------------------------------------------------------------------------

  /** Nothing more is handed out, and handlers know. */
  #withhold(feeds: readonly Feed[]): void {
    let isNews = false
    for (const feed of feeds) {
      if (feed.signal().aborted) continue
      isNews = true
      feed.withheld = true
      feed.abort(takenBack(feed))
    }
    if (isNews) this.#parts.halt()
  }

  /** In this order (CLIENT 3, 7): nothing more, finish, commit, onRevoked, release. */
  async #release(places: readonly Place[]): Promise<void> {
    const { signal } = this.#tenure
    const feeds = this.#feedsAt(places)
    this.#withhold(feeds)
    await this.#finished(feeds, this.#deadline(HANDLERS_SHARE, signal))
    const deadline = this.#deadline(1 - HANDLERS_SHARE, signal)
    await this.#lastCommit(feeds, deadline)
    if (!signal.aborted) await this.#parts.hooks.call('onRevoked', placesOf(feeds), deadline)
    if (signal.aborted) return
    this.#drop(feeds, takenBack)
    this.#keepInHand(feeds)
    this.#member.released(places)
    this.#membership.go()
    this.#rebalances++
    this.#tell('revoked', placesOf(feeds))
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

  async #lastCommit(feeds: readonly Feed[], deadline: Deadline): Promise<void> {
    await this.#parts.commits.last(feeds, deadline).catch((error: unknown) => {
      if (!deadline.signal?.aborted) this.#parts.hooks.report(knownError(error, 'the last commit'))
    })
  }

  #drop(feeds: readonly Feed[], reason: (feed: Feed) => Error): void {
    const first = feeds[0]
    if (first === undefined) return
    for (const feed of feeds) this.#byPlace.delete(keyOf(feed))
    this.#parts.feeds.remove(feeds, reason(first))
  }

  // --- losing --------------------------------------------------------------------------------

  /** At once: they belong to others already. */
  #lose({ reason }: Lost): void {
    const feeds = [...this.#byPlace.values()]
    const tenure = this.#tenure
    this.#tenure = new AbortController()
    this.#drop(feeds, (feed) => lostTo(feed, reason))
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
    this.#tell('lost', partitions)
    await this.#parts.hooks.call('onLost', partitions, deadline)
  }

  #keepInHand(feeds: readonly Feed[]): void {
    const untilMs = this.#nowMs + this.#group.rebalanceTimeoutMs
    for (const feed of feeds) if (this.#parts.holds(feed)) this.#inHand.set(feed, untilMs)
  }

  /** It went, and a handler of that time still works on it: others of the same records would overlap. */
  #isInHand(place: Place): boolean {
    const name = this.#core.metadata.topicById(place.topicId)?.name
    for (const [feed, untilMs] of this.#inHand) {
      if (untilMs <= this.#nowMs || !this.#parts.holds(feed)) this.#inHand.delete(feed)
      else if (feed.topic === name && feed.partition === place.partition) return true
    }
    return false
  }

  async #handlerDone(): Promise<void> {
    for (const untilMs of this.#inHand.values()) this.#alarm.at(untilMs)
    await Promise.race([this.#wake.wait(), this.#parts.bell.wait()])
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
    for (const feed of this.#inHand.keys())
      if (this.#parts.holds(feed)) return () => this.#handlerDone()
    return async () => {
      this.#isOverdue = false
      this.#member.join(this.#nowMs)
      this.#membership.go()
    }
  }

  async #stepOut(): Promise<void> {
    const { signal } = this.#tenure
    const deadline = new Deadline(
      this.#core.env.clock,
      { signal },
      LAST_COMMIT_MS,
      'the last commit',
    )
    await this.#parts.commits
      .last([...this.#byPlace.values()], deadline)
      .catch((error: unknown) => {
        this.#core.logger.warn({ err: error }, 'leaving the group without a last commit')
      })
    if (signal.aborted) return
    this.#lose({ places: [], reason: 'a record was in hand longer than maxProcessingMs' })
    // Until its handler is done, however long that takes.
    for (const feed of this.#inHand.keys()) this.#inHand.set(feed, Number.POSITIVE_INFINITY)
    this.#member.leave(this.#farewell(undefined) ?? -1, this.#nowMs)
    this.#membership.go()
  }

  // --- the end -------------------------------------------------------------------------------

  async close(deadline: Deadline, { leave, closers }: CloseOptions): Promise<void> {
    this.#isClosing = true
    this.#wake.ring()
    // A hook that waits for the close is not waited for, and knows.
    const isInside = this.#parts.hooks.isCalling(closers)
    if (!isInside) await this.#until(deadline, this.#working)
    const feeds = [...this.#byPlace.values()]
    this.#withhold(feeds)
    await this.#until(deadline, this.#lastCommit(feeds, deadline))
    if (!isInside) {
      await this.#tellAllLost(deadline)
      await this.#parts.hooks.call('onRevoked', placesOf(this.#stillHeld(feeds)), deadline)
      await this.#tellAllLost(deadline)
    }
    const kept = this.#stillHeld(feeds)
    this.#drop(kept, takenBack)
    const epoch = this.#farewell(leave)
    if (epoch !== undefined)
      await this.#until(
        deadline,
        this.#membership.leave(epoch, () => this.#wake.wait()),
      )
    this.#isClosed = true
    this.#tenure.abort(new MinikafkaError('CLOSED', { message: 'the consumer is closed' }))
    this.#membership.close()
    this.#alarm.cancel()
    this.#wake.ring()
    this.#tell('revoked', placesOf(kept))
  }

  /** What was lost before it was given up is others' already: nobody may commit it any more. */
  async #tellAllLost(deadline: Deadline): Promise<void> {
    for (const { partitions } of this.#lost.splice(0)) await this.#tellLost(partitions, deadline)
  }

  #stillHeld(feeds: readonly Feed[]): Feed[] {
    return feeds.filter((feed) => this.#byPlace.get(keyOf(feed)) === feed)
  }

  /** undefined: the session just ends. A static member comes back, unless it is told to leave for good. */
  #farewell(leave: boolean | undefined): LeaveEpoch | undefined {
    if (this.#group.instanceId !== undefined) return leave === true ? -1 : -2
    return leave === false ? undefined : -1
  }

  async #until(deadline: Deadline, work: Promise<void> | undefined): Promise<void> {
    try {
      if (work !== undefined) await deadline.hold(work)
    } catch (error) {
      this.#core.logger.warn({ err: error, group: this.#group.id }, 'leaving a group in a hurry')
    }
  }

  // --- helpers -------------------------------------------------------------------------------

  #feedsAt(places: readonly Place[]): Feed[] {
    return places.flatMap((place) => this.#byPlace.get(keyOf(place)) ?? [])
  }

  #tell(kind: 'assigned' | 'revoked' | 'lost', partitions: Partitions): void {
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

function takenBack({ topic, partition }: Feed): MinikafkaError {
  const message = 'the partition goes to another member of the group'
  return new MinikafkaError('STALE_MEMBER_EPOCH', { topic, partition, message })
}

function lostTo({ topic, partition }: Feed, reason: string): MinikafkaError {
  const message = `the partition is lost: ${reason}`
  return new MinikafkaError('FENCED_MEMBER_EPOCH', { topic, partition, message })
}
