// Partitions by the coordinator: the life of a consumer as a member of its group, from the join to the farewell.
// Enters: what the member knows after each heartbeat. Leaves: steps for its partitions, and what others ask about it.
import { MinikafkaError } from '@minikafka/protocol'
import type { Core, Deadline } from '../core/index.ts'
import { type Asker, Member, Membership } from '../group/index.ts'
import { topicName } from '../topic/index.ts'
import type { Assignment, CloseOptions } from './assignment.ts'
import { Bell } from './bell.ts'
import type { Feed } from './feed.ts'
import { type Feeds, placesOf } from './feeds.ts'
import { MemberFeeds } from './member-feeds.ts'
import { farewell, type RebalanceParts, RebalanceSteps } from './rebalance-steps.ts'
import type { GroupSettings, Subscription } from './settings.ts'
import type { ConsumerHealth } from './types.ts'

/** A warning: whoever waits for records in vain would not look for it among the rest. */
const STANDBY =
  'standby: the group has more members than partitions, and none is left for this consumer; ' +
  'it takes over when another one goes'

export type GroupAssignmentParts = RebalanceParts & {
  readonly feeds: Feeds
  /** Being in the group is over: the reader has to know. */
  readonly failed: (error: MinikafkaError) => void
}

export class GroupAssignment implements Assignment {
  readonly #core: Core
  readonly #group: GroupSettings
  readonly #parts: GroupAssignmentParts
  readonly #memberId: string
  readonly #member: Member
  readonly #membership: Membership
  readonly #feeds: MemberFeeds
  readonly #steps: RebalanceSteps
  /** Rings after each heartbeat. */
  readonly #wake = new Bell()
  #opening: Promise<void> | undefined
  #isStandbyTold = false
  #isFailureTold = false
  #isClosing = false
  #isClosed = false

  constructor(
    core: Core,
    group: GroupSettings,
    subscription: Subscription,
    parts: GroupAssignmentParts,
  ) {
    this.#core = core
    this.#group = group
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
    this.#feeds = new MemberFeeds(core, subscription, parts.feeds)
    const of = {
      memberId: this.#memberId,
      member: this.#member,
      feeds: this.#feeds,
      wake: this.#wake,
      go: () => this.#membership.go(),
    }
    this.#steps = new RebalanceSteps(core, group, of, parts)
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
    return this.#steps.rebalances
  }

  state(): ConsumerHealth['state'] {
    const { state, isFenced, isSettled } = this.#member
    if (this.#isClosed) return 'left'
    if (isFenced || state === 'failed' || this.#steps.isOverdue) return 'fenced'
    if (state === 'leaving') return 'left'
    if (state !== 'in') return 'joining'
    const isStable = isSettled && this.#feeds.arePlaced && !this.#steps.isStepping
    return isStable ? 'stable' : 'reconciling'
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
    await this.#feeds.look(signal)
    signal.throwIfAborted()
    if (this.#isClosing) return
    this.#steps.start()
    this.#member.join(this.#core.env.clock.monotonicMs())
    this.#membership.go()
    while (this.#member.state === 'joining') await this.#wake.wait(signal)
    if (this.#member.failure !== undefined) throw this.#member.failure
  }

  /** After each heartbeat that was answered, refused or given up, in the same turn. */
  #news(): void {
    for (const lost of this.#member.takeLost()) this.#steps.lose(lost)
    this.#steps.withhold(this.#feeds.at(this.#member.toRelease()))
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
      const about = { group: this.#group.id, memberId: this.#memberId }
      this.#core.logger.warn(about, STANDBY)
    }
    if (isSettled) this.#isStandbyTold = isOnStandby
  }

  /** A record is in hand longer than `maxProcessingMs`. */
  overdue(): void {
    this.#steps.overdue()
  }

  async close(deadline: Deadline, { leave, closers }: CloseOptions): Promise<void> {
    this.#isClosing = true
    await this.#until(deadline, this.#outside(this.#steps.end(), closers))
    // A hook at work closes the consumer, and knows that its partitions go: no other one is called beside it.
    const isInside = this.#parts.hooks.isCalling(closers)
    const feeds = this.#feeds.all()
    this.#steps.withhold(feeds)
    await this.#until(deadline, this.#steps.lastCommit(feeds, deadline))
    if (!isInside) await this.#outside(this.#lastHooks(feeds, deadline), closers)
    const kept = this.#feeds.stillHeld(feeds)
    this.#steps.drop(kept)
    await this.#until(deadline, this.#farewell(leave))
    this.#isClosed = true
    this.#steps.close()
    this.#membership.close()
    this.#steps.tell('revoked', placesOf(kept))
  }

  /** What was lost before it was given up is others' already: nobody may commit it any more. */
  async #lastHooks(feeds: readonly Feed[], deadline: Deadline): Promise<void> {
    await this.#steps.tellAllLost(deadline)
    const partitions = placesOf(this.#feeds.stillHeld(feeds))
    await this.#parts.hooks.call('onRevoked', partitions, deadline)
    await this.#steps.tellAllLost(deadline)
  }

  async #farewell(leave: boolean | undefined): Promise<void> {
    const epoch = farewell(this.#group, leave)
    if (epoch !== undefined) await this.#membership.leave(epoch, () => this.#wake.wait())
  }

  /** Until `work` is done, or a hook within waits for the close itself: each would wait for the other. */
  async #outside(work: Promise<void>, closers: ReadonlySet<unknown>): Promise<void> {
    const { bell, hooks } = this.#parts
    let isDone = false
    void work.finally(() => {
      isDone = true
      bell.ring()
    })
    while (!isDone && !hooks.isCalling(closers)) await bell.wait()
  }

  async #until(deadline: Deadline, work: Promise<void>): Promise<void> {
    try {
      await deadline.hold(work)
    } catch (error) {
      this.#core.logger.warn({ err: error, group: this.#group.id }, 'leaving a group in a hurry')
    }
  }
}
