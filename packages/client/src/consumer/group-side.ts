// What a consumer has because it belongs to a group: commits, places to begin at, and as a member its partitions.
// Enters: feeds and what the reader does. Leaves: offsets that are kept, partitions that come and go.
import { MinikafkaError } from '@minikafka/protocol'
import { type Core, type Deadline, invalidOption } from '../core/index.ts'
import { type Asker, fetchCommitted, keyOf, outsider } from '../group/index.ts'
import type { NextOffset, Partitions } from '../words.ts'
import type { Assignment, CloseOptions } from './assignment.ts'
import type { Bell } from './bell.ts'
import { type Commitable, finishedBy, mustBeHeld } from './commit-words.ts'
import { Commits, dirtyOf } from './commits.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { GroupAssignment } from './group-assignment.ts'
import { GroupStarts } from './group-starts.ts'
import { Hooks, type HooksParts } from './hooks.ts'
import { Overdue } from './overdue.ts'
import type { GroupSettings } from './settings.ts'

export type GroupSideParts = Pick<HooksParts, 'calls' | 'inside' | 'report'> & {
  readonly feeds: Feeds
  readonly bell: Bell
  /** Aborts when the consumer closes. */
  readonly signal: AbortSignal
  readonly holds: (feed: Feed) => boolean
  readonly halt: () => void
  readonly begun: () => void
  readonly found: (feeds: readonly Feed[]) => void
  readonly ready: () => void
  readonly told: (kind: 'revoked' | 'lost', partitions: Partitions) => void
  readonly failed: (error: MinikafkaError) => void
}

export class GroupSide {
  /** Undefined: partitions are assigned by hand. */
  readonly member: GroupAssignment | undefined
  readonly #core: Core
  readonly #group: GroupSettings
  readonly #parts: GroupSideParts
  readonly #commits: Commits
  readonly #starts: GroupStarts
  readonly #overdue: Overdue

  constructor(core: Core, group: GroupSettings, parts: GroupSideParts) {
    this.#core = core
    this.#group = group
    this.#parts = parts
    const { feeds, report, signal, found, begun } = parts
    const asker = () => this.#asker()
    const doubt = () => this.member?.doubt()
    const { commit: mode, commitIntervalMs: intervalMs } = group
    this.#commits = new Commits(core, { mode, intervalMs, feeds, asker, doubt, report })
    const all = () => feeds.all()
    this.#starts = new GroupStarts(core, { signal, feeds: all, asker, doubt, found, begun })
    this.member = this.#newMember()
    const { clock } = core.env
    this.#overdue = new Overdue({
      ...{ clock, logger: core.logger, maxProcessingMs: group.maxProcessingMs, feeds: all },
      overdue: () => this.member?.overdue(),
    })
  }

  #newMember(): GroupAssignment | undefined {
    const { subscription, onAssigned, onRevoked, onLost } = this.#group
    if (subscription === undefined) return undefined
    const hooks = new Hooks({ ...this.#parts, hooks: { onAssigned, onRevoked, onLost } })
    const parts = { ...this.#parts, commits: this.#commits, hooks }
    return new GroupAssignment(this.#core, this.#group, subscription, parts)
  }

  #asker(): Asker {
    return this.member === undefined ? outsider(this.#group.id) : this.member.asker()
  }

  start(): void {
    this.#commits.start()
    this.#overdue.start()
  }

  /** There are feeds that ask where the group stands. */
  begun(): void {
    this.#starts.go()
  }

  /** So many more records are finished. */
  count(finished: number): void {
    this.#commits.count(finished)
  }

  /** Errors: as Commits.commit; INVALID_OPTION. */
  async commit(what: Commitable | undefined, deadline: Deadline): Promise<void> {
    if (this.#group.commit === 'none') {
      throw invalidOption(
        "consumer.commit: this consumer has commit: 'none'; use 'manual'",
        'commit',
      )
    }
    const { feeds } = this.#parts
    if (what === undefined) return await this.#commits.commit(() => dirtyOf(feeds.all()), deadline)
    // What is meant is what is held now, however often it is tried.
    const finished = finishedBy(what, feeds)
    await this.#commits.commit(() => mustBeHeld(finished, feeds), deadline)
  }

  /** Where the group stands in the partitions that are read here. Errors: of the first that is not known. */
  async committed(deadline: Deadline): Promise<NextOffset[]> {
    const feeds = this.#parts.feeds.all()
    const found = await deadline.hold(fetchCommitted(this.#core, this.#asker(), feeds, deadline))
    return feeds.flatMap((feed) => {
      const { topic, partition } = feed
      const nextOffset = found.get(keyOf(feed))
      if (nextOffset instanceof MinikafkaError) throw nextOffset
      return nextOffset === undefined ? [] : [{ topic, partition, nextOffset }]
    })
  }

  stats(): { committed: number; rebalances: number } {
    return { committed: this.#commits.committed, rebalances: this.member?.rebalances ?? 0 }
  }

  /** What is finished is kept, then the assignment ends. Never rejects. */
  async close(assignment: Assignment, deadline: Deadline, options: CloseOptions): Promise<void> {
    if (this.member === undefined) {
      await this.#commits.last(this.#parts.feeds.all(), deadline).catch((error: unknown) => {
        this.#core.logger.warn(
          { err: error, group: this.#group.id },
          'closing without a last commit',
        )
      })
    }
    await assignment.close(deadline, options)
    this.#commits.close()
    this.#starts.close()
    this.#overdue.stop()
  }
}
