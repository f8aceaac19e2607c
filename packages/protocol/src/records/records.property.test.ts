// What a writer wrote a reader reads, whatever it was; and no bytes make a reader fail in a way of its own.
import { nodeEnv } from '@minikafka/platform'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { isMinikafkaError } from '../errors.ts'
import { BatchReader } from './batch-reader.ts'
import { BatchWriter, type HeaderInput } from './batch-writer.ts'
import { checkProducedBatch } from './check-batch.ts'
import { decodeBatch } from './decode-batch.ts'
import { COMPRESSIONS } from './layout.ts'
import { sumBatch } from './stamp.ts'

const { compress } = nodeEnv()
beforeAll(() => Promise.all(COMPRESSIONS.map((name) => compress.prepare(name))))

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 40, maxLength: 60 }),
)
const data = fc.oneof(
  fc.constantFrom<string | Uint8Array | null>(null, '', new Uint8Array(0)),
  text,
  fc.uint8Array({ maxLength: 300 }),
)
/** A small choice of names, so that they repeat. */
const name = fc.oneof(fc.constantFrom('a', 'b', '', '__proto__', 'constructor'), text)
const headers = fc.option(fc.array(fc.tuple(name, data), { maxLength: 5 }), { nil: undefined })
const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
)
const record = fc.record({ timestamp, key: data, value: data, headers })
const records = fc.array(record, { minLength: 1, maxLength: 80 })

test('records come back as they went in, by every codec', () => {
  fc.assert(
    fc.property(records, fc.constantFrom(...COMPRESSIONS), (records, compression) => {
      const batch = write(records, compression)
      expect(checkProducedBatch(batch)).toBeUndefined()
      const expected = records.map(({ timestamp, key, value, headers }, offset) => ({
        offset,
        timestamp,
        key: bytes(key),
        value: bytes(value),
        headers: (headers ?? []).map(([name, value]) => [utf8(name), bytes(value)]),
      }))
      expect(decodeBatch(batch, compress)).toEqual(expected)
    }),
  )
})

test('skipTo reaches what reading record by record reaches', () => {
  fc.assert(
    fc.property(records, fc.nat(90), fc.nat(90), (records, first, second) => {
      const batch = write(records, 'none')
      const reader = new BatchReader(batch, compress)
      reader.skipTo(first)
      reader.skipTo(second)
      const target = Math.max(first, second)
      expect(reader.next()).toBe(target < records.length)
      if (target < records.length) expect(reader.offset).toBe(target)
    }),
  )
})

test('a batch that is full holds exactly the records that were accepted', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 61, max: 3000 }), (records, size) => {
      const writer = new BatchWriter(Buffer.alloc(size))
      const accepted = records.filter(({ timestamp, key, value, headers }) => {
        const before = writer.sizeBytes
        const fits = writer.tryAppend(timestamp, key, value, headers)
        if (!fits) expect(writer.sizeBytes).toBe(before)
        return fits
      })
      expect(writer.recordCount).toBe(accepted.length)
      if (accepted.length === 0) return
      const values = decodeBatch(seal(writer, 'none'), compress).map(({ value }) => value)
      expect(values).toEqual(accepted.map(({ value }) => bytes(value)))
    }),
  )
})

test('bytes changed under a right CRC give records or an error of ours, never more than the batch holds', () => {
  const change = fc.tuple(fc.nat(10_000), fc.nat(255))
  fc.assert(
    fc.property(records, fc.array(change, { minLength: 1, maxLength: 4 }), (records, changes) => {
      const batch = write(records, 'none')
      for (const [position, byte] of changes) batch[61 + (position % (batch.length - 61))] = byte
      sumBatch(batch)
      expectRecordsOrRefusal(batch)
    }),
    { numRuns: 500 },
  )
})

test('noise under a sound header gives records or an error of ours', () => {
  const noise = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(noise, fc.nat(50), fc.constantFrom(0, 1, 2, 3, 4), (noise, count, compression) => {
      const batch = Buffer.concat([write([], 'none').subarray(0, 61), noise])
      batch.writeInt32BE(batch.length - 12, 8)
      batch[22] = compression
      batch.writeInt32BE(count, 23)
      batch.writeInt32BE(count, 57)
      sumBatch(batch)
      expectRecordsOrRefusal(batch)
    }),
    { numRuns: 500 },
  )
})

function expectRecordsOrRefusal(batch: Buffer): void {
  try {
    for (const { key, value } of decodeBatch(batch, compress)) {
      expect((key?.length ?? 0) + (value?.length ?? 0)).toBeLessThan(batch.length)
    }
  } catch (error) {
    expect(isMinikafkaError(error) && error.name).toBe('INVALID_RECORD')
  }
}

type Appended = {
  timestamp: number
  key: Uint8Array | string | null
  value: Uint8Array | string | null
  headers: HeaderInput | undefined
}

function write(records: readonly Appended[], compression: (typeof COMPRESSIONS)[number]): Buffer {
  const writer = new BatchWriter(Buffer.allocUnsafe(400_000))
  for (const { timestamp, key, value, headers } of records) {
    expect(writer.tryAppend(timestamp, key, value, headers)).toBe(true)
  }
  if (records.length === 0) writer.tryAppend(0, null, null, undefined)
  return seal(writer, compression)
}

function seal(writer: BatchWriter, compression: (typeof COMPRESSIONS)[number]): Buffer {
  const options = { compression, producerId: -1, producerEpoch: -1, baseSequence: -1 }
  return writer.seal(compress, options)
}

function bytes(data: Uint8Array | string | null): Buffer | null {
  return data === null ? null : Buffer.from(data as string)
}

/** A lone surrogate becomes U+FFFD on its way. */
function utf8(text: string): string {
  return Buffer.from(text).toString()
}
