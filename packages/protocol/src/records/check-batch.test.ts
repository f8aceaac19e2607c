import { nodeEnv } from '@minikafka/platform'
import { describe, expect, test } from 'vitest'
import { javaBatch } from '../../testdata/java-client.ts'
import { checkProducedBatch } from './check-batch.ts'
import { decodeBatch } from './decode-batch.ts'
import * as at from './layout.ts'
import { sumBatch } from './stamp.ts'

const { compress } = nodeEnv()

/** Four records; their timestamps: base, base - 5, base + 3,600,000 (the greatest), base + 1. */
const plain = javaBatch('none')
const BASE_TIMESTAMP = 1_700_000_000_000
const MAX_TIMESTAMP = 1_700_003_600_000
const INT64_MAX = 2n ** 63n - 1n

type Field = { name: string; at: number; bytes: 1 | 2 | 4 | 8 }

const baseOffset: Field = { name: 'base offset', at: at.BASE_OFFSET, bytes: 8 }
const length: Field = { name: 'length', at: at.LENGTH, bytes: 4 }
const leaderEpoch: Field = { name: 'leader epoch', at: at.LEADER_EPOCH, bytes: 4 }
const magic: Field = { name: 'magic', at: at.MAGIC, bytes: 1 }
const attributes: Field = { name: 'attributes', at: at.ATTRIBUTES, bytes: 2 }
const lastOffsetDelta: Field = { name: 'last offset delta', at: at.LAST_OFFSET_DELTA, bytes: 4 }
const baseTimestamp: Field = { name: 'base timestamp', at: at.BASE_TIMESTAMP, bytes: 8 }
const maxTimestamp: Field = { name: 'max timestamp', at: at.MAX_TIMESTAMP, bytes: 8 }
const producerId: Field = { name: 'producer id', at: at.PRODUCER_ID, bytes: 8 }
const producerEpoch: Field = { name: 'producer epoch', at: at.PRODUCER_EPOCH, bytes: 2 }
const baseSequence: Field = { name: 'base sequence', at: at.BASE_SEQUENCE, bytes: 4 }
const recordCount: Field = { name: 'record count', at: at.RECORD_COUNT, bytes: 4 }
const FIELDS = [
  baseOffset,
  length,
  leaderEpoch,
  magic,
  attributes,
  lastOffsetDelta,
  baseTimestamp,
  maxTimestamp,
  producerId,
  producerEpoch,
  baseSequence,
  recordCount,
]

function read(batch: Buffer, { at, bytes }: Field): bigint {
  return BigInt.asIntN(bytes * 8, BigInt(`0x${batch.toString('hex', at, at + bytes)}`))
}

/** The batch with other fields and, as far as its length allows, a right CRC. */
function withFields(batch: Buffer, ...changes: [Field, number | bigint][]): Buffer {
  const changed = Buffer.from(batch)
  for (const [{ at, bytes }, value] of changes) {
    const unsigned = BigInt.asUintN(bytes * 8, BigInt(value))
    changed.write(unsigned.toString(16).padStart(bytes * 2, '0'), at, bytes, 'hex')
  }
  if (read(changed, length) === BigInt(changed.length - 12)) sumBatch(changed)
  return changed
}

function answer(batch: Buffer): string {
  return checkProducedBatch(batch)?.error ?? 'fine'
}

describe('a batch that is fine', () => {
  test.each([...at.COMPRESSIONS, 'transactional'] as const)('%s of the Java client', (name) => {
    expect(answer(withFields(javaBatch(name), [baseOffset, 0]))).toBe('fine')
  })

  test('with the last sequence number there is, for the next is 0 (row 47)', () => {
    const batch = withFields(
      plain,
      [producerId, 5],
      [producerEpoch, 0],
      [baseSequence, 2 ** 31 - 1],
    )
    expect(answer(batch)).toBe('fine')
  })

  test('without timestamps', () => {
    expect(answer(withFields(plain, [baseTimestamp, -1], [maxTimestamp, -1]))).toBe('fine')
  })

  test('without a producer id, with the zeros of kafkajs', () => {
    expect(answer(withFields(plain, [producerEpoch, 0], [baseSequence, 0]))).toBe('fine')
  })
})

describe('a batch that is refused', () => {
  const transactional = 0x10
  const producer = (id: number, epoch: number, sequence: number): [Field, number][] => [
    [producerId, id],
    [producerEpoch, epoch],
    [baseSequence, sequence],
  ]
  test.each<[string, Buffer, string]>([
    ['row 39: a wrong CRC', Buffer.from(plain).fill(0, at.CRC, at.CRC + 4), 'CORRUPT_MESSAGE'],
    ['row 39: another byte in a record', Buffer.from(plain).fill('x', 70, 71), 'CORRUPT_MESSAGE'],
    ['row 40: magic 0', withFields(plain, [magic, 0]), 'INVALID_RECORD'],
    ['row 40: magic 1', withFields(plain, [magic, 1]), 'INVALID_RECORD'],
    ['row 40: magic 3', withFields(plain, [magic, 3]), 'INVALID_RECORD'],
    ['row 40: base offset 1', withFields(plain, [baseOffset, 1]), 'INVALID_RECORD'],
    [
      'row 40: no record',
      withFields(plain, [recordCount, 0], [lastOffsetDelta, -1]),
      'INVALID_RECORD',
    ],
    ['row 40: a count beside the delta', withFields(plain, [recordCount, 5]), 'INVALID_RECORD'],
    ['row 40: a negative delta', withFields(plain, [lastOffsetDelta, -4]), 'INVALID_RECORD'],
    ['row 40: length beyond the blob', withFields(plain, [length, plain.length]), 'INVALID_RECORD'],
    ['row 41: two batches in one blob', Buffer.concat([plain, plain]), 'INVALID_RECORD'],
    ['row 41: garbage behind it', Buffer.concat([plain, Buffer.from('x')]), 'INVALID_RECORD'],
    ['row 42: the control bit', javaBatch('control'), 'INVALID_RECORD'],
    ['row 42: the control bit alone', withFields(plain, [attributes, 0x20]), 'INVALID_RECORD'],
    [
      'row 42: transactional without id',
      withFields(plain, [attributes, transactional]),
      'INVALID_RECORD',
    ],
    ['row 43: compression 5', withFields(plain, [attributes, 5]), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['row 43: compression 7', withFields(plain, [attributes, 7]), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['row 45: base timestamp -2', withFields(plain, [baseTimestamp, -2]), 'INVALID_TIMESTAMP'],
    ['row 45: max timestamp -2', withFields(plain, [maxTimestamp, -2]), 'INVALID_TIMESTAMP'],
    ['a timestamp beyond 2^53', withFields(plain, [maxTimestamp, 2n ** 53n]), 'INVALID_TIMESTAMP'],
    ['a maximum below the first', withFields(plain, [maxTimestamp, 5]), 'INVALID_TIMESTAMP'],
    ['LogAppendTime', withFields(plain, [attributes, 8]), 'INVALID_TIMESTAMP'],
    ['the delete horizon of compaction', withFields(plain, [attributes, 0x40]), 'INVALID_RECORD'],
    ['an unassigned bit', withFields(plain, [attributes, 0x4000]), 'INVALID_RECORD'],
    ['row 47: an id without epoch', withFields(plain, ...producer(5, -1, 0)), 'INVALID_RECORD'],
    ['row 47: epoch -5', withFields(plain, ...producer(5, -5, 0)), 'INVALID_RECORD'],
    ['row 47: an id with sequence -1', withFields(plain, ...producer(5, 0, -1)), 'INVALID_RECORD'],
    ['an id of -2', withFields(plain, ...producer(-2, 0, 0)), 'INVALID_RECORD'],
    ['an id beyond 2^53', withFields(plain, [producerId, INT64_MAX]), 'INVALID_RECORD'],
    ['an epoch without id', withFields(plain, ...producer(-1, 4, -1)), 'INVALID_RECORD'],
    ['a sequence without id', withFields(plain, ...producer(-1, -1, 9)), 'INVALID_RECORD'],
    [
      'a billion records in four hundred bytes',
      withFields(plain, [recordCount, 10 ** 9], [lastOffsetDelta, 10 ** 9 - 1]),
      'INVALID_RECORD',
    ],
    [
      'a billion records in a hundred compressed bytes',
      withFields(javaBatch('zstd'), [recordCount, 10 ** 9], [lastOffsetDelta, 10 ** 9 - 1]),
      'INVALID_RECORD',
    ],
    ['an empty blob', Buffer.alloc(0), 'INVALID_RECORD'],
    ['half a header', plain.subarray(0, 60), 'INVALID_RECORD'],
  ])('%s', (_what, batch, error) => {
    expect(answer(batch)).toBe(error)
  })
})

describe('every header field set to 0, -1, its extremes and its neighbours, the CRC made right again', () => {
  // The ones that a broker accepts, and why that does no harm. All else is refused.
  const harmless = new Map<string, string>([
    ['leader epoch', 'any: the broker stamps its own'],
    ['attributes 1', 'gzip: whoever reads the records refuses'],
    ['base timestamp 0', 'another time for all records'],
    ['base timestamp -1', 'another time for all records'],
    [`base timestamp ${BASE_TIMESTAMP - 1}`, 'another time for all records'],
    [`base timestamp ${BASE_TIMESTAMP + 1}`, 'another time for all records'],
    [`max timestamp ${MAX_TIMESTAMP - 1}`, 'only a look into the records could tell'],
    [`max timestamp ${MAX_TIMESTAMP + 1}`, 'only a look into the records could tell'],
    ['producer epoch 0', 'never looked at without a producer id'],
    ['base sequence 0', 'never looked at without a producer id'],
  ])
  for (const field of FIELDS) {
    test(field.name, () => {
      const original = read(plain, field)
      const max = 2n ** BigInt(field.bytes * 8 - 1) - 1n
      for (const value of [0n, -1n, max, -max - 1n, original - 1n, original + 1n]) {
        if (value === original) continue
        const batch = withFields(plain, [field, value])
        const allowed = harmless.has(field.name) || harmless.has(`${field.name} ${value}`)
        expect(`${field.name} ${value}: ${answer(batch) === 'fine'}`).toBe(
          `${field.name} ${value}: ${allowed}`,
        )
        if (allowed) expect(readOrRefusal(batch)).toMatch(/^4 records|INVALID_RECORD$/)
      }
    })
  }
})

test('every single bit that flips is detected, but in the leader epoch, which is stamped over', () => {
  const batch = Buffer.from(plain)
  for (let position = 0; position < batch.length; position++) {
    for (let bit = 0; bit < 8; bit++) {
      batch[position] = (batch[position] as number) ^ (1 << bit)
      const stamped = position >= at.LEADER_EPOCH && position < at.MAGIC
      expect(`${position}.${bit} ${answer(batch) === 'fine'}`).toBe(`${position}.${bit} ${stamped}`)
      const outsideCrc = stamped || position < at.LENGTH
      const read = readOrRefusal(batch)
      if (!outsideCrc)
        expect(`${position}.${bit} ${read}`).toMatch(/CORRUPT_MESSAGE|INVALID_RECORD/)
      batch[position] = (batch[position] as number) ^ (1 << bit)
    }
  }
})

/** What a reader makes of it; an error that is none of ours goes through. */
function readOrRefusal(batch: Buffer): string {
  try {
    return `${decodeBatch(batch, compress).length} records`
  } catch (error) {
    if (error instanceof Error && /^[A-Z_]+$/.test(error.name)) return error.name
    throw error
  }
}
