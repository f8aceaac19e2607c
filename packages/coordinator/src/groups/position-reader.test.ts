import { encodeMsgpack } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { GroupRecordReader } from './position-reader.ts'
import { decodeGroupRecord, encodeGroupRecord } from './record-codec.ts'
import type { GroupRecord } from './records.ts'

const topicId = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'

function offsetRecord(groupId: string, value: object | null, partition = 0): GroupRecord {
  const position = { offset: 1, leaderEpoch: 0, metadata: null, commitTimestamp: 5, ...value }
  return { type: 'Offset', groupId, topicId, partition, value: value && position }
}

test.each<[string, GroupRecord]>([
  ['small numbers', offsetRecord('g', {})],
  ['a tombstone', offsetRecord('g', null)],
  ['large numbers', offsetRecord('g', { offset: 2 ** 53 - 1, commitTimestamp: 1.7e12 }, 70_000)],
  ['no leader epoch', offsetRecord('g', { leaderEpoch: -1 })],
  ['bytes at every bound', offsetRecord('g', { offset: 255, leaderEpoch: 65_535 }, 128)],
  ['a negative number that is no short one', offsetRecord('g', { leaderEpoch: -1_000 })],
  ['words', offsetRecord('g', { metadata: 'shard 7' })],
  ['long words', offsetRecord('g', { metadata: 'm'.repeat(4_000) })],
  ['a name beyond ASCII', offsetRecord('größe-🙂', { metadata: '' })],
  ['a long name', offsetRecord('g'.repeat(255), {})],
  ['a very long name', offsetRecord('g'.repeat(1_000), {})],
  ['another type', { type: 'Target', groupId: 'g', value: { targetEpoch: 3 } }],
])('a record with %s is read as the slow way reads it', (_, record) => {
  const reader = new GroupRecordReader()
  const { key, value } = encodeGroupRecord(record)
  expect(reader.read(key, value)).toEqual(decodeGroupRecord(key, value))
  // What is kept of names is theirs.
  expect(reader.read(Uint8Array.from(key), value)).toEqual(record)
})

test('the memory of a record may be used again', () => {
  const reader = new GroupRecordReader()
  const key = Buffer.from(encodeGroupRecord(offsetRecord('one', null)).key)
  expect(reader.read(key, null)?.groupId).toBe('one')
  key.write('two', key.indexOf('one'))
  expect(reader.read(key, null)?.groupId).toBe('two')
  expect(reader.read(encodeGroupRecord(offsetRecord('one', null)).key, null)?.groupId).toBe('one')
})

test('names that fall on one place do not become each other', () => {
  const reader = new GroupRecordReader()
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 10_000; index++) {
      const { key } = encodeGroupRecord(offsetRecord(`group-${index}`, null))
      expect(reader.read(key, null)?.groupId).toBe(`group-${index}`)
    }
  }
})

test.each<[string, Uint8Array, Uint8Array | null]>([
  ['an item too many in the key', encodeMsgpack([1, 'g', topicId, 0, 0]), null],
  [
    'bytes behind the key',
    Buffer.concat([encodeMsgpack([1, 'g', topicId, 0]), Buffer.of(1)]),
    null,
  ],
  ['a key cut short', encodeMsgpack([1, 'g', topicId, 0]).subarray(0, 20), null],
  ['a fraction', encodeMsgpack([1, 'g', topicId, 0.5]), null],
  [
    'a value of another version',
    encodeMsgpack([1, 'g', topicId, 0]),
    encodeMsgpack([1, 2, 3, null, 4, 5]),
  ],
  [
    'a value cut short',
    encodeMsgpack([1, 'g', topicId, 0]),
    encodeMsgpack([0, 2, 3, null, 4]).subarray(0, 3),
  ],
  [
    'a number beyond 2^53',
    encodeMsgpack([1, 'g', topicId, 0]),
    encodeMsgpack([0, 2 ** 60, 3, null, 4]),
  ],
])('with %s it says what the slow way says', (_, key, value) => {
  expect(outcome(() => new GroupRecordReader().read(key, value))).toEqual(
    outcome(() => decodeGroupRecord(key, value)),
  )
})

function outcome(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return (error as Error).message
  }
}
