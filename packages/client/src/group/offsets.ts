// Where a group stands, on the wire: asked for and kept.
// Enters: partitions by topic id. Leaves: offsets, or the error of each; what is wrong with all of them is thrown.
import type { Apis, MinikafkaError, ResponseOf } from '@minikafka/protocol'
import { errorOf } from '../answers.ts'
import type { Core, Deadline } from '../core/index.ts'
import { traceCommit } from './channels.ts'
import { keyOf, type Place } from './holding.ts'

/** Who asks: a member, or somebody outside the group. */
export type Asker = {
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
}

export type CommitPosition = Place & {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** An OffsetFetch and an OffsetCommit name at most so many partitions. */
const PARTITIONS_MAX = 10_000

export function outsider(groupId: string): Asker {
  return { groupId, memberId: '', memberEpoch: -1, instanceId: null }
}

/** By `keyOf`: the next offset, undefined where nothing is committed, or why it is not known. */
export async function fetchCommitted(
  core: Core,
  asker: Asker,
  places: readonly Place[],
  deadline: Deadline,
): Promise<Map<string, number | undefined | MinikafkaError>> {
  const found = new Map<string, number | undefined | MinikafkaError>()
  for (const some of chunks(places, PARTITIONS_MAX)) {
    const partitions = some.map(({ topicId, partition }) => ({ topicId, partition }))
    for (const result of await ask(core, asker, partitions, deadline)) {
      found.set(keyOf(result), errorOf(result) ?? committedOf(result.offset))
    }
  }
  return found
}

/** Every position that the group has. */
export async function fetchAllCommitted(
  core: Core,
  groupId: string,
  deadline: Deadline,
): Promise<(Place & { readonly offset: number })[]> {
  const results = await ask(core, outsider(groupId), null, deadline)
  return results
    .filter(({ errorCode, offset }) => errorCode === 0 && offset >= 0)
    .map(({ topicId, partition, offset }) => ({ topicId, partition, offset }))
}

async function ask(
  core: Core,
  { groupId, memberId, memberEpoch }: Asker,
  partitions: readonly Place[] | null,
  deadline: Deadline,
): Promise<ResponseOf<Apis['offsetFetch']>['results']> {
  const who = { groupId, memberId: memberId === '' ? null : memberId, memberEpoch }
  const request = { ...who, requireStable: true, partitions: partitions && [...partitions] }
  const wait = { timeoutMs: Math.max(1, deadline.leftMs), signal: deadline.signal }
  const { results } = await core.coordinators.ask('offsetFetch', groupId, request, wait)
  return results
}

function committedOf(offset: number): number | undefined {
  return offset < 0 ? undefined : offset
}

/** By `keyOf`: why it was not kept. */
export async function sendCommit(
  core: Core,
  asker: Asker,
  positions: readonly CommitPosition[],
  wait: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Map<string, MinikafkaError>> {
  const refused = new Map<string, MinikafkaError>()
  for (const some of chunks(positions, PARTITIONS_MAX)) {
    const request = { ...asker, positions: some }
    const about = () => ({
      group: asker.groupId,
      memberId: asker.memberId,
      partitionCount: some.length,
    })
    const { results } = await traceCommit(
      () => core.coordinators.ask('offsetCommit', asker.groupId, request, wait),
      about,
    )
    for (const result of results) {
      const error = errorOf(result)
      if (error !== undefined) refused.set(keyOf(result), error)
    }
  }
  return refused
}

function chunks<T>(items: readonly T[], sizeMax: number): T[][] {
  const count = Math.ceil(items.length / sizeMax)
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * sizeMax, (index + 1) * sizeMax),
  )
}
