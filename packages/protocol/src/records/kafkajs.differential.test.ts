// Our batches against another reader and writer of format v2: kafkajs 2.2.4. What one wrote the other reads.
// Its codecs come from elsewhere: raw snappy of snappyjs, lz4-napi, and the zstd library without our walk.
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { nodeEnv } from '@minikafka/platform'
import fc from 'fast-check'
import { CompressionCodecs, CompressionTypes } from 'kafkajs'
import { beforeAll, describe, expect, test } from 'vitest'
import { BatchWriter } from './batch-writer.ts'
import { checkProducedBatch } from './check-batch.ts'
import { decodeBatch } from './decode-batch.ts'
import { readBatchHeader } from './header.ts'
import { COMPRESSIONS } from './layout.ts'

const require = createRequire(import.meta.url)
const KafkajsDecoder = require('kafkajs/src/protocol/decoder')
const decodeByKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
const requireOfPlatform = createRequire(new URL('../../../platform/package.json', import.meta.url))
const snappyjs = requireOfPlatform('snappyjs')
const lz4 = requireOfPlatform('lz4-napi')

const { compress } = nodeEnv()

type Codec = { compress(input: Buffer): Uint8Array; decompress(input: Buffer): Uint8Array }

beforeAll(async () => {
  await Promise.all(COMPRESSIONS.map((name) => compress.prepare(name)))
  const register = (type: 1 | 2 | 3 | 4, codec: Codec) => {
    CompressionCodecs[type] = () => ({
      compress: async (encoder: { buffer: Buffer }) => Buffer.from(codec.compress(encoder.buffer)),
      decompress: async (input: Buffer) => Buffer.from(codec.decompress(input)),
    })
  }
  register(CompressionTypes.Snappy, { compress: snappyjs.compress, decompress: readXerial })
  register(CompressionTypes.LZ4, {
    compress: (input) => lz4.compressFrameSync(input),
    decompress: (input) => lz4.decompressFrameSync(input),
  })
  register(CompressionTypes.ZSTD, zstdWithoutOurWalk())
})

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data)))
/** kafkajs keeps headers in an object: distinct names there, the values of one name together. */
const headers = fc.uniqueArray(
  fc.tuple(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((name) => `h${name}`),
    bytes,
  ),
  { maxLength: 4, selector: ([name]) => name },
)
const records = fc.array(
  fc.record({ timestamp: fc.integer({ min: 0, max: 2 ** 45 }), key: bytes, value: bytes, headers }),
  { minLength: 1, maxLength: 40 },
)

describe.each(COMPRESSIONS)('%s', (compression) => {
  test('kafkajs reads the records that we wrote', async () => {
    const property = fc.asyncProperty(records, async (records) => {
      const writer = new BatchWriter(Buffer.alloc(100_000))
      for (const { timestamp, key, value, headers } of records) {
        expect(writer.tryAppend(timestamp, key, value, headers)).toBe(true)
      }
      const producer = { producerId: 2 ** 33, producerEpoch: 7, baseSequence: 99 }
      const batch = writer.seal(compress, { compression, ...producer })
      const decoded = await decodeByKafkajs(new KafkajsDecoder(batch))
      expect(decoded).toMatchObject({
        producerId: String(2 ** 33),
        producerEpoch: 7,
        firstSequence: 99,
        lastOffsetDelta: records.length - 1,
        maxTimestamp: String(Math.max(...records.map(({ timestamp }) => timestamp))),
      })
      expect(decoded.records.map(plainOfKafkajs)).toEqual(records.map(plain))
    })
    await fc.assert(property, { numRuns: 50 })
  })

  test('we read the records that kafkajs wrote, and a broker takes them', async () => {
    const property = fc.asyncProperty(records.map(withoutNullHeaders), async (records) => {
      const batch = await encodeByKafkajs(records, COMPRESSIONS.indexOf(compression))
      expect(checkProducedBatch(batch)).toBeUndefined()
      expect(readBatchHeader(batch).compression).toBe(compression)
      const decoded = decodeBatch(batch, compress)
      expect(decoded.map(plain)).toEqual(records.map(plain))
      expect(decoded.map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
    })
    await fc.assert(property, { numRuns: 50 })
  })
})

test('several headers of one name arrive at kafkajs together, in order', async () => {
  const writer = new BatchWriter(Buffer.alloc(1000))
  writer.tryAppend(1, null, null, [
    ['a', '1'],
    ['b', 'x'],
    ['a', null],
    ['a', '2'],
  ])
  const options = {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  } as const
  const decoded = await decodeByKafkajs(new KafkajsDecoder(writer.seal(compress, options)))
  expect(decoded.records[0].headers).toEqual({
    a: [Buffer.from('1'), null, Buffer.from('2')],
    b: Buffer.from('x'),
  })
})

type Plain = {
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: readonly (readonly [string, Buffer | null])[]
}

function plain({ timestamp, key, value, headers }: Plain) {
  return {
    timestamp,
    key: key?.toString('hex'),
    value: value?.toString('hex'),
    headers: headers.map(([name, value]) => [name, value?.toString('hex')]),
  }
}

function plainOfKafkajs(record: {
  timestamp: string
  key: Buffer | null
  value: Buffer | null
  headers: Record<string, Buffer | null>
}) {
  return plain({
    ...record,
    timestamp: Number(record.timestamp),
    headers: Object.entries(record.headers),
  })
}

/** kafkajs reads a header that is null and cannot write it. */
function withoutNullHeaders(records: readonly Plain[]): Plain[] {
  return records.map((record) => ({
    ...record,
    headers: record.headers.map(([name, value]) => [name, value ?? Buffer.alloc(0)] as const),
  }))
}

async function encodeByKafkajs(records: readonly Plain[], compression: number): Promise<Buffer> {
  const firstTimestamp = records[0]?.timestamp ?? 0
  const encoded = records.map(({ timestamp, key, value, headers }, offsetDelta) =>
    encodeRecord({
      key,
      value,
      offsetDelta,
      timestampDelta: timestamp - firstTimestamp,
      headers: Object.fromEntries(headers),
    }),
  )
  const batch = await RecordBatch({
    compression,
    firstTimestamp,
    maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
    lastOffsetDelta: records.length - 1,
    records: encoded,
  })
  return batch.buffer
}

/** What our port uses, in its own form. The wasm library is one a process and was started by `prepare`. */
function zstdWithoutOurWalk(): Codec {
  const { zstdCompressSync, zstdDecompressSync } = zlib as Record<string, unknown>
  if (zstdCompressSync === undefined) return requireOfPlatform('@bokuweb/zstd-wasm')
  return {
    compress: zstdCompressSync as Codec['compress'],
    decompress: zstdDecompressSync as Codec['decompress'],
  }
}

/** The chunks of xerial's framing, by snappyjs; 16 bytes of header before them. */
function readXerial(input: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let position = 16; position < input.length; ) {
    const end = position + 4 + input.readInt32BE(position)
    chunks.push(snappyjs.uncompress(input.subarray(position + 4, end)))
    position = end
  }
  return Buffer.concat(chunks)
}
