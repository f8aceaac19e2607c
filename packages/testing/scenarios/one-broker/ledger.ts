// What truly happened: every record that was sent, how it ended, and what was read where. The judge compares with it.
// Enters: news from the clients and the nemesis. Leaves: what must be in a log, what may be, and what must not.
import type { PartitionFacts } from 'minikafka-broker'
import { Violation } from '../stage/violation.ts'
import { Chronicle } from './chronicle.ts'
import type { Plan } from './plan.ts'
import { recordOf } from './producer-plans.ts'
import type { TopicPlan } from './topic-plans.ts'

export type Sent = {
  readonly id: string
  readonly topic: string
  /** Sends of one producer, in order. */
  readonly number: number
  readonly producer: string
  readonly idempotent: boolean
  readonly sentMs: number
  /** `maybe`: its outcome is unknown. */
  state: 'open' | 'acked' | 'maybe' | 'not-written'
  settledMs: number
  partition: number
  /** -1: nobody said. */
  offset: number
}

/** As somebody found it. */
export type Found = {
  /** The name that its value begins with; empty: it has none, and nobody sent it. */
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** A power cut, and how far a partition without group commit was on the disk then. */
type Cut = { readonly atMs: number; readonly durable: ReadonlyMap<number, number> }

export class TopicLife {
  readonly plan: TopicPlan
  /** Somebody deleted records, or retention may. */
  mayShrink: boolean
  /** The last time that somebody began to delete it, and when its successor was there. */
  deletedMs = Number.NEGATIVE_INFINITY
  madeMs = Number.NEGATIVE_INFINITY
  readonly cuts: Cut[] = []

  constructor(plan: TopicPlan, mayShrink: boolean) {
    this.plan = plan
    const { config } = plan
    const retentionMs = Number(config['retention.ms'] ?? -1)
    const isShort = retentionMs >= 0 && retentionMs < 3_600_000
    this.mayShrink = mayShrink || 'retention.bytes' in config || isShort
  }

  /** Offsets below survived everything so far. */
  lossFloor(partition: number): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...this.cuts.map(({ durable }) => durable.get(partition) ?? 0),
    )
  }

  /** A power cut may have taken it, and that is what its flush policy says. */
  mayBeLost({ partition, offset, sentMs }: Sent): boolean {
    return this.cuts.some(
      ({ atMs, durable }) => sentMs <= atMs && offset >= (durable.get(partition) ?? 0),
    )
  }
}

export class Ledger {
  readonly sent = new Map<string, Sent>()
  readonly topics = new Map<string, TopicLife>()
  /** What was read, by `topic-partition`, by offset. */
  readonly #reads = new Map<string, Map<number, string>>()
  readonly #now: () => number
  readonly chronicle: Chronicle
  ackedCount = 0
  readCount = 0
  /** Called at each acknowledgement. */
  readonly onAck = new Set<() => void>()

  constructor({ topics, faults }: Plan, now: () => number) {
    const kinds = faults.map(({ kind }) => kind)
    const jumps = kinds.includes('clock-jump')
    for (const plan of topics) {
      // A full disk makes retention look each second, and believe a clock that was set; and the broker's own clock may have
      // stamped records with a time long past.
      const isStamped = plan.config['message.timestamp.type'] === 'LogAppendTime'
      const mayShrink = jumps && (kinds.includes('fill') || isStamped)
      this.topics.set(plan.name, new TopicLife(plan, mayShrink))
    }
    this.#now = now
    this.chronicle = new Chronicle(now)
  }

  life(topic: string): TopicLife {
    const life = this.topics.get(topic)
    if (life === undefined) throw new Violation('phantom', `a record of a topic ${topic}`)
    return life
  }

  // --- what producers tell -------------------------------------------------------------------

  sends(about: {
    id: string
    topic: string
    number: number
    producer: string
    idempotent: boolean
  }): Sent {
    const sent: Sent = {
      ...about,
      sentMs: this.#now(),
      state: 'open',
      settledMs: Number.NaN,
      partition: -1,
      offset: -1,
    }
    this.sent.set(about.id, sent)
    this.chronicle.sends(sent)
    return sent
  }

  acked(sent: Sent, partition: number, offset: number | undefined): void {
    sent.state = offset === undefined ? 'maybe' : 'acked'
    sent.settledMs = this.#now()
    sent.partition = partition
    sent.offset = offset ?? -1
    this.chronicle.settles(sent)
    if (offset === undefined) return
    this.ackedCount++
    for (const listener of [...this.onAck]) listener()
  }

  failed(sent: Sent, isDefinite: boolean): void {
    sent.state = isDefinite ? 'not-written' : 'maybe'
    sent.settledMs = this.#now()
    this.chronicle.settles(sent)
  }

  // --- what the nemesis tells ----------------------------------------------------------------

  /** What was not synced may be gone, where nobody promised more. */
  powerCut(facts: readonly PartitionFacts[]): void {
    for (const [name, life] of this.topics) {
      if (life.plan.flush === 'group') continue
      const own = facts.filter(({ topic }) => topic === name)
      const durable = new Map(own.map((one) => [one.partition, one.durableEndOffset]))
      life.cuts.push({ atMs: this.#now(), durable })
    }
  }

  // --- what readers tell ---------------------------------------------------------------------

  /** A consumer was given this record. Throws what is wrong with it. */
  read(found: Found): void {
    this.readCount++
    const sent = this.check(found)
    const { topic, partition, offset } = found
    const reads = this.readsOf(topic, partition)
    const before = reads.get(offset)
    reads.set(offset, sent.id)
    if (before === undefined || before === sent.id || !this.#isStable(found)) return
    throw new Violation(
      'I6',
      `${nameOf(found)} was ${before} when it was first read, now it is ${sent.id}`,
    )
  }

  readsOf(topic: string, partition: number): Map<number, string> {
    const key = `${topic}-${partition}`
    const reads = this.#reads.get(key) ?? new Map<number, string>()
    this.#reads.set(key, reads)
    return reads
  }

  /** Nothing promised ever takes back what was at this offset. */
  #isStable({ topic, partition, offset }: Found): boolean {
    const life = this.life(topic)
    return (
      life.madeMs === Number.NEGATIVE_INFINITY &&
      life.deletedMs === Number.NEGATIVE_INFINITY &&
      offset < life.lossFloor(partition)
    )
  }

  /** Somebody sent it, to this topic, with these bytes, and was not told that it is not there. */
  check(found: Found): Sent {
    const { id } = found
    const sent = this.sent.get(id)
    if (sent === undefined)
      throw new Violation(
        'phantom',
        `${nameOf(found)} holds ${JSON.stringify(found.value.slice(0, 60))}, which nobody sent`,
      )
    if (sent.topic !== found.topic)
      throw new Violation(
        'phantom',
        `${nameOf(found)} holds ${id}, which was sent to ${sent.topic}`,
      )
    const { key, value, headers } = recordOf(id, sent.topic)
    if (
      found.value !== value ||
      found.key !== key ||
      JSON.stringify(found.headers) !== JSON.stringify(headers)
    )
      throw new Violation(
        'bytes',
        `${nameOf(found)} holds ${id} with other bytes than were sent: key ${found.key}, value ${JSON.stringify(found.value.slice(0, 80))}, headers ${JSON.stringify(found.headers)}`,
      )
    if (sent.state === 'not-written')
      throw new Violation(
        'I11',
        `${nameOf(found)} holds ${id}, of which its producer was told that it is not written`,
      )
    if (
      sent.state === 'acked' &&
      (sent.partition !== found.partition || sent.offset !== found.offset) &&
      sent.idempotent
    )
      throw new Violation(
        'duplicate',
        `${id} is at ${nameOf(found)}, and was acknowledged at ${sent.partition} @ ${sent.offset}`,
      )
    return sent
  }
}

export function nameOf({
  topic,
  partition,
  offset,
}: {
  topic: string
  partition: number
  offset: number
}): string {
  return `${topic}-${partition} @ ${offset}`
}
