// What a record costs to write into a batch and to read from it (PERFORMANCE 3 and 5). By hand:
//   npx tsx --conditions=@minikafka/source scripts/bench-records.ts
import { crc32c, nodeEnv } from '@minikafka/platform'
import { BatchReader, BatchWriter, murmur2 } from '@minikafka/protocol'

const { clock, compress } = nodeEnv()
const BATCH_BYTES = 512 * 1024
const ROUNDS = 7
const ROUND_MS = 400

const plain = { compression: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 } as const
const buffer = Buffer.alloc(BATCH_BYTES)
const writer = new BatchWriter(buffer)

type Data = Buffer | string | null

/** Median over the rounds, in nanoseconds a unit; `work` returns how many units it did. */
function measure(name: string, work: () => number): void {
  const results: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = clock.monotonicMs()
    let units = 0
    let elapsed = 0
    while (elapsed < ROUND_MS) {
      units += work()
      elapsed = clock.monotonicMs() - start
    }
    results.push((elapsed * 1e6) / units)
  }
  results.sort((a, b) => a - b)
  console.log(`${name.padEnd(48)} ${(results[ROUNDS >> 1] as number).toFixed(1).padStart(8)} ns`)
}

function fill(key: Data, value: Data, headers?: [string, Data][]): number {
  writer.reset(buffer)
  const now = 1_700_000_000_000
  while (writer.tryAppend(now + (writer.recordCount >> 8), key, value, headers));
  return writer.recordCount
}

const key = 'customer9'
const value = Buffer.alloc(100, 'v')
const text = 'v'.repeat(100)
const headers: [string, Data][] = [['source', 'web']]
const cases: [string, Data, Data, [string, Data][] | undefined][] = [
  ['100 B value', null, value, undefined],
  ['100 B value, 9 B key as string', key, value, undefined],
  ['100 B value, 9 B key as bytes', Buffer.from(key), value, undefined],
  ['100 chars value, key as string', key, text, undefined],
  ['100 B value, key, one header', key, value, headers],
  ['1 KiB value', null, Buffer.alloc(1024, 'v'), undefined],
]
for (const [name, key, value, headers] of cases) {
  measure(`encode ${name}`, () => fill(key, value, headers))
}
for (const [name, key, value, headers] of cases) {
  fill(key, value, headers)
  const batch = Buffer.from(writer.seal(compress, plain))
  measure(`decode ${name}`, () => {
    const reader = new BatchReader(batch, compress)
    let sum = 0
    while (reader.next()) sum += reader.valueSize + reader.keySize
    if (sum === 0) throw new Error('unreachable')
    return reader.header.recordCount
  })
}
fill(key, value)
const kib = writer.sizeBytes / 1024
once('seal, a batch', 1, () => writer.seal(compress, plain))
once('crc32c, a KiB', BATCH_BYTES / 1024, () => crc32c(buffer))
measure('murmur2, a 9 B key', () => {
  const bytes = Buffer.from(key)
  let sum = 0
  for (let index = 0; index < 10_000; index++) sum ^= murmur2(bytes)
  return sum === 1 ? 1 : 10_000
})
for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  await compress.prepare(compression)
  const options = { ...plain, compression }
  const sealed = writer.seal(compress, options)
  once(`compress ${compression}, a KiB`, kib, () => writer.seal(compress, options))
  once(`decompress ${compression}, a KiB`, kib, () => new BatchReader(sealed, compress))
}

/** A call that does `units` at once. */
function once(name: string, units: number, work: () => unknown): void {
  measure(name, () => {
    work()
    return units
  })
}
