import { nodeEnv } from '@minikafka/platform'
import { beforeAll, describe, expect, test } from 'vitest'
import { javaBatch, javaRecords } from '../../testdata/java-client.ts'
import { BatchWriter, type SealOptions } from './batch-writer.ts'
import { checkProducedBatch } from './check-batch.ts'
import { decodeBatch } from './decode-batch.ts'
import { readBatchHeader } from './header.ts'

const { compress } = nodeEnv()
const plain: SealOptions = {
  compression: 'none',
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
}

beforeAll(() =>
  Promise.all((['snappy', 'lz4', 'zstd'] as const).map((name) => compress.prepare(name))),
)

function appendJavaRecords(writer: BatchWriter): void {
  for (const { timestamp, key, value, headers } of javaRecords) {
    expect(writer.tryAppend(timestamp, key, value, headers)).toBe(true)
  }
}

describe('a batch', () => {
  test('is byte for byte the one of the Java client', () => {
    const writer = new BatchWriter(Buffer.alloc(4096, 0xff))
    appendJavaRecords(writer)
    expect(writer.recordCount).toBe(4)
    expect(writer.sizeBytes).toBe(javaBatch('none').length)
    const batch = writer.seal(compress, plain)
    expect(batch.toString('hex')).toBe(javaBatch('none').toString('hex'))
  })

  test('carries the identity of its producer', () => {
    const writer = new BatchWriter(Buffer.alloc(1024))
    writer.tryAppend(5, null, 'x', undefined)
    const identity = { producerId: 2 ** 40, producerEpoch: 9, baseSequence: 2 ** 31 - 1 }
    const batch = writer.seal(compress, { compression: 'none', ...identity, transactional: true })
    expect(readBatchHeader(batch)).toMatchObject({
      ...identity,
      transactional: true,
      leaderEpoch: -1,
    })
    expect(checkProducedBatch(batch)).toBeUndefined()
  })

  test('has the first timestamp as its base and the greatest as its maximum, whatever their order', () => {
    const writer = new BatchWriter(Buffer.alloc(1024))
    for (const timestamp of [50, 20, 90, -1, 60]) writer.tryAppend(timestamp, null, null, undefined)
    const batch = writer.seal(compress, plain)
    expect(readBatchHeader(batch)).toMatchObject({ baseTimestamp: 50, maxTimestamp: 90 })
    expect(decodeBatch(batch, compress).map((record) => record.timestamp)).toEqual([
      50, 20, 90, -1, 60,
    ])
  })

  test('of bytes is the batch of the same strings', () => {
    const texts = [
      '',
      'a',
      'x'.repeat(48),
      'x'.repeat(49),
      'é',
      `${'x'.repeat(47)}€`,
      '😀'.repeat(40),
      '\ud800',
    ]
    const ofStrings = new BatchWriter(Buffer.alloc(4096))
    const ofBytes = new BatchWriter(Buffer.alloc(4096))
    for (const text of texts) {
      const bytes = Buffer.from(text)
      expect(ofStrings.tryAppend(1, text, text, [[text, text]])).toBe(true)
      expect(ofBytes.tryAppend(1, bytes, new Uint8Array(bytes), [[text, bytes]])).toBe(true)
    }
    const batch = ofStrings.seal(compress, plain)
    expect(batch.equals(ofBytes.seal(compress, plain))).toBe(true)
    expect(decodeBatch(batch, compress).map(({ key }) => key?.toString('hex'))).toEqual(
      texts.map((text) => Buffer.from(text).toString('hex')),
    )
  })

  test('needs a record', () => {
    expect(() => new BatchWriter(Buffer.alloc(61)).seal(compress, plain)).toThrow('has records')
  })
})

describe('a record that does not fit', () => {
  test('leaves the batch as it was; the same record in one byte more fits', () => {
    const size = 61 + 7 + 20
    const tight = new BatchWriter(Buffer.alloc(size - 1))
    expect(tight.tryAppend(1, null, 'x'.repeat(20), undefined)).toBe(false)
    expect([tight.recordCount, tight.sizeBytes]).toEqual([0, 61])
    const right = new BatchWriter(Buffer.alloc(size))
    expect(right.tryAppend(1, null, 'x'.repeat(20), undefined)).toBe(true)
    expect(right.tryAppend(1, null, null, undefined)).toBe(false)
    const records = decodeBatch(right.seal(compress, plain), compress)
    expect(records).toHaveLength(1)
  })

  test('fits into a batch of its recordSizeMax', () => {
    const headers = [['naïve', 'x'.repeat(100)] as const, ['', null] as const]
    for (const value of ['é'.repeat(5000), null, Buffer.alloc(70_000)]) {
      const size = BatchWriter.recordSizeMax('key', value, headers)
      const writer = new BatchWriter(Buffer.alloc(size))
      expect(writer.tryAppend(Number.MAX_SAFE_INTEGER, 'key', value, headers)).toBe(true)
      expect(size - writer.sizeBytes).toBeLessThan(80)
    }
  })

  test('for its timestamp is a programmer error', () => {
    const writer = new BatchWriter(Buffer.alloc(200))
    for (const timestamp of [-2, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => writer.tryAppend(timestamp, null, null, undefined)).toThrow('timestamp')
    }
  })
})

describe('a writer', () => {
  test('that is reset builds another batch, as if it were new', () => {
    const writer = new BatchWriter(Buffer.alloc(500, 1))
    writer.tryAppend(77, 'old', 'old', [['old', 'old']])
    writer.seal(compress, plain)
    writer.reset(Buffer.alloc(4096, 2))
    expect([writer.recordCount, writer.sizeBytes]).toEqual([0, 61])
    appendJavaRecords(writer)
    expect(writer.seal(compress, plain).equals(javaBatch('none'))).toBe(true)
  })
})

describe('a sealed batch', () => {
  test('is a view of the lent buffer, uncompressed', () => {
    const buffer = Buffer.alloc(1000)
    const writer = new BatchWriter(buffer)
    writer.tryAppend(1, null, 'x', undefined)
    const batch = writer.seal(compress, plain)
    expect(batch.buffer).toBe(buffer.buffer)
    expect(batch.byteOffset).toBe(buffer.byteOffset)
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'by %s has a buffer of its own, and shrank',
    (name) => {
      const buffer = Buffer.alloc(8192)
      const writer = new BatchWriter(buffer)
      for (let index = 0; index < 50; index++)
        writer.tryAppend(index, 'key', 'the same value', undefined)
      const uncompressedBytes = writer.sizeBytes
      const batch = writer.seal(compress, { ...plain, compression: name })
      buffer.fill(0xff)
      expect(batch.buffer).not.toBe(buffer.buffer)
      expect(batch.length).toBeLessThan(uncompressedBytes / 2)
      expect(readBatchHeader(batch)).toMatchObject({ compression: name, recordCount: 50 })
      expect(checkProducedBatch(batch)).toBeUndefined()
      expect(decodeBatch(batch, compress).map(({ value }) => String(value))).toEqual(
        Array(50).fill('the same value'),
      )
    },
  )

  test('whose records do not shrink stays uncompressed, in a buffer of its own all the same', () => {
    const buffer = Buffer.alloc(500)
    const writer = new BatchWriter(buffer)
    writer.tryAppend(1, 'k', 'v', undefined)
    const batch = writer.seal(compress, { ...plain, compression: 'lz4' })
    expect(batch.buffer).not.toBe(buffer.buffer)
    expect(readBatchHeader(batch).compression).toBe('none')
    expect(decodeBatch(batch, compress)).toHaveLength(1)
  })

  test('is never compressed so far that a reader has to take it for a bomb', () => {
    for (const size of [900_000, 3_000_000]) {
      const writer = new BatchWriter(Buffer.alloc(size + 200))
      writer.tryAppend(1, null, Buffer.alloc(size), undefined)
      const batch = writer.seal(compress, { ...plain, compression: 'zstd' })
      expect(readBatchHeader(batch).compression).toBe(size < 2 ** 20 ? 'zstd' : 'none')
      expect(decodeBatch(batch, compress)).toHaveLength(1)
    }
  })
})
