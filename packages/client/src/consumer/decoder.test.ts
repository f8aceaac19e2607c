import { crc32c, nodeCompress } from '@minikafka/platform'
import { BatchReader, BatchWriter } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { bytes, type Codec, json, nullable, type TopicLike, text, topic } from '../topic/index.ts'
import { type Broken, Decoder } from './decoder.ts'
import { FetchedRecord, RecordBatch, type RecordHome } from './record.ts'

const compress = nodeCompress()

type Input = { key?: string | null; value: string | null; headers?: [string, string | null][] }

function batchOf(records: readonly Input[], baseOffset = 0): Buffer {
  const writer = new BatchWriter(Buffer.alloc(64 * 1024))
  for (const [index, { key = null, value, headers }] of records.entries()) {
    writer.tryAppend(1000 + index, key, value, headers)
  }
  const sealed = writer.seal(compress, {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
  sealed.writeBigInt64BE(BigInt(baseOffset), 0)
  return sealed
}

function homeOf(partition: number): RecordHome {
  const signal = () => AbortSignal.abort()
  return { topic: 'orders', partition, readGeneration: 0, signal, ack() {} }
}

/** What the decoder makes of a batch, and where it stopped. */
function decode(
  like: TopicLike,
  bytes: Buffer,
  from = 0,
): { records: FetchedRecord[]; outcome: Broken | undefined | Promise<Broken | undefined> } {
  const home = homeOf(3)
  const reader = new BatchReader(bytes, compress)
  const records: FetchedRecord[] = []
  const batch = new RecordBatch(home, reader, bytes, compress)
  const outcome = new Decoder(like).decode(reader, batch, records, from)
  return { records, outcome }
}

test('30: a string topic gives views: key, value and headers as they were; null, empty and absent apart', () => {
  const batch = batchOf([
    {
      key: 'k',
      value: 'v',
      headers: [
        ['h', '1'],
        ['h', null],
      ],
    },
    { key: null, value: null },
    { key: '', value: '' },
  ])
  const { records, outcome } = decode('orders', batch)
  expect(outcome).toBeUndefined()
  expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
    [0, 1000],
    [1, 1001],
    [2, 1002],
  ])
  const [first, second, third] = records
  expect(Buffer.isBuffer(first?.value)).toBe(true)
  expect([String(first?.key), String(first?.value)]).toEqual(['k', 'v'])
  expect([...(first?.headers ?? [])].map(([name, value]) => [name, value?.toString()])).toEqual([
    ['h', '1'],
    ['h', undefined],
  ])
  expect(first?.headers.get('h')?.toString()).toBe('1')
  expect(first?.headers.getAll('h')).toHaveLength(2)
  expect(first?.headers.get('none')).toBeUndefined()
  expect([second?.key, second?.value]).toEqual([null, null])
  expect([String(third?.key), Buffer.byteLength(third?.value as Buffer)]).toEqual(['', 0])
  expect([first?.topic, first?.partition, first?.timestampType]).toEqual(['orders', 3, 'create'])
  expect(Object.keys(first ?? {})).toEqual(['offset', 'timestamp', 'key', 'value'])
})

test('a value is a Buffer in all that callers do with one', () => {
  const [record] = decode('orders', batchOf([{ value: 'grüße' }])).records
  const value = record?.value as Buffer
  expect(value.equals(Buffer.from('grüße'))).toBe(true)
  expect(value.toString()).toBe('grüße')
  expect(Buffer.concat([value, Buffer.from('!')]).toString()).toBe('grüße!')
  expect(value.subarray(0, 2).toString()).toBe('gr')
  expect(value.readUInt8(0)).toBe(0x67)
  expect(Buffer.from(value).toString('hex')).toBe(Buffer.from('grüße').toString('hex'))
})

test('reading begins in the middle of a batch where the reader wants it', () => {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }], 10)
  const { records } = decode('orders', batch, 11)
  expect(records.map(({ offset }) => offset)).toEqual([11, 12])
})

test('codecs decode; a record that does not is broken in its place, those before it are handed out', () => {
  const orders = topic('orders', { key: text(), value: json(z.object({ id: z.string() })) })
  const batch = batchOf([
    { key: 'a', value: '{"id":"1"}' },
    { key: 'b', value: '{"id":2}' },
    { key: 'c', value: '{"id":"3"}' },
  ])
  const { records, outcome } = decode(orders, batch)
  expect(records.map(({ key, value }) => [key, value])).toEqual([['a', { id: '1' }]])
  expect(outcome).toMatchObject({
    offset: 1,
    nextOffset: 2,
    error: { name: 'SCHEMA_MISMATCH', topic: 'orders', partition: 3, offset: 1 },
  })
  expect(String((outcome as Broken).record?.key)).toBe('b')
})

test('behind a broken record the batch goes on, and tried again it may decode', () => {
  let isRight = false
  const codec: Codec<string> = {
    name: 'moody',
    encode: (value) => value,
    decode(view) {
      if (!isRight && view.toString() === 'b') throw new Error('not today')
      return view.toString()
    },
  }
  const bytes = batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const home = homeOf(0)
  const reader = new BatchReader(bytes, compress)
  const batch = new RecordBatch(home, reader, bytes, compress)
  const decoder = new Decoder(topic('orders', { value: codec }))
  const records: FetchedRecord[] = []
  const again = () => decoder.decode(reader, batch, records, 0, records.length > 0)
  expect(again()).toMatchObject({ offset: 1, error: { message: expect.stringMatching('today') } })
  expect(again()).toMatchObject({ offset: 1 })
  isRight = true
  expect(again()).toBeUndefined()
  expect(records.map(({ value }) => value)).toEqual(['a', 'b', 'c'])
})

test('a null value needs a nullable codec, and the error says so', () => {
  const batch = batchOf([{ value: null }])
  for (const codec of [json(), text(), bytes()]) {
    const { outcome } = decode(topic('orders', { value: codec as Codec<unknown> }), batch)
    expect(outcome).toMatchObject({
      error: { name: 'DESERIALIZATION_FAILED', message: expect.stringContaining('nullable()') },
    })
  }
  expect(decode(topic('orders', { value: nullable(json()) }), batch).records[0]?.value).toBeNull()
  expect(decode(topic('orders'), batch).records[0]?.value).toBeNull()
})

test('a null key is null, whatever the codec', () => {
  const batch = batchOf([{ key: null, value: 'a' }])
  expect(decode(topic('orders', { key: json(), value: text() }), batch).records[0]?.key).toBeNull()
})

test('an asynchronous codec keeps the order, and is waited for record by record', async () => {
  const slow = { name: 'slow', encode: String, decode: async (view: Buffer) => `${view}!` }
  const { records, outcome } = decode(
    topic('orders', { value: slow }),
    batchOf([{ value: 'a' }, { value: 'b' }]),
  )
  expect(await outcome).toBeUndefined()
  expect(records.map(({ value }) => value)).toEqual(['a!', 'b!'])
})

test('two codecs that fail at once leave no rejection behind', async () => {
  const rejects = { name: 'no', encode: String, decode: () => Promise.reject(new Error('key')) }
  const throws: Codec<string> = {
    name: 'no',
    encode: (value) => value,
    decode() {
      throw new Error('value')
    },
  }
  const batch = batchOf([{ key: 'k', value: 'v' }])
  const mixed = decode(topic('orders', { key: rejects, value: throws }), batch)
  expect(await mixed.outcome).toMatchObject({ error: { message: expect.stringMatching('value') } })
  const both = decode(topic('orders', { key: rejects, value: rejects }), batch)
  expect(await both.outcome).toMatchObject({ error: { message: expect.stringMatching('key') } })
})

test('a record shows its bytes as they were, whatever its codecs made of them', () => {
  const orders = topic('orders', { key: text(), value: json<object>() })
  const batch = batchOf([{ value: '{}' }, { key: 'k', value: '{"a": 1}', headers: [['h', '1']] }])
  const record = decode(orders, batch).records[1] as FetchedRecord
  const raw = FetchedRecord.raw(record)
  expect([String(raw.key), String(raw.value), raw.offset]).toEqual(['k', '{"a": 1}', 1])
  expect(String(raw.headers.get('h'))).toBe('1')
  const plain = decode('orders', batch).records[1] as FetchedRecord
  expect(FetchedRecord.raw(plain)).toBe(plain)
})

/** Three records, the second of which is not what it says, under a right CRC. */
function lyingBatch(): Buffer {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }], 20)
  const whole = new BatchReader(batch, compress)
  whole.next()
  whole.next()
  // The size of its value, too large by far.
  batch[61 + whole.valueStart - 1] = 0x7e
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

const LIE = {
  offset: 20,
  nextOffset: 23,
  record: undefined,
  error: { name: 'INVALID_RECORD', topic: 'orders', partition: 3, offset: 20 },
}

test('a record that is cut off inside its batch: none of the batch is handed out, and the next batch is next', () => {
  const { records, outcome } = decode('orders', lyingBatch())
  expect(records).toEqual([])
  expect(outcome).toMatchObject({ ...LIE, error: { cause: { offset: 21 } } })
  const inside = decode('orders', lyingBatch(), 21)
  expect([inside.records, inside.outcome]).toMatchObject([[], { ...LIE, offset: 21, error: {} }])
})

test('the same behind records that codecs decode, refuse, or take their time for', async () => {
  const slow = { name: 'slow', encode: String, decode: async (view: Buffer) => `${view}!` }
  const rejects = { ...slow, decode: () => Promise.reject(new Error('no')) }
  for (const value of [text(), json(), slow, rejects] as Codec<unknown>[]) {
    const { records, outcome } = decode(topic('orders', { value }), lyingBatch())
    expect(await outcome).toMatchObject(LIE)
    expect(records).toEqual([])
  }
})

test('a batch whose every record its codec refuses is looked through once', () => {
  const value: Codec<string> = {
    name: 'none',
    encode: (text) => text,
    decode() {
      throw new Error('no')
    },
  }
  const bytes = batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const home = homeOf(0)
  const reader = new BatchReader(bytes, compress)
  const batch = new RecordBatch(home, reader, bytes, compress)
  const decoder = new Decoder(topic('orders', { value }))
  expect(decoder.decode(reader, batch, [], 0)).toMatchObject({ offset: 0 })
  // Looked at again it would be found damaged.
  bytes[bytes.length - 1] = 0xff
  expect(decoder.decode(reader, batch, [], 1)).toMatchObject({
    offset: 1,
    error: { name: 'DESERIALIZATION_FAILED' },
  })
})
