// Points of partitions as offsets. Enters: a topic and an OffsetSpec. Leaves: an offset of each partition.
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { errorOf } from '../answers.ts'
import type { Core, Deadline, TopicInfo } from '../core/index.ts'
import type { OffsetSpec } from '../words.ts'

const LATEST = -1
const EARLIEST = -2
const READ_COMMITTED = 1

/** An offset, or why there is none. */
export type Found = ReadonlyMap<number, number | MinikafkaError>

type Question = {
  readonly topic: TopicInfo
  readonly partitions: readonly number[]
  /** As in Fetch. Default 1: the latest is the last stable offset. */
  readonly isolation?: number | undefined
}

/** Asks each leader once, for all its partitions. Errors: of the first partition that has one. */
export async function offsetsOf(
  core: Core,
  question: Question,
  at: OffsetSpec,
  deadline: Deadline,
): Promise<ReadonlyMap<number, number>> {
  const offsets = new Map<number, number>()
  for (const [partition, found] of await findOffsets(core, question, at, deadline)) {
    if (typeof found !== 'number') throw found
    offsets.set(partition, found)
  }
  return offsets
}

/** The same where each partition stands for itself. Errors: of the deadline's signal. */
export async function findOffsets(
  core: Core,
  question: Question,
  at: OffsetSpec,
  deadline: Deadline,
): Promise<Found> {
  if (typeof at === 'number')
    return new Map(question.partitions.map((partition) => [partition, at]))
  const ask = (timestamp: number) => askLeaders(core, question, timestamp, deadline)
  if (at === 'earliest') return ask(EARLIEST)
  if (at === 'latest') return ask(LATEST)
  if ('timestamp' in at) {
    const found = await ask(at.timestamp)
    // No record that late: the end.
    if (![...found.values()].includes(-1)) return found
    return combine(found, await ask(LATEST), (offset, end) => (offset < 0 ? end : offset))
  }
  const [starts, ends] = await Promise.all([ask(EARLIEST), ask(LATEST)])
  return combine(starts, ends, (start, end) => Math.max(start, end - at.last))
}

function combine(left: Found, right: Found, merge: (a: number, b: number) => number): Found {
  const merged = new Map<number, number | MinikafkaError>()
  for (const [partition, a] of left) {
    const b = right.get(partition) ?? missing(partition)
    if (typeof a !== 'number') merged.set(partition, a)
    else merged.set(partition, typeof b === 'number' ? merge(a, b) : b)
  }
  return merged
}

async function askLeaders(
  core: Core,
  question: Question,
  timestamp: number,
  deadline: Deadline,
): Promise<Found> {
  const { topic, partitions } = question
  const byLeader = new Map<number, number[]>()
  for (const partition of partitions) {
    const leaderId = topic.partitions[partition]?.leaderId ?? -1
    const led = byLeader.get(leaderId)
    if (led) led.push(partition)
    else byLeader.set(leaderId, [partition])
  }
  const answers = [...byLeader].map(([leaderId, led]) =>
    askLeader(core, leaderId, { ...question, partitions: led }, timestamp, deadline),
  )
  return new Map((await Promise.all(answers)).flatMap((answer) => [...answer]))
}

async function askLeader(
  core: Core,
  leaderId: number,
  { topic, partitions, isolation = READ_COMMITTED }: Question,
  timestamp: number,
  deadline: Deadline,
): Promise<Found> {
  const all = (error: MinikafkaError): Found => new Map(partitions.map((n) => [n, error]))
  if (leaderId < 0) return all(new MinikafkaError('LEADER_NOT_AVAILABLE', { topic: topic.name }))
  const wanted = partitions.map((partition) => {
    const { leaderEpoch = -1 } = topic.partitions[partition] ?? {}
    return { topicId: topic.topicId, partition, leaderEpoch, timestamp }
  })
  const wait = { timeoutMs: Math.max(1, deadline.leftMs), signal: deadline.signal }
  try {
    const request = { isolation, partitions: wanted }
    const { results } = await core.call('listOffsets', request, { to: leaderId, ...wait })
    const found = new Map<number, number | MinikafkaError>(partitions.map((n) => [n, missing(n)]))
    for (const result of results) {
      const { partition, offset } = result
      found.set(partition, errorOf(result, { topic: topic.name, partition }) ?? offset)
    }
    return found
  } catch (error) {
    if (deadline.signal?.aborted || !isMinikafkaError(error)) throw error
    return all(error)
  }
}

function missing(partition: number): MinikafkaError {
  const message = `ListOffsets was answered without partition ${partition}`
  return new MinikafkaError('PROTOCOL_VIOLATION', { partition, message })
}
