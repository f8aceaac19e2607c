// The heartbeats of one member: its own connection to the coordinator, its own timer, one heartbeat in flight.
// Enters: a Member, which knows what to say. Leaves: heartbeats, and `news` after each answer. User code is never
// waited for here (CLIENT 3, 6).
import type { Core, Lane } from '../core/index.ts'
import { Alarm, knownError } from '../core/index.ts'
import type { LeaveEpoch, Member } from './member.ts'

type MembershipParts = {
  readonly groupId: string
  readonly member: Member
  /** The member knows more than before. Called in the same turn. */
  readonly news: () => void
}

/** After so many failures in a row the trouble is told, once, until it is over. */
const FAILURES_TOLD = 3
/** A heartbeat that is not answered for this share of a session is sent again over a new connection. */
const TRIES_PER_SESSION = 3

export class Membership {
  readonly #core: Core
  readonly #parts: MembershipParts
  readonly #lane: Lane
  readonly #alarm: Alarm
  /** Gives up the heartbeat in flight. */
  #sending: AbortController | undefined
  #closed = false

  constructor(core: Core, parts: MembershipParts) {
    this.#core = core
    this.#parts = parts
    this.#lane = core.groupLane()
    this.#alarm = new Alarm(core.env.clock, () => this.go())
  }

  /** Looks at once whether there is something to say: after a join, a leave, a release. */
  go(): void {
    if (this.#closed) return
    const step = this.#parts.member.next(this.#nowMs)
    // The session ended meanwhile: who is told so looks at the member and comes back here.
    if (this.#parts.member.hasLost) this.#parts.news()
    if (this.#closed) return
    if (step.kind === 'wait') {
      if (step.untilMs < Number.POSITIVE_INFINITY) this.#alarm.at(step.untilMs)
      return
    }
    // What is in flight is of a life before this one.
    if (this.#sending !== undefined) this.#hangUp()
    const sending = new AbortController()
    this.#sending = sending
    void this.#send(step, sending)
  }

  /** Resolves when the coordinator has heard of it, or does not need to. The waiting is bounded by the caller. */
  async leave(epoch: LeaveEpoch, left: () => Promise<void>): Promise<void> {
    const { member } = this.#parts
    member.leave(epoch, this.#nowMs)
    this.go()
    while (member.state === 'leaving' && !this.#closed) await left()
  }

  close(): void {
    this.#closed = true
    this.#alarm.cancel()
    this.#hangUp()
  }

  get #nowMs(): number {
    return this.#core.env.clock.monotonicMs()
  }

  async #send(
    { request, ticket }: Extract<ReturnType<Member['next']>, { kind: 'send' }>,
    sending: AbortController,
  ): Promise<void> {
    const { groupId, member, news } = this.#parts
    const { requestTimeoutMs } = this.#core.settings
    const timeoutMs = Math.min(requestTimeoutMs, member.sessionMs / TRIES_PER_SESSION)
    const options = { timeoutMs, signal: sending.signal, lane: this.#lane }
    const { coordinators } = this.#core
    try {
      const answer = await coordinators.ask('consumerGroupHeartbeat', groupId, request, options)
      if (sending.signal.aborted) return
      this.#tellOver()
      member.answered(ticket, answer)
    } catch (error) {
      if (sending.signal.aborted) return
      const known = knownError(error, 'a heartbeat')
      // The broker drops what it has not handled of a connection that is closed: no late heartbeat overtakes the next.
      if (known.retriable) this.#hangUp()
      member.refused(ticket, known, this.#nowMs)
      this.#tellTrouble(known)
    }
    this.#sending = undefined
    news()
    this.go()
  }

  #hangUp(): void {
    this.#sending?.abort()
    this.#sending = undefined
    this.#core.closeLane(this.#lane)
  }

  #tellTrouble(error: Error): void {
    const { groupId, member } = this.#parts
    if (member.failures !== FAILURES_TOLD) return
    this.#core.logger.warn(
      { err: error, group: groupId },
      'the coordinator does not take heartbeats',
    )
  }

  #tellOver(): void {
    const { groupId, member } = this.#parts
    if (member.failures < FAILURES_TOLD) return
    this.#core.logger.info({ group: groupId }, 'the coordinator takes heartbeats again')
  }
}
