import { nodeCompress } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { json, nullable, text, topic } from '../topic/index.ts'
import { type Decoded, Decoder, type SourceOf } from './decoder.ts'

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

const sourceOf: SourceOf = ({ header, body }) => ({
  topic: 'orders',
  partition: 3,
  timestampType: header.timestampType,
  body,
  signal: () => AbortSignal.abort(),
  ack: () => {},
})

test('a string topic gives views: key, value and headers as they were, null, empty and absent apart', () => {
  const decoder = new Decoder(compress, 'orders')
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
  const { records, nextOffset, broken } = decoder.decode(batch, 0, sourceOf) as Decoded
  expect([nextOffset, broken]).toEqual([3, undefined])
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
})

test('reading begins in the middle of a batch where the reader wants it', () => {
  const decoder = new Decoder(compress, 'orders')
  const batch = batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }], 10)
  const { records } = decoder.decode(batch, 11, sourceOf) as Decoded
  expect(records.map(({ offset }) => offset)).toEqual([11, 12])
})

test('codecs decode; a record that does not is broken in its place, those before it are handed out', () => {
  const orders = topic('orders', { key: text(), value: json(z.object({ id: z.string() })) })
  const decoder = new Decoder(compress, orders)
  const batch = batchOf([
    { key: 'a', value: '{"id":"1"}' },
    { key: 'b', value: '{"id":2}' },
    { key: 'c', value: '{"id":"3"}' },
  ])
  const { records, broken, nextOffset } = decoder.decode(batch, 0, sourceOf) as Decoded
  expect(records.map(({ key, value }) => [key, value])).toEqual([['a', { id: '1' }]])
  expect(nextOffset).toBe(1)
  expect(broken).toMatchObject({
    offset: 1,
    nextOffset: 2,
    error: { name: 'SCHEMA_MISMATCH', partition: 3, offset: 1 },
  })
  expect(String(broken?.raw?.key)).toBe('b')
})

test('a null value needs a nullable codec, and the error says so', () => {
  const strict = new Decoder(compress, topic('orders', { value: json() }))
  const batch = batchOf([{ value: null }])
  const { broken } = strict.decode(batch, 0, sourceOf) as Decoded
  expect(broken?.error).toMatchObject({
    name: 'DESERIALIZATION_FAILED',
    message: expect.stringContaining('nullable()'),
  })
  const lenient = new Decoder(compress, topic('orders', { value: nullable(json()) }))
  expect((lenient.decode(batch, 0, sourceOf) as Decoded).records[0]?.value).toBeNull()
})

test('an asynchronous codec keeps the order', async () => {
  const slow = { name: 'slow', encode: String, decode: async (bytes: Buffer) => `${bytes}!` }
  const decoder = new Decoder(compress, topic('orders', { value: slow }))
  const { records } = await decoder.decode(batchOf([{ value: 'a' }, { value: 'b' }]), 0, sourceOf)
  expect(records.map(({ value }) => value)).toEqual(['a!', 'b!'])
})

test('a flipped bit is a broken batch that can be passed by', () => {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }], 20)
  batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 1
  const { records, broken } = new Decoder(compress, 'orders').decode(batch, 20, sourceOf) as Decoded
  expect(records).toEqual([])
  expect(broken).toMatchObject({
    offset: 20,
    nextOffset: 22,
    error: { name: 'CORRUPT_MESSAGE', topic: 'orders', offset: 20 },
  })
})
