// The records inside a batch, behind a header and a CRC that fit: through all codecs and the consumer's decoder.
// Compressed nonsense, nonsense compressed, and bombs: bodies that grow a thousandfold, or say that they do.
// Holds: refused by name, with the offset to go on at; the body is bounded by the input; no view leaves it; time, too.
import { BATCH_HEADER_SIZE, BatchReader, isMinikafkaError } from '@minikafka/protocol'
import { Decoder } from '../../../client/src/consumer/decoder.ts'
import { type FetchedRecord, RecordBatch } from '../../../client/src/consumer/record.ts'
import { json, text, topic } from '../../../client/src/topic/index.ts'
import {
  batchOf,
  CODECS,
  compress,
  HEADER_FIELDS,
  prepareCodecs,
  summed,
  withLength,
} from '../batches.ts'
import { type Dice, diceOf } from '../dice.ts'
import { linear } from '../linear.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'

const REFUSALS = ['INVALID_RECORD', 'CORRUPT_MESSAGE', 'UNSUPPORTED_COMPRESSION_TYPE']
const MIB = 2 ** 20
const BODY_BYTES_MAX = 64 * MIB
const BODY_RATIO_MAX = 200
const CODEC_MASK = 7
/** Of records, as a header may claim. */
const COUNTS = [0, 1, 19, 21, 2 ** 31 - 1, -1]

export const records: Target = {
  name: 'records',
  share: 160,
  sessionSize: 10_000,
  checkEvery: 10_000,
  rssBytesMax: 400 * MIB,
  seeds,
  generate,
  open: async () => session,
}

async function seeds(): Promise<readonly Buffer[]> {
  await prepareCodecs()
  const usual = CODECS.map((compression) => batchOf(20, { compression }))
  const bombs = CODECS.map((compression) => batchOf(4, { compression, valueSize: 700_000 }))
  return [batchOf(1), ...Array(6).fill(usual).flat(), ...bombs.slice(1)]
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const bodies = seeds.map((other) => other.subarray(BATCH_HEADER_SIZE))
  if (dice.chance(0.5)) return recompressed(dice, bodies)
  const batch = dice.pick(seeds)
  const header = Buffer.from(batch.subarray(0, BATCH_HEADER_SIZE))
  const body = mutate(batch.subarray(BATCH_HEADER_SIZE), dice, bodies)
  if (dice.chance(0.1)) header.writeInt32BE(dice.pick(COUNTS), HEADER_FIELDS.recordCount[0])
  return summed(withLength(Buffer.concat([header, body])))
}

/** Wrong records, rightly compressed, under a codec of any name. */
function recompressed(dice: Dice, bodies: readonly Buffer[]): Buffer {
  const batch = batchOf(1 + dice.below(20))
  const header = batch.subarray(0, BATCH_HEADER_SIZE)
  let body: Buffer = batch.subarray(BATCH_HEADER_SIZE)
  if (dice.chance(0.6)) body = mutate(body, dice, bodies)
  const codec = dice.below(CODECS.length)
  header.writeInt16BE(codec, HEADER_FIELDS.attributes[0])
  const name = CODECS[codec] ?? 'none'
  if (name !== 'none') body = compress.compress(name, body)
  return summed(withLength(Buffer.concat([header, body])))
}

const session: Session = {
  feed: (input) => linear(input, () => feed(input)),
  check: async () => {},
  close: async () => {},
}

function feed(input: Buffer): string {
  let reader: BatchReader
  try {
    reader = new BatchReader(input, compress)
  } catch (error) {
    return refusalOf(error)
  }
  expectBounded(reader, input)
  const answer = walk(reader)
  expectDecoded(input, answer)
  return answer
}

function expectBounded({ body, header }: BatchReader, input: Buffer): void {
  const size = input.length - BATCH_HEADER_SIZE
  const allowed = Math.min(BODY_BYTES_MAX, Math.max(MIB, size * BODY_RATIO_MAX))
  const isPlain = (header.attributes & CODEC_MASK) === 0
  if (body.length > (isPlain ? size : allowed)) {
    throw new Finding(`${body.length} bytes came out of ${size}`)
  }
}

/** Record by record, as a consumer does. */
function walk(reader: BatchReader): string {
  const { body, header } = reader
  let count = 0
  let before = header.baseOffset - 1
  try {
    while (reader.next()) {
      count++
      const { offset, keyStart, keySize, valueStart, valueSize } = reader
      if (offset <= before || offset > header.lastOffset) throw new Finding(`offset ${offset}`)
      before = offset
      expectInside(body, keyStart, keySize)
      expectInside(body, valueStart, valueSize)
    }
  } catch (error) {
    return refusalOf(error)
  }
  if (count !== header.recordCount) throw new Finding(`${count} of ${header.recordCount} records`)
  return ACCEPTED
}

function expectInside(body: Buffer, start: number, size: number): void {
  if (start < 0 || start + Math.max(size, 0) > body.length) {
    throw new Finding(`a view from ${start} of ${size} bytes leaves the body`)
  }
}

/** The client's decoder comes to the same end, and says where to go on. */
function expectDecoded(input: Buffer, answer: string): void {
  const reader = new BatchReader(input, compress)
  const home = {
    topic: 'orders',
    partition: 0,
    signal: () => AbortSignal.abort(),
    readGeneration: 0,
    ack() {},
  }
  const records: FetchedRecord[] = []
  const asJson = diceOf(input, 'topic').chance(0.3)
  const like = asJson ? topic('orders', { key: text(), value: json() }) : 'orders'
  const batch = new RecordBatch(home, reader, input, compress)
  const outcome = new Decoder(like).decode(reader, batch, records, 0)
  if (outcome instanceof Promise) throw new Finding('a codec of ours answered with a promise')
  for (const record of records) for (const [name] of record.headers) void name.length
  if (outcome === undefined) {
    if (answer !== ACCEPTED) throw new Finding(`the decoder accepted what is ${answer}`)
    return
  }
  const { record, offset, nextOffset } = outcome
  const expected = record === undefined ? reader.header.lastOffset + 1 : offset + 1
  if (nextOffset !== expected) throw new Finding(`goes on at ${nextOffset} instead of ${expected}`)
}

function refusalOf(error: unknown): string {
  if (isMinikafkaError(error) && REFUSALS.includes(error.name)) return error.name
  throw error
}
