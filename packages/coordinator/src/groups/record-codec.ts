// Group records in bytes: key and value are msgpack arrays; the key begins with the type, the value with its version.
//
//   Offset        key [1, group, topicId, partition]   value [0, offset, leaderEpoch, metadata, commitTimestamp]
//   Group         key [3, group]                       value [0, groupEpoch, metadataHash, atMs, reason]
//   Member        key [5, group, memberId]             value [0, instanceId, rackId, clientId, clientHost, topics,
//                                                             regex, assignor, rebalanceTimeoutMs]
//   Target        key [6, group]                       value [0, targetEpoch]
//   TargetMember  key [7, group, memberId]             value [0, partitions]
//   Current       key [8, group, memberId]             value [0, epoch, previousEpoch, state, assigned, revoking]
//
// partitions: [topicId, [number, ...], ...]; with assignment epochs: [topicId, [number, epoch, ...], ...]; state: 0, 1, 2.
// The types are Kafka's numbers (REPLICATION 2.13.6). A newer version may only add items at the end of a value.
import { decodeMsgpack, encodeMsgpack, MinikafkaError } from '@minikafka/protocol'
import { byTopic, partitionKey } from './partitions.ts'
import type {
  Current,
  Epoch,
  GroupRecord,
  Holdings,
  MemberState,
  Position,
  Subscriber,
  Target,
} from './records.ts'

const VERSION = 0
const STATES: readonly MemberState[] = ['stable', 'unrevoked', 'unreleased']

export type EncodedGroupRecord = { readonly key: Uint8Array; readonly value: Uint8Array | null }

export function encodeGroupRecord(record: GroupRecord): EncodedGroupRecord {
  const value = valueItems(record)
  return {
    key: encodeMsgpack(keyItems(record)),
    value: value === null ? null : encodeMsgpack([VERSION, ...value]),
  }
}

/**
 * The record of a key and a value, null being a tombstone. Undefined: of a type that this version does not know.
 *
 * Errors  INVALID_RECORD where the bytes are no record of ours: nothing may be guessed about a group.
 */
export function decodeGroupRecord(
  key: Uint8Array,
  value: Uint8Array | null,
): GroupRecord | undefined {
  const [type, ...names] = items(key, 'the key')
  const fields = value === null ? null : items(value, 'the value').slice(1)
  return recordOf(type, names, fields)
}

function keyItems(record: GroupRecord): unknown[] {
  switch (record.type) {
    case 'Offset':
      return [1, record.groupId, record.topicId, record.partition]
    case 'Group':
      return [3, record.groupId]
    case 'Member':
      return [5, record.groupId, record.memberId]
    case 'Target':
      return [6, record.groupId]
    case 'TargetMember':
      return [7, record.groupId, record.memberId]
    case 'Current':
      return [8, record.groupId, record.memberId]
  }
}

function valueItems(record: GroupRecord): unknown[] | null {
  if (record.value === null) return null
  switch (record.type) {
    case 'Offset': {
      const { offset, leaderEpoch, metadata, commitTimestamp } = record.value
      return [offset, leaderEpoch, metadata, commitTimestamp]
    }
    case 'Group': {
      const { groupEpoch, metadataHash, atMs, reason } = record.value
      return [groupEpoch, metadataHash, atMs, reason]
    }
    case 'Member':
      return subscriberItems(record.value)
    case 'Target':
      return [record.value.targetEpoch]
    case 'TargetMember':
      return [byTopic(record.value).flatMap(({ topicId, partitions }) => [topicId, partitions])]
    case 'Current': {
      const { epoch, previousEpoch, state, assigned, revoking } = record.value
      const held = [holdingItems(assigned), holdingItems(revoking)]
      return [epoch, previousEpoch, STATES.indexOf(state), ...held]
    }
  }
}

function subscriberItems(member: Subscriber): unknown[] {
  const { instanceId, rackId, clientId, clientHost, topics, regex, assignor } = member
  return [
    instanceId,
    rackId,
    clientId,
    clientHost,
    topics,
    regex,
    assignor,
    member.rebalanceTimeoutMs,
  ]
}

function holdingItems(holdings: Holdings): unknown[] {
  return byTopic(holdings.keys()).flatMap(({ topicId, partitions }) => [
    topicId,
    partitions.flatMap((number) => [number, holdings.get(partitionKey(topicId, number))]),
  ])
}

// --- reading -----------------------------------------------------------------------------------

type Items = readonly unknown[]

function recordOf(type: unknown, names: Items, value: Items | null): GroupRecord | undefined {
  const groupId = (): string => string(names[0], 'group')
  const memberId = (): string => string(names[1], 'member')
  switch (type) {
    case 1:
      return {
        type: 'Offset',
        groupId: groupId(),
        topicId: string(names[1], 'topic id'),
        partition: integer(names[2], 'partition'),
        value: value && position(value),
      }
    case 3:
      return { type: 'Group', groupId: groupId(), value: value && epoch(value) }
    case 5:
      return {
        type: 'Member',
        groupId: groupId(),
        memberId: memberId(),
        value: value && subscriber(value),
      }
    case 6: {
      const target = value && { targetEpoch: integer(value[0], 'target epoch') }
      return { type: 'Target', groupId: groupId(), value: target }
    }
    case 7: {
      const target = value && partitionSet(value[0])
      return { type: 'TargetMember', groupId: groupId(), memberId: memberId(), value: target }
    }
    case 8:
      return {
        type: 'Current',
        groupId: groupId(),
        memberId: memberId(),
        value: value && current(value),
      }
    default:
      return undefined
  }
}

function position(value: Items): Position {
  return {
    offset: integer(value[0], 'offset'),
    leaderEpoch: integer(value[1], 'leader epoch'),
    metadata: nullableString(value[2], 'metadata'),
    commitTimestamp: integer(value[3], 'time of the commit'),
  }
}

function epoch(value: Items): Epoch {
  return {
    groupEpoch: integer(value[0], 'group epoch'),
    metadataHash: string(value[1], 'metadata hash'),
    atMs: integer(value[2], 'time'),
    reason: string(value[3], 'reason'),
  }
}

function subscriber(value: Items): Subscriber {
  return {
    instanceId: nullableString(value[0], 'instance id'),
    rackId: nullableString(value[1], 'rack'),
    clientId: string(value[2], 'client id'),
    clientHost: string(value[3], 'client host'),
    topics: array(value[4], 'topics').map((name) => string(name, 'topic')),
    regex: string(value[5], 'expression'),
    assignor: nullableString(value[6], 'assignor'),
    rebalanceTimeoutMs: integer(value[7], 'rebalance timeout'),
  }
}

function current(value: Items): Current {
  const state = STATES[integer(value[2], 'state')]
  if (state === undefined) throw invalid('state', value[2])
  return {
    epoch: integer(value[0], 'member epoch'),
    previousEpoch: integer(value[1], 'previous epoch'),
    state,
    assigned: holdings(value[3]),
    revoking: holdings(value[4]),
  }
}

function partitionSet(value: unknown): Target {
  const partitions = new Set<string>()
  for (const [topicId, numbers] of topicsIn(value)) {
    for (const number of numbers)
      partitions.add(partitionKey(topicId, integer(number, 'partition')))
  }
  return partitions
}

function holdings(value: unknown): Holdings {
  const held = new Map<string, number>()
  for (const [topicId, numbers] of topicsIn(value)) {
    for (let index = 0; index < numbers.length; index += 2) {
      const key = partitionKey(topicId, integer(numbers[index], 'partition'))
      held.set(key, integer(numbers[index + 1], 'assignment epoch'))
    }
  }
  return held
}

function* topicsIn(value: unknown): Generator<[string, Items]> {
  const list = array(value, 'partitions')
  for (let index = 0; index < list.length; index += 2) {
    yield [string(list[index], 'topic id'), array(list[index + 1], 'partition numbers')]
  }
}

function items(bytes: Uint8Array, what: string): Items {
  let value: unknown
  try {
    value = decodeMsgpack(bytes)
  } catch (cause) {
    throw new MinikafkaError('INVALID_RECORD', { message: `${what} is not msgpack` }, { cause })
  }
  return array(value, what)
}

function array(value: unknown, what: string): Items {
  if (!Array.isArray(value)) throw invalid(what, value)
  return value
}

function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(what, value)
  return value
}

function nullableString(value: unknown, what: string): string | null {
  return value === null ? null : string(value, what)
}

function integer(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw invalid(what, value)
  return value as number
}

function invalid(what: string, value: unknown): MinikafkaError {
  const message = `a record of a group is not as it should be: ${what} is ${typeof value}`
  return new MinikafkaError('INVALID_RECORD', { message })
}
