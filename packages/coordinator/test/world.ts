// A host in miniature: it commits what a machine decides at once, keeps the log as bytes, and ticks when it is time.
// Enters: requests, the passing of time, topics. Leaves: decisions; a machine that was loaded from the log.
import { MinikafkaError } from '@minikafka/protocol'
import {
  decodeGroupRecord,
  encodeGroupRecord,
  type GroupRecord,
  type GroupRequest,
  type GroupResponse,
  type GroupSettings,
  Groups,
  type TopicFacts,
} from '../src/index.ts'

type Kind = GroupRequest['kind']
type Encoded = { readonly key: Uint8Array; readonly value: Uint8Array | null }

export const SETTINGS: GroupSettings = {
  sessionTimeoutMs: 15_000,
  heartbeatIntervalMs: 3_000,
  assignmentIntervalMs: 1_000,
  membersMax: 1_000,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  assignors: ['sticky', 'range', 'roundrobin'],
}

export class MiniHost {
  settings: GroupSettings = SETTINGS
  readonly topics: Topics
  readonly log: Encoded[] = []
  groups: Groups
  nowMs = 0
  /** What is decided is not written, and nobody hears of it. */
  isFull = false

  constructor(topics = new Topics()) {
    this.topics = topics
    this.groups = this.#newGroups()
    this.groups.loaded(0)
  }

  ask<K extends Kind>(
    request: Extract<GroupRequest, { kind: K }>,
  ): { records: readonly GroupRecord[]; response: GroupResponse[K] } {
    const { records, response } = this.groups.handle<K>(request, this.nowMs)
    if (this.isFull && records.length > 0) throw new MinikafkaError('STORAGE_FULL')
    for (const record of records) {
      this.log.push(encodeGroupRecord(record))
      this.groups.replay(this.log.length - 1, record)
    }
    return { records, response }
  }

  /** Ticks fall due on the way. */
  advance(ms: number, ticked: (groupId: string, records: readonly GroupRecord[]) => void): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const due = this.groups
        .groupIds()
        .map((groupId) => ({ groupId, atMs: this.groups.wakeAt(groupId) ?? Infinity }))
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined || due.atMs > untilMs) break
      this.nowMs = due.atMs
      try {
        ticked(due.groupId, this.ask<'tick'>({ kind: 'tick', groupId: due.groupId }).records)
      } catch (error) {
        if (!this.isFull) throw error
        break
      }
    }
    this.nowMs = untilMs
  }

  /** Another coordinator takes over; `arrange` says what compaction left of the log, and in which order. */
  restart(arrange: (log: readonly Encoded[]) => readonly Encoded[] = (log) => log): number {
    const log = arrange(this.log)
    this.groups = this.#newGroups()
    for (const [offset, { key, value }] of log.entries()) {
      const record = decodeGroupRecord(key, value)
      if (record !== undefined) this.groups.replay(offset, record)
    }
    this.groups.loaded(this.nowMs)
    return log.length
  }

  #newGroups(): Groups {
    return new Groups(() => this.settings, this.topics)
  }
}

/** What compaction leaves: the last record of each key, without tombstones. */
export function compacted(log: readonly Encoded[]): Encoded[] {
  const last = new Map(log.map((record) => [Buffer.from(record.key).toString('latin1'), record]))
  return [...last.values()].filter(({ value }) => value !== null)
}

/** All records, those of each key in order, and one key after the other. */
export function keyByKey(log: readonly Encoded[]): Encoded[] {
  const byKey = new Map<string, Encoded[]>()
  for (const record of log) {
    const key = Buffer.from(record.key).toString('latin1')
    byKey.set(key, [...(byKey.get(key) ?? []), record])
  }
  return [...byKey.values()].flat()
}

export class Topics {
  readonly #byName = new Map<string, TopicFacts>()
  readonly #byId = new Map<string, TopicFacts>()
  readonly #idsEver = new Map<string, string>()
  readonly #namesEver = new Map<string, string>()
  /** Expressions that take too long by now. */
  readonly slow = new Set<string>()
  #made = 0

  /** Creates it, or makes it grow. */
  put(name: string, partitionCount: number): TopicFacts {
    const known = this.#byName.get(name)
    if (known === undefined) this.#made++
    const topicId = known?.topicId ?? `00000000-0000-4000-8000-${`${this.#made}`.padStart(12, '0')}`
    const facts = { name, topicId, partitionCount }
    this.#byName.set(name, facts)
    this.#byId.set(topicId, facts)
    this.#idsEver.set(name, topicId)
    this.#namesEver.set(topicId, name)
    return facts
  }

  delete(name: string): TopicFacts | undefined {
    const known = this.#byName.get(name)
    this.#byName.delete(name)
    if (known !== undefined) this.#byId.delete(known.topicId)
    return known
  }

  /** Also of topics that are gone: a story may go on about them. */
  idOf(name: string): string {
    const topicId = this.#idsEver.get(name)
    if (topicId === undefined) throw new Error(`there never was a topic ${name}`)
    return topicId
  }

  nameOf(topicId: string): string {
    return this.#namesEver.get(topicId) ?? topicId
  }

  byName(name: string): TopicFacts | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: string): TopicFacts | undefined {
    return this.#byId.get(topicId)
  }

  matching(expression: string): string[] {
    if (this.slow.has(expression)) throw tooSlow()
    const whole = compiled(expression)
    return [...this.#byName.keys()].filter((name) => whole.test(name)).sort()
  }
}

/** The host's are re2js; for what stories say the two are one. */
function compiled(expression: string): RegExp {
  try {
    return new RegExp(`^(?:${expression})$`)
  } catch (cause) {
    throw new MinikafkaError('INVALID_REGULAR_EXPRESSION', {}, { cause })
  }
}

function tooSlow(): MinikafkaError {
  const message = 'it takes too long: make it simpler'
  return new MinikafkaError('INVALID_REGULAR_EXPRESSION', { message })
}
