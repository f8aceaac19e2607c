// What a group keeps of its consumer: how far everything is finished. One commit is outstanding, the others gather.
// Enters: feeds, and what users say. Leaves: OffsetCommits of low-water marks; a record that is not finished is never
// passed (CLIENT 3, 1).
import { isMinikafkaError, type MinikafkaError } from '@minikafka/protocol'
import { Alarm, type Core, type Deadline, knownError } from '../core/index.ts'
import { type Asker, type CommitPosition, keyOf, sendCommit } from '../group/index.ts'
import { notHeld } from './commit-words.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'

/** A partition is to be read from `offset` on. */
export type Finished = { readonly feed: Feed; readonly offset: number }

export type CommitsParts = {
  readonly mode: 'processed' | 'manual' | 'none'
  readonly intervalMs: number
  readonly feeds: Feeds
  /** Errors: UNKNOWN_MEMBER_ID while this consumer is not in the group. */
  readonly asker: () => Asker
  /** The coordinator sees the membership differently: ask it. */
  readonly doubt: () => void
  readonly report: (error: MinikafkaError) => void
}

/** So many finished records are enough for a commit before its time, */
const RECORDS_PER_COMMIT = 1000
/** but not sooner than this after the one before: a quick reader would do little else. */
const PAUSE_MS = 100

type Entry = Finished & { readonly position: CommitPosition; readonly readGeneration: number }
type Refused = ReadonlyMap<string, MinikafkaError>
type Round = { readonly entries: Map<string, Entry>; readonly outcome: Promise<Refused> }

export class Commits {
  readonly #core: Core
  readonly #parts: CommitsParts
  readonly #alarm: Alarm
  /** Gathers entries until the round before it is over. */
  #next: Round | undefined
  #running: Promise<unknown> | undefined
  /** Which call committed a partition last: an earlier one that is tried again does not undo it. */
  readonly #callOf = new WeakMap<Feed, number>()
  #calls = 0
  #finished = 0
  #isHurried = false
  #isClosed = false
  #begunMs = 0
  #committed = 0

  constructor(core: Core, parts: CommitsParts) {
    this.#core = core
    this.#parts = parts
    this.#alarm = new Alarm(core.env.clock, () => this.#tick())
  }

  /** Offsets kept so far, for statistics. */
  get committed(): number {
    return this.#committed
  }

  start(): void {
    if (this.#parts.mode === 'processed') this.#alarm.in(this.#parts.intervalMs)
  }

  close(): void {
    this.#isClosed = true
    this.#alarm.cancel()
  }

  /** So many more records are finished. */
  count(finished: number): void {
    this.#finished += finished
    if (this.#finished < RECORDS_PER_COMMIT || this.#isHurried || this.#running !== undefined)
      return
    if (this.#parts.mode !== 'processed' || this.#isClosed) return
    this.#isHurried = true
    this.#alarm.at(this.#begunMs + PAUSE_MS)
  }

  /** What comes while a commit is outstanding waits for the next tick. */
  #tick(): void {
    this.#isHurried = false
    this.#alarm.in(this.#parts.intervalMs)
    if (this.#running !== undefined) return
    this.#begunMs = this.#core.env.clock.monotonicMs()
    this.#finished = 0
    const dirty = dirtyOf(this.#parts.feeds.all().filter(({ withheld }) => !withheld))
    if (dirty.length > 0)
      void this.#attempt(dirty, ++this.#calls).then((error) => this.#told(error))
  }

  #told(error: MinikafkaError | undefined): void {
    if (error === undefined) return
    if (isPassing(error)) this.#core.logger.debug({ err: error }, 'a commit is tried again')
    else this.#parts.report(error)
  }

  /** By itself: what is finished of `feeds`, before they are given up. A consumer that commits by hand does nothing. */
  async last(feeds: readonly Feed[], deadline: Deadline): Promise<void> {
    if (this.#parts.mode === 'processed') await this.commit(() => dirtyOf(feeds), deadline)
  }

  /**
   * Commits what `finished` says, asked again for each attempt.
   *
   * Errors  what it throws; UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH: the partition belongs to somebody else;
   *         TIMED_OUT with the last error as its cause.
   */
  async commit(finished: () => readonly Finished[], deadline: Deadline): Promise<void> {
    const call = ++this.#calls
    let gone: MinikafkaError | undefined
    for (let failures = 1; ; failures++) {
      const wanted = finished()
      const error =
        wanted.length === 0 ? undefined : await deadline.hold(this.#attempt(wanted, call))
      // It is not finished any more for who looks next time, and it is not kept either.
      if (error !== undefined) gone ??= this.#firstGone(wanted)
      const failure = error ?? gone
      if (failure === undefined) return
      if (error === undefined || !isPassing(error)) throw failure
      deadline.check(error)
      await deadline.sleep(this.#core.backoffMs(failures))
      deadline.check(error)
    }
  }

  #firstGone(wanted: readonly Finished[]): MinikafkaError | undefined {
    const { feeds } = this.#parts
    const lost = wanted.find(({ feed }) => feeds.get(feed) !== feed)
    return lost && notHeld(lost.feed)
  }

  // --- rounds --------------------------------------------------------------------------------

  /** Returns what was wrong with the first of `wanted` that is not kept; never rejects. */
  async #attempt(wanted: readonly Finished[], call: number): Promise<MinikafkaError | undefined> {
    const keys: string[] = []
    const round = this.#gathering()
    for (const { feed, offset } of wanted) {
      const { topicId, partition, readGeneration } = feed
      const key = keyOf(feed)
      if ((this.#callOf.get(feed) ?? 0) > call) continue
      this.#callOf.set(feed, call)
      const leaderEpoch = feed.epochBefore(offset)
      const position = { topicId, partition, offset, leaderEpoch, metadata: null }
      round.entries.set(key, { feed, offset, position, readGeneration })
      keys.push(key)
    }
    try {
      const refused = await round.outcome
      const first = keys.find((key) => refused.has(key))
      return first === undefined ? undefined : refused.get(first)
    } catch (error) {
      return knownError(error, 'a commit')
    }
  }

  #gathering(): Round {
    if (this.#next !== undefined) return this.#next
    const entries = new Map<string, Entry>()
    const before = this.#running ?? Promise.resolve()
    const outcome = before.then(() => this.#round(entries))
    const running = outcome.catch(() => undefined)
    this.#next = { entries, outcome }
    this.#running = running
    void running.then(() => {
      if (this.#running === running) this.#running = undefined
    })
    return this.#next
  }

  async #round(entries: ReadonlyMap<string, Entry>): Promise<Refused> {
    this.#next = undefined
    const gone = this.#goneOf(entries)
    const kept = [...entries].filter(([key]) => !gone.has(key))
    if (kept.length === 0) return gone
    try {
      const timeoutMs = this.#core.settings.requestTimeoutMs
      const positions = kept.map(([, { position }]) => position)
      const refused = await sendCommit(this.#core, this.#parts.asker(), positions, { timeoutMs })
      for (const [key, entry] of kept) if (!refused.has(key)) this.#kept(entry)
      if ([...refused.values()].some(isDoubtful)) this.#parts.doubt()
      return new Map([...gone, ...refused])
    } catch (error) {
      if (isMinikafkaError(error) && isDoubtful(error)) this.#parts.doubt()
      throw error
    }
  }

  /** Partitions that went while the round before was out: they may be back by now, and others may be further. */
  #goneOf(entries: ReadonlyMap<string, Entry>): Map<string, MinikafkaError> {
    const { feeds } = this.#parts
    const gone = [...entries].filter(([, { feed }]) => feeds.get(feed) !== feed)
    return new Map(gone.map(([key, { feed }]) => [key, notHeld(feed)]))
  }

  #kept({ feed, offset, readGeneration }: Entry): void {
    this.#committed++
    // After a seek it is where the reader went that has to be kept.
    if (feed.readGeneration === readGeneration) feed.committed = offset
  }
}

/** Finished and not kept. A commit by hand may be ahead of what is finished: that stands. */
export function dirtyOf(feeds: readonly Feed[]): Finished[] {
  const dirty: Finished[] = []
  for (const feed of feeds) {
    if (feed.start !== undefined || feed.topicId === '') continue
    const offset = feed.finishedTo
    if (offset >= 0 && offset > feed.committed) dirty.push({ feed, offset })
  }
  return dirty
}

/** A topic that is gone does not come back by asking. An epoch that is stale here is refreshed by a heartbeat. */
function isPassing({ name, retriable }: MinikafkaError): boolean {
  if (name === 'STALE_MEMBER_EPOCH') return true
  return retriable && name !== 'UNKNOWN_TOPIC_ID' && name !== 'UNKNOWN_TOPIC_OR_PARTITION'
}

function isDoubtful({ name }: MinikafkaError): boolean {
  return name === 'STALE_MEMBER_EPOCH' || name === 'UNKNOWN_MEMBER_ID'
}
