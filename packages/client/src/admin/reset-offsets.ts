// Sending a group elsewhere: while nobody is in it, for a member would commit over it.
// Enters: a point, a shift, or offsets. Leaves: what was committed, and what is now.
import { MinikafkaError } from '@minikafka/protocol'
import { type Deadline, invalidOption } from '../core/index.ts'
import { keyOf, outsider, sendCommit } from '../group/index.ts'
import type { NextOffset, OffsetSpec, TopicPartition } from '../words.ts'
import type { ResetOffset, ResetOffsets } from './group-types.ts'
import { byPlace, type Committed, committedOf, findGroup, waitOf } from './groups.ts'
import { lagsAt } from './lags.ts'
import { offsetsOf } from './offsets.ts'
import { checkPoint } from './point.ts'
import type { Requests } from './requests.ts'

const READ_COMMITTED = 1

/** A partition, where the group stands in it, and where it shall stand. */
type Move = TopicPartition & {
  readonly topicId: string
  readonly committed: number | undefined
  readonly nextOffset: number
}

/** Errors: NON_EMPTY_GROUP; OFFSET_OUT_OF_RANGE for an offset that is not in the log; INVALID_OPTION. */
export async function resetOffsets(
  requests: Requests,
  group: string,
  options: ResetOffsets,
  deadline: Deadline,
): Promise<ResetOffset[]> {
  checkTarget(options.to)
  await refuseActive(requests, group, deadline)
  const moves = await requests.retry(deadline, () => plan(requests, group, options, deadline))
  if (!options.dryRun)
    await requests.retry(deadline, () => commit(requests, group, moves, deadline))
  const places = moves.map((move) => ({ ...move, from: move.nextOffset }))
  const lags = await lagsAt(requests.core, READ_COMMITTED, places, deadline)
  return lags.map((lag) => {
    const move = moves.find((one) => one.topic === lag.topic && one.partition === lag.partition)
    return { ...lag, nextOffset: move?.nextOffset ?? 0 }
  })
}

function checkTarget(to: ResetOffsets['to']): void {
  const what = 'admin.resetOffsets'
  if (Array.isArray(to)) {
    for (const item of to as readonly NextOffset[]) {
      const { nextOffset } = item ?? {}
      if (!Number.isSafeInteger(nextOffset) || nextOffset < 0)
        throw invalidOption(`${what}: each item must be { topic, partition, nextOffset }`, 'to')
    }
  } else if (isShift(to)) {
    if (!Number.isSafeInteger(to.shift))
      throw invalidOption(`${what}: shift must be an integer`, 'to')
  } else checkPoint(what, to as OffsetSpec)
}

function isShift(to: ResetOffsets['to']): to is { readonly shift: number } {
  // An array has a method of that name.
  return typeof to === 'object' && !Array.isArray(to) && 'shift' in to
}

async function refuseActive(requests: Requests, group: string, deadline: Deadline): Promise<void> {
  const members = (await findGroup(requests, group, deadline))?.members ?? []
  if (members.length === 0) return
  const some = members.slice(0, 3).map(({ memberId, clientId }) => `${memberId} (${clientId})`)
  const more = members.length > some.length ? ' and others' : ''
  throw activeGroup(group, `it has ${members.length}: ${some.join(', ')}${more}`)
}

function activeGroup(group: string, why: string): MinikafkaError {
  const message = `group '${group}' has members, which would commit over it; stop them first (${why})`
  return new MinikafkaError('NON_EMPTY_GROUP', { message })
}

// --- where to --------------------------------------------------------------------------------------

async function plan(
  requests: Requests,
  group: string,
  { topics, to }: ResetOffsets,
  deadline: Deadline,
): Promise<Move[]> {
  const committed = await committedOf(requests, group, deadline)
  const explicit = Array.isArray(to) ? (to as readonly NextOffset[]) : undefined
  const named = topics ?? [...new Set((explicit ?? committed).map(({ topic }) => topic))]
  const moves = named.map((topic) => {
    const own = committed.filter((one) => one.topic === topic)
    const wanted = explicit?.filter((one) => one.topic === topic)
    const isWhole = topics !== undefined
    return planTopic(requests, topic, { own, wanted, to, isWhole }, deadline)
  })
  return (await Promise.all(moves)).flat().sort(byPlace)
}

async function planTopic(
  { core }: Requests,
  topic: string,
  where: {
    readonly own: readonly Committed[]
    readonly wanted: readonly NextOffset[] | undefined
    readonly to: ResetOffsets['to']
    /** All partitions of the topic, not only those with something committed. */
    readonly isWhole: boolean
  },
  deadline: Deadline,
): Promise<Move[]> {
  const { own, wanted, to, isWhole } = where
  const info = await core.metadata.topic(topic, { ...waitOf(deadline), create: false })
  const all = info.partitions.map(({ partition }) => partition)
  const partitions = wanted?.map(({ partition }) => partition) ?? (isWhole ? all : placesOf(own))
  const unknown = partitions.find((partition) => !all.includes(partition))
  if (unknown !== undefined) throw noSuchPartition(topic, unknown, all.length)
  const question = { topic: info, partitions }
  const [starts, ends] = await Promise.all([
    offsetsOf(core, question, 'earliest', deadline),
    offsetsOf(core, question, 'latest', deadline),
  ])
  const isPoint = wanted === undefined && !isShift(to)
  const points = isPoint ? await offsetsOf(core, question, to as OffsetSpec, deadline) : undefined
  return partitions.map((partition): Move => {
    const { topicId } = info
    const committed = own.find((one) => one.partition === partition)?.committed
    const range = { start: starts.get(partition) ?? 0, end: ends.get(partition) ?? 0 }
    const place = { topic, topicId, partition, committed }
    if (isShift(to)) return { ...place, nextOffset: shifted(place, to.shift, range) }
    const nextOffset =
      wanted?.find((one) => one.partition === partition)?.nextOffset ?? points?.get(partition) ?? 0
    if (nextOffset < range.start || nextOffset > range.end) throw outside(place, nextOffset, range)
    return { ...place, nextOffset }
  })
}

function placesOf(own: readonly Committed[]): number[] {
  return own.map(({ partition }) => partition)
}

type Range = { readonly start: number; readonly end: number }

/** Within the log: to shift beyond its ends is to mean the ends. */
function shifted(
  { topic, partition, committed }: Omit<Move, 'nextOffset'>,
  by: number,
  { start, end }: Range,
): number {
  if (committed !== undefined) return Math.min(end, Math.max(start, committed + by))
  const message = `${topic}-${partition}: nothing is committed there that could be shifted; give a point`
  throw new MinikafkaError('INVALID_OPTION', { topic, partition, message, path: 'to' })
}

function outside(
  { topic, partition }: TopicPartition,
  offset: number,
  { start, end }: Range,
): MinikafkaError {
  const message = `${topic}-${partition}: ${offset} is not in the log, which has ${start} to ${end}`
  const details = { logStartOffset: start, logEndOffset: end }
  return new MinikafkaError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, message, details })
}

function noSuchPartition(topic: string, partition: number, count: number): MinikafkaError {
  const message = `'${topic}' has ${count} partitions; there is no ${partition}`
  return new MinikafkaError('INVALID_OPTION', { message, topic, partition, path: 'to' })
}

// --- doing it --------------------------------------------------------------------------------------

async function commit(
  { core }: Requests,
  group: string,
  moves: readonly Move[],
  deadline: Deadline,
): Promise<void> {
  if (moves.length === 0) return
  const positions = moves.map(({ topicId, partition, nextOffset }) => {
    return { topicId, partition, offset: nextOffset, leaderEpoch: -1, metadata: null }
  })
  try {
    const refused = await sendCommit(core, outsider(group), positions, waitOf(deadline))
    const first = moves.find((move) => refused.has(keyOf(move)))
    if (first !== undefined) throw refused.get(keyOf(first))
  } catch (error) {
    // Somebody joined meanwhile.
    const isJoined = error instanceof MinikafkaError && error.name === 'UNKNOWN_MEMBER_ID'
    throw isJoined ? activeGroup(group, 'somebody joined just now') : error
  }
}
