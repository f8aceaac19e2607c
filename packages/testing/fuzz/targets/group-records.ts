// Records of groups as they stand in __consumer_offsets: keys and values that are cut, mixed up or made up.
// Holds: read or refused by name; the quick way for positions says what the slow one says; what was read can be written
// and read again; time, too.
import { isDeepStrictEqual } from 'node:util'
import { encodeMsgpack, isMinikafkaError } from '@minikafka/protocol'
import {
  decodeGroupRecord,
  encodeGroupRecord,
  type GroupRecord,
  GroupRecordReader,
} from '../../../coordinator/src/index.ts'
import type { Dice } from '../dice.ts'
import { linear } from '../linear.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'

const TOPIC_ID = '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a'
const UNKNOWN = 'unknown type'
/** Before the key stands its size; a value of the size 65,535 is a tombstone. */
const TOMBSTONE = 65_535

export const groupRecords: Target = {
  name: 'group-records',
  share: 40,
  sessionSize: 10_000,
  checkEvery: 10_000,
  rssBytesMax: 300 * 2 ** 20,
  seeds: async () => records().map((record) => inputOf(record)),
  generate,
  open: async () => session(),
}

function records(): GroupRecord[] {
  const groupId = 'group'
  const key = `${TOPIC_ID}:3`
  const position = { offset: 7, leaderEpoch: -1, metadata: 'words', commitTimestamp: 1.7e12 }
  const about = { instanceId: 'i', rackId: null, clientId: 'c', clientHost: '::1', regex: 'a.*' }
  const subscriber = { ...about, topics: ['a', 'b'], assignor: null, rebalanceTimeoutMs: 5 }
  const epoch = { groupEpoch: 2, metadataHash: 'ab12', atMs: 1.7e12, reason: 'm joined' }
  const current = { epoch: 2, previousEpoch: 1, state: 'unrevoked' } as const
  const held = { assigned: new Map([[key, 1]]), revoking: new Map([[`${TOPIC_ID}:4`, 1]]) }
  const memberId = 'member'
  return [
    { type: 'Offset', groupId, topicId: TOPIC_ID, partition: 3, value: position },
    { type: 'Offset', groupId, topicId: TOPIC_ID, partition: 3, value: null },
    { type: 'Group', groupId, value: epoch },
    { type: 'Member', groupId, memberId, value: subscriber },
    { type: 'Target', groupId, value: { targetEpoch: 2 } },
    { type: 'TargetMember', groupId, memberId, value: new Set([key]) },
    { type: 'Current', groupId, memberId, value: { ...current, ...held } },
  ]
}

function inputOf(record: GroupRecord): Buffer {
  const { key, value } = encodeGroupRecord(record)
  return join(key, value)
}

function join(key: Uint8Array, value: Uint8Array | null): Buffer {
  const sizes = Buffer.alloc(4)
  sizes.writeUInt16BE(key.length)
  sizes.writeUInt16BE(value?.length ?? TOMBSTONE, 2)
  return Buffer.concat([sizes, key, value ?? Buffer.alloc(0)])
}

function split(input: Buffer): { key: Buffer; value: Buffer | null } {
  if (input.length < 4) return { key: input, value: null }
  const keyEnd = Math.min(4 + input.readUInt16BE(), input.length)
  const isTombstone = input.readUInt16BE(2) === TOMBSTONE
  return { key: input.subarray(4, keyEnd), value: isTombstone ? null : input.subarray(keyEnd) }
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const { key, value } = split(dice.pick(seeds))
  const other = split(dice.pick(seeds))
  const bodies = seeds.map((seed) => seed.subarray(4))
  if (dice.chance(0.2)) return join(key, other.value)
  if (dice.chance(0.2)) return join(encodeMsgpack(madeUp(dice, 3)), value)
  if (dice.chance(0.4)) return join(key, encodeMsgpack([0, ...(madeUp(dice, 3) as unknown[])]))
  if (dice.chance(0.5)) return join(mutate(key, dice, bodies).subarray(0, TOMBSTONE - 1), value)
  return join(key, value && mutate(value, dice, bodies).subarray(0, TOMBSTONE - 1))
}

/** A list of anything that msgpack can say. */
function madeUp(dice: Dice, depth: number): unknown {
  return Array.from({ length: dice.below(7) }, () => {
    const kinds = [
      () => dice.below(10),
      () => -dice.below(2 ** 31),
      () => 2 ** dice.below(60) + dice.below(3) - 1,
      () => dice.below(100) / 7,
      () => null,
      () => dice.chance(0.5),
      () => 'x'.repeat(dice.below(300)),
      () => TOPIC_ID,
      () => ({ __proto__: null, constructor: 1 }),
      () => (depth > 0 ? madeUp(dice, depth - 1) : []),
    ]
    return dice.pick(kinds)()
  })
}

function session(): Session {
  const reader = new GroupRecordReader()
  return {
    feed: (input) => linear(input, () => feed(input, reader)),
    check: async () => {},
    close: async () => {},
  }
}

function feed(input: Buffer, reader: GroupRecordReader): string {
  const { key, value } = split(input)
  const slow = outcome(() => decodeGroupRecord(key, value))
  const quick = outcome(() => reader.read(key, value))
  if (!isDeepStrictEqual(slow, quick)) throw new Finding('a position is read in two ways')
  if (typeof slow === 'string') return slow
  const again = encodeGroupRecord(slow)
  if (!isDeepStrictEqual(decodeGroupRecord(again.key, again.value), slow))
    throw new Finding('a record is another one after it was written and read')
  return ACCEPTED
}

function outcome(read: () => GroupRecord | undefined): GroupRecord | string {
  try {
    return read() ?? UNKNOWN
  } catch (error) {
    if (isMinikafkaError(error) && error.name === 'INVALID_RECORD') return error.name
    throw error
  }
}
