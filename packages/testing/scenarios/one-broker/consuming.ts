// One consumer at work: it polls, seeks now and then, and begins anew where it is refused.
// Enters: its plan. Leaves: everything it was given, in the ledger.
import { type AnyRecord, type Client, type Consumer, isMinikafkaError } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import { Violation } from '../stage/violation.ts'
import type { ConsumerPlan } from './client-plans.ts'
import { type Found, nameOf } from './ledger.ts'
import { idOf } from './producer-plans.ts'
import type { Stage } from './stage.ts'
import { isCompacted } from './topic-plans.ts'

const RETRY_MS = 300
/** No topic of a run has more. */
const PARTITIONS_MAX = 24

/** Resolves when it has read to the end after the faults, and is closed. */
export async function consume(stage: Stage, plan: ConsumerPlan): Promise<void> {
  const client = openClient(stage, plan.name, plan.requestTimeoutMs)
  const reader = new Reader(stage, plan, client)
  while (!reader.isDone()) await reader.turn()
  await client.close()
}

class Reader {
  readonly #stage: Stage
  readonly #plan: ConsumerPlan
  readonly #client: Client
  readonly #dice: Dice
  #consumer: Consumer<string> | undefined
  /** The offset that follows what was given last, by partition. */
  readonly #next = new Map<number, number>()

  constructor(stage: Stage, plan: ConsumerPlan, client: Client) {
    this.#stage = stage
    this.#plan = plan
    this.#client = client
    this.#dice = new Dice(stage.plan.seed, `consuming ${plan.name}`)
  }

  /** After the faults: nothing is left to read. */
  isDone(): boolean {
    const { daemon, isHealing, plan } = this.#stage
    // What has rotted is never read: a reader stops there, as it is told.
    if (plan.rots && isHealing()) return true
    const facts = daemon.broker?.partitions()
    if (!isHealing() || facts === undefined || this.#consumer === undefined) return false
    const assigned = this.#consumer.assignment()
    return facts.every(({ topic, partition, highWatermark }) => {
      if (topic !== this.#plan.topic) return true
      if (this.#plan.partitions?.includes(partition) === false) return true
      if (!assigned.some((one) => one.partition === partition)) return false
      return (this.#consumer?.nextOffset({ topic, partition }) ?? -1) >= highWatermark
    })
  }

  async turn(): Promise<void> {
    const { world, timeline, isHealing } = this.#stage
    try {
      this.#consumer ??= this.#begin()
      const records = await this.#consumer.poll({ max: this.#plan.pollMax, maxWaitMs: 200 })
      const found = records.map((record) => foundOf(record as AnyRecord))
      if (found.length > 0) this.#stage.ledger.chronicle.polls(this.#plan.name, found)
      for (const one of found) this.#take(one)
      timeline.count('read', records.length)
      if (isHealing()) return
      const { pollsPerSeek } = this.#plan
      if (pollsPerSeek > 0 && this.#dice.below(pollsPerSeek) === 0) await this.#seek(this.#consumer)
      await sleep(world.clock, this.#dice.waitMs(this.#plan.meanMs))
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      timeline.add(this.#plan.name, `${error.name}: ${error.message.slice(0, 120)}`)
      await this.#consumer?.close()
      this.#consumer = undefined
      await sleep(world.clock, RETRY_MS)
    }
  }

  #begin(): Consumer<string> {
    const { topic, partitions, start, tuning } = this.#plan
    this.#next.clear()
    this.#moves(Array.from({ length: PARTITIONS_MAX }, (_, partition) => partition))
    if (partitions === undefined)
      return this.#client.consumer({ topics: [topic], start, ...tuning })
    const assign = partitions.map((partition) => ({ topic, partition, start }))
    return this.#client.consumer({ assign, ...tuning })
  }

  async #seek(consumer: Consumer<string>): Promise<void> {
    const assigned = consumer.assignment()
    if (assigned.length === 0) return
    const at = this.#dice.pick(assigned)
    const to = this.#dice.chance(0.5) ? 'earliest' : { last: this.#dice.below(50) }
    this.#next.delete(at.partition)
    this.#moves([at.partition])
    await consumer.seek(at, to, { timeoutMs: 5000 })
    this.#next.delete(at.partition)
  }

  #take(found: Found): void {
    const { partition, offset } = found
    const expected = this.#next.get(partition)
    this.#next.set(partition, offset + 1)
    this.#stage.ledger.read(found)
    if (expected === undefined || expected === offset) return
    if (this.#maySkip()) return
    if (offset > expected && isCompacted(this.#plan.topic)) return
    const oracle = offset < expected ? 'nonmonotonic-poll' : 'poll-skip'
    throw new Violation(
      oracle,
      `${this.#plan.name} was given ${nameOf(found)} where ${expected} follows`,
    )
  }

  #moves(partitions: readonly number[]): void {
    const names = partitions.map((partition) => `${this.#plan.topic}-${partition}`)
    this.#stage.ledger.chronicle.moves(this.#plan.name, names)
  }

  /** Records were deleted or lost as somebody wished, or the topic is another one. */
  #maySkip(): boolean {
    const life = this.#stage.ledger.life(this.#plan.topic)
    return life.mayShrink || life.cuts.length > 0 || life.deletedMs > Number.NEGATIVE_INFINITY
  }
}

function foundOf(record: AnyRecord): Found {
  const { topic, partition, offset, key, value, headers } = record
  return {
    id: idOf(String(value)),
    topic,
    partition,
    offset,
    key: key === null ? null : String(key),
    value: String(value),
    headers: Object.fromEntries([...headers].map(([name, part]) => [name, String(part)])),
  }
}
