import { type CompressionName, nodeEnv } from '@minikafka/platform'
import { beforeAll, describe, expect, test } from 'vitest'
import { javaBatch, javaRecords } from '../../testdata/java-client.ts'
import { BatchReader } from './batch-reader.ts'
import { decodeBatch } from './decode-batch.ts'
import { COMPRESSIONS } from './layout.ts'
import { stampBatch, sumBatch } from './stamp.ts'
import { putVarint } from './varint.ts'

const { compress } = nodeEnv()

beforeAll(() =>
  Promise.all((['snappy', 'lz4', 'zstd'] as const).map((name) => compress.prepare(name))),
)

describe('batches of the Java client', () => {
  test.each([...COMPRESSIONS, 'transactional', 'append-time'] as const)(
    '%s: every record',
    (name) => {
      const records = decodeBatch(javaBatch(name), compress)
      const baseOffset = name === 'transactional' ? 5_000_000_000 : 0
      const expected = javaRecords.map(({ timestamp, key, value, headers }, delta) => ({
        offset: baseOffset + delta,
        timestamp: name === 'append-time' ? 1_700_000_099_000 : timestamp,
        key: bytes(key),
        value: bytes(value),
        headers: headers.map(([header, text]) => [header, bytes(text)]),
      }))
      expect(records).toEqual(expected)
    },
  )

  test('a control batch is read like any other: whoever meets it looks at the header', () => {
    const reader = new BatchReader(javaBatch('control'), compress)
    expect(reader.header.control).toBe(true)
    expect(reader.next()).toBe(true)
    expect([reader.offset, reader.keySize]).toEqual([42, 4])
  })
})

describe('the cursor', () => {
  test('skips to an offset, forward only, and past the end', () => {
    const offsets = (from: number) => {
      const reader = new BatchReader(javaBatch('transactional'), compress)
      reader.skipTo(5_000_000_000 + from)
      const read: number[] = []
      while (reader.next()) read.push(reader.offset - 5_000_000_000)
      return read
    }
    expect(offsets(-7)).toEqual([0, 1, 2, 3])
    expect(offsets(0)).toEqual([0, 1, 2, 3])
    expect(offsets(2)).toEqual([2, 3])
    expect(offsets(3)).toEqual([3])
    expect(offsets(4)).toEqual([])
  })

  test('skips from where it is', () => {
    const reader = new BatchReader(javaBatch('none'), compress)
    reader.next()
    reader.skipTo(0)
    expect([reader.next(), reader.offset]).toEqual([true, 1])
    reader.skipTo(3)
    expect([reader.next(), reader.offset, reader.next(), reader.next()]).toEqual([
      true,
      3,
      false,
      false,
    ])
  })

  test('goes over the holes that compaction left, and skips to the record behind one', () => {
    const batch = batchOf([record({ delta: 2 }), record({ delta: 5 })], { lastOffsetDelta: 9 })
    stampBatch(batch, 100, 1)
    expect(decodeBatch(batch, compress).map(({ offset }) => offset)).toEqual([102, 105])
    for (const target of [103, 104, 105]) {
      const reader = new BatchReader(batch, compress)
      reader.skipTo(target)
      expect([reader.next(), reader.offset, reader.next()]).toEqual([true, 105, false])
      expect(reader.nextOffset).toBe(110)
    }
  })

  test('over a batch that compaction emptied ends at once', () => {
    const reader = new BatchReader(batchOf([], { lastOffsetDelta: 3 }), compress)
    expect([reader.next(), reader.nextOffset]).toEqual([false, 4])
  })

  test('works on a view that begins anywhere', () => {
    const memory = new Uint8Array(
      Buffer.concat([Buffer.alloc(5), javaBatch('none'), Buffer.alloc(5)]),
    )
    const view = memory.subarray(5, memory.length - 5)
    expect(decodeBatch(view, compress)).toEqual(decodeBatch(javaBatch('none'), compress))
  })
})

describe('a batch that is refused as a whole', () => {
  test.each([
    ['a byte too many', (b: Buffer) => Buffer.concat([b, Buffer.alloc(1)]), 'CORRUPT_MESSAGE'],
    ['a byte too few', (b: Buffer) => b.subarray(0, -1), 'CORRUPT_MESSAGE'],
    ['half a header', (b: Buffer) => b.subarray(0, 30), 'CORRUPT_MESSAGE'],
    ['a wrong CRC', (b: Buffer) => withByte(b, 17, 0), 'CORRUPT_MESSAGE'],
    ['magic 1', (b: Buffer) => withByte(b, 16, 1), 'INVALID_RECORD'],
    ['a negative base offset', (b: Buffer) => withByte(b, 0, 0xff), 'INVALID_RECORD'],
    ['an offset beyond 2^53', (b: Buffer) => withByte(b, 0, 0x7f), 'INVALID_RECORD'],
    [
      'a base timestamp beyond 2^53',
      (b: Buffer) => summed(withByte(b, 27, 0x7f)),
      'INVALID_RECORD',
    ],
    ['a max timestamp beyond 2^53', (b: Buffer) => summed(withByte(b, 35, 0x7f)), 'INVALID_RECORD'],
    [
      'a negative last offset delta',
      (b: Buffer) => summed(withByte(b, 23, 0xff)),
      'INVALID_RECORD',
    ],
    ['a negative count', (b: Buffer) => summed(withByte(b, 57, 0xff)), 'INVALID_RECORD'],
    ['compression 5', (b: Buffer) => summed(withByte(b, 22, 5)), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['compression 1 that is none', (b: Buffer) => summed(withByte(b, 22, 1)), 'INVALID_RECORD'],
  ])('%s', (_what, change, error) => {
    const batch = change(Buffer.from(javaBatch('none')))
    expect(() => new BatchReader(batch, compress)).toThrow(expect.objectContaining({ name: error }))
  })

  test('one that gives more than sizeMax, or more than 200 times its bytes', () => {
    const refused = expect.objectContaining({ name: 'INVALID_RECORD', offset: 0 })
    expect(() => new BatchReader(javaBatch('zstd'), compress, 100)).toThrow(refused)
    for (const name of ['gzip', 'zstd'] as const) {
      const bomb = batchOf([record({ value: Buffer.alloc(8 * 2 ** 20) })], { compression: name })
      expect(bomb.length * 200).toBeLessThan(8 * 2 ** 20)
      expect(() => new BatchReader(bomb, compress)).toThrow(refused)
    }
  })
})

describe('a record that is broken', () => {
  const short = 'ends within a'
  test.each([
    ['a size beyond the batch', '10000000010000', 'longer than the batch'],
    ['a size of -1', '01000000010100', 'size -1'],
    ['a size below six', '0a0000000101', 'size 5'],
    ['a key beyond the record', '0e00000004610100', short],
    ['a key beyond the batch', '0e000000fe0f0100', short],
    ['a key of size -2', '0c000000030100', 'negative size'],
    ['a value of size -3', '0c000000010500', 'negative size'],
    ['a value of size 2^31 - 1', '1400000001feffffff0f00', short],
    ['-1 headers', '0c000000010101', '-1 headers'],
    ['a header too many', '0c000000010102', short],
    ['2^31 - 1 headers', '180000020101feffffff0f0000', short],
    ['a header without a name', '100000000101020101', 'without a name'],
    ['a header name beyond the record', '100000000101020401', short],
    ['a header value of size -2', '12000000010102026103', 'header of size -2'],
    ['a header value beyond the record', '12000000010102026104', 'does not end'],
    ['a byte behind its headers', '0e00000001010000', 'does not end'],
    ['a size varint that ends with the batch', '80', short],
    ['a varint that is not minimal', '0e00008000010100', 'shortest form'],
    ['a size varint that is not minimal', '8c800000000000010100', 'shortest form'],
    ['a varint of six bytes', '160000808080808001010100', 'too long'],
    ['a varint beyond 32 bits', '1400008080808010010100', 'beyond 32 bits'],
    ['a varlong of eleven bytes', '2000808080808080808080800100010100', 'too long'],
    ['a varlong beyond 64 bits', '1e008080808080808080800200010100', 'beyond 64 bits'],
    ['a timestamp beyond 2^53', '1e00fffffffffffffffffe0100010100', 'beyond 2^53'],
    ['a negative offset delta', '0c000001010100', 'same or a higher offset'],
    ['an offset delta above the last', '0c000004010100', 'above the last offset'],
  ])('%s', (_what, hex, problem) => {
    const batch = batchOf([record({}), Buffer.from(hex, 'hex')], { lastOffsetDelta: 1 })
    stampBatch(batch, 7000, 0)
    const reader = new BatchReader(batch, compress)
    expect(reader.next()).toBe(true)
    const refused = expect.objectContaining({
      name: 'INVALID_RECORD',
      offset: 7001,
      message: expect.stringContaining(problem),
    })
    expect(() => reader.next()).toThrow(refused)
    expect(() => reader.next()).toThrow(refused)
    expect(reader.nextOffset).toBe(7002)
  })

  test('by an offset that comes twice', () => {
    const reader = new BatchReader(
      batchOf([record({}), record({})], { lastOffsetDelta: 1 }),
      compress,
    )
    reader.next()
    expect(() => reader.next()).toThrow('same or a higher offset')
  })

  test('by being one more than the header counts', () => {
    const batch = batchOf([record({}), record({ delta: 1 })], {
      recordCount: 1,
      lastOffsetDelta: 1,
    })
    const reader = new BatchReader(batch, compress)
    reader.next()
    expect(() => reader.next()).toThrow(
      expect.objectContaining({ name: 'INVALID_RECORD', offset: 1 }),
    )
  })

  test('by being fewer than the header counts, even by 2^31', () => {
    const batch = batchOf([record({})], { recordCount: 2 ** 31 - 1, lastOffsetDelta: 2 ** 31 - 2 })
    const reader = new BatchReader(batch, compress)
    reader.next()
    expect(() => reader.next()).toThrow(
      expect.objectContaining({ name: 'INVALID_RECORD', offset: 1 }),
    )
  })
})

function bytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text)
}

function withByte(batch: Buffer, position: number, byte: number): Buffer {
  batch[position] = byte
  return batch
}

function summed(batch: Buffer): Buffer {
  sumBatch(batch)
  return batch
}

function record({
  delta = 0,
  value = Buffer.alloc(0),
}: {
  delta?: number
  value?: Buffer
}): Buffer {
  const bytes = Buffer.alloc(value.length + 40)
  let position = 1
  position = putVarint(bytes, position, 0)
  position = putVarint(bytes, position, delta)
  position = putVarint(bytes, position, -1)
  position = putVarint(bytes, position, value.length)
  position += value.copy(bytes, position)
  position = putVarint(bytes, position, 0)
  const size = Buffer.alloc(10)
  return Buffer.concat([
    size.subarray(0, putVarint(size, 0, position)),
    bytes.subarray(0, position),
  ])
}

/** A batch with a right CRC, whatever is in it. */
function batchOf(
  records: Buffer[],
  fields: { recordCount?: number; lastOffsetDelta?: number; compression?: CompressionName },
): Buffer {
  const { compression = 'none', recordCount = records.length, lastOffsetDelta = 0 } = fields
  const body = compress.compress(compression, Buffer.concat(records))
  const batch = Buffer.concat([Buffer.alloc(61), body])
  batch.writeInt32BE(batch.length - 12, 8)
  batch[16] = 2
  batch[22] = COMPRESSIONS.indexOf(compression)
  batch.writeInt32BE(lastOffsetDelta, 23)
  batch.writeInt32BE(recordCount, 57)
  return summed(batch)
}
