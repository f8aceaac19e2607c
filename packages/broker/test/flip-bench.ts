// A data directory with acknowledged records, kept as bytes: written onto a simulated disk, changed somewhere, started, read.
// Enters: a change. Leaves: what became of the records: right, named as unreadable, refused with a file's name. Anything
// else throws.
import { openEmbeddedStore } from '@minikafka/cluster'
import type { Env } from '@minikafka/platform'
import {
  BatchWriter,
  batchesIn,
  Connection,
  decodeBatch,
  type ErrorName,
  errorName,
  isMinikafkaError,
} from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { type Broker, LiveConfig, startBroker } from '../src/index.ts'

export const DATA = '/data'
const NODE = 'broker'
const TOPIC = 'orders'
const PARTITIONS = 2
/** Of partition 1: its log begins here. */
const DELETED_BELOW = 30
const TIMEOUT_MS = 30_000
const SEGMENT_BYTES = 8192
const FETCH_BYTES = 64 * 1024

export type Files = ReadonlyMap<string, Buffer>

/** What one partition has been told to keep. */
type Kept = { readonly values: Map<number, string>; nextSequence: number }

export type Story = {
  readonly topicId: string
  readonly producerId: number
  readonly kept: readonly Kept[]
  /** At the end. */
  readonly files: Files
  /** At an earlier stop, when there was less. */
  readonly oldFiles: Files
}

export type Outcome = {
  /** Records that came as they were sent. */
  right: number
  /** Offsets that were answered with an error that names them, or that the reader's own checksum refused. */
  named: number
  /** Of those the latter. */
  byReader: number
  /** The broker did not start, and said which file is wrong. */
  refused: number
}

/** One broker on one disk. */
export class FlipBench {
  readonly world: World
  #broker: Broker | undefined
  #connection: Connection | undefined

  private constructor(world: World) {
    this.world = world
  }

  static async make(files: Files = new Map()): Promise<FlipBench> {
    const world = createWorld({ seed: 1, logLevel: 'error' })
    const bench = new FlipBench(world)
    await world.complete(write(world.start(NODE), files))
    world.kill(NODE)
    return bench
  }

  /** Of the broker's disk, also while it runs. */
  flip(path: string, bit: number): void {
    this.world.disk(NODE).flipBit(path, bit >> 3, bit & 7)
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('the broker runs')
    return this.#connection
  }

  async start(): Promise<void> {
    const flags = {
      'data.dir': DATA,
      host: NODE,
      port: '9092',
      'allow.insecure': 'true',
      'log.segment.bytes': String(SEGMENT_BYTES),
      'log.scrub.interval.ms': '1m',
    }
    const env = this.world.start(NODE, { namesTimers: false })
    const config = new LiveConfig({ flags: new Map(Object.entries(flags)) })
    try {
      this.#broker = await this.world.complete(startBroker(env, config))
    } catch (error) {
      this.world.kill(NODE)
      throw error
    }
    const who = { clientName: 'test', clientVersion: '0', clientId: 'test' }
    const opening = Connection.open(this.world.env('client'), {
      host: NODE,
      port: 9092,
      timeoutMs: TIMEOUT_MS,
      ...who,
    })
    this.#connection = await this.world.complete(opening)
  }

  async stop(how: 'clean' | 'kill'): Promise<void> {
    this.#connection?.close()
    if (how === 'clean' && this.#broker) await this.world.complete(this.#broker.close())
    this.world.kill(NODE)
  }

  files(): Files {
    const disk = this.world.disk(NODE)
    const paths = disk.files(DATA).map(({ path }) => path)
    return new Map(paths.map((path) => [path, disk.read(path) as Buffer]))
  }

  // --- what a client does ------------------------------------------------------------------------

  call<T>(work: Promise<T>): Promise<T> {
    return this.world.complete(work)
  }

  async produce(
    story: Pick<Story, 'topicId' | 'producerId'>,
    partition: number,
    { values, baseSequence }: { values: readonly string[]; baseSequence: number },
  ): Promise<{ error: ErrorName | 'NONE'; baseOffset: number }> {
    const writer = new BatchWriter(Buffer.alloc(16 * 1024))
    for (const value of values) writer.tryAppend(1_767_225_600_000, null, value, undefined)
    const { topicId, producerId } = story
    const about = { compression: 'none' as const, producerId, producerEpoch: 0, baseSequence }
    const batch = writer.seal(this.world.env('client').compress, about)
    const appends = [{ topicId, partition, batch }]
    const { results } = await this.call(
      this.connection.call(
        'produce',
        { acks: -1, timeoutMs: TIMEOUT_MS, trace: false, appends },
        { timeoutMs: TIMEOUT_MS },
      ),
    )
    const { errorCode = -1, baseOffset = -1 } = results[0] ?? {}
    return { error: errorCode === 0 ? 'NONE' : errorName(errorCode), baseOffset }
  }

  async offset(topicId: string, partition: number, timestamp: number) {
    const request = {
      isolation: 0,
      partitions: [{ topicId, partition, leaderEpoch: -1, timestamp }],
    }
    const { results } = await this.call(
      this.connection.call('listOffsets', request, { timeoutMs: TIMEOUT_MS }),
    )
    const { errorCode = -1, errorMessage = '', offset = -1 } = results[0] ?? {}
    return { error: errorCode === 0 ? 'NONE' : errorName(errorCode), errorMessage, offset }
  }

  /** As a client reads: the CRC is its business. */
  async fetch(topicId: string, partition: number, fetchOffset: number) {
    const wanted = {
      topicId,
      partition,
      leaderEpoch: -1,
      fetchOffset,
      lastFetchedEpoch: -1,
      durableOffset: -1,
      logStartOffset: -1,
      suspectOffset: -1,
      maxBytes: FETCH_BYTES,
    }
    const asConsumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
    const bounds = { isolation: 0, maxWaitMs: 0, minBytes: 0, maxBytes: FETCH_BYTES }
    const request = { ...asConsumer, ...bounds, partitions: [wanted] }
    const { results } = await this.call(
      this.connection.call('fetch', request, { timeoutMs: TIMEOUT_MS }),
    )
    const [result] = results
    if (result === undefined) throw new Error('one was asked for, one is answered')
    const error = result.errorCode === 0 ? ('NONE' as const) : errorName(result.errorCode)
    return { error, message: result.errorMessage, batches: result.records.flatMap(batchesIn) }
  }
}

async function write({ disk }: Env, files: Files): Promise<void> {
  await disk.makeDirectory(DATA)
  for (const [path, content] of files) {
    const directory = path.slice(0, path.lastIndexOf('/'))
    await disk.makeDirectory(directory)
    const file = await disk.open(path, 'create')
    await file.append([content], 0)
    await file.sync()
    await file.close()
    await disk.syncDirectory(directory)
    await disk.syncDirectory(`${directory}/..`)
  }
}

// --- the story ---------------------------------------------------------------------------------

/** Four lives of a broker: records, a clean stop, a kill, deleted records, a snapshot of the metadata, more records. */
export async function tellStory(end: 'clean' | 'kill'): Promise<Story> {
  const bench = await FlipBench.make()
  await bench.start()
  const topicId = await createTopic(bench)
  const asked = {
    transactionalId: null,
    transactionTimeoutMs: -1,
    producerId: -1,
    producerEpoch: -1,
  }
  const { producerId } = await bench.call(
    bench.connection.call('initProducerId', asked, { timeoutMs: TIMEOUT_MS }),
  )
  const kept = Array.from({ length: PARTITIONS }, () => ({ values: new Map(), nextSequence: 0 }))
  const about = { topicId, producerId, kept }
  await produceSome(bench, about, 24)
  await bench.stop('clean')
  const oldFiles = bench.files()
  await bench.start()
  await produceSome(bench, about, 12)
  await bench.stop('kill')
  await bench.start()
  const partitions = [{ topicId, partition: 1, beforeOffset: DELETED_BELOW }]
  await bench.call(
    bench.connection.call(
      'deleteRecords',
      { partitions, timeoutMs: TIMEOUT_MS },
      { timeoutMs: TIMEOUT_MS },
    ),
  )
  await produceSome(bench, about, 12)
  await bench.stop('clean')
  await bench.call(makeSnapshot(bench.world.start(NODE)))
  bench.world.kill(NODE)
  await bench.start()
  await produceSome(bench, about, 4)
  // The floor follows within 100 ms, and the checkpoints within 5 s.
  await bench.world.clock.advance('6s')
  await bench.stop(end)
  const files = bench.files()
  bench.world.close()
  return { ...about, files, oldFiles }
}

async function createTopic(bench: FlipBench): Promise<string> {
  const topic = { name: TOPIC, partitions: PARTITIONS, replicationFactor: 1, configs: [] }
  const request = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }
  const { results } = await bench.call(
    bench.connection.call('createTopics', request, { timeoutMs: TIMEOUT_MS }),
  )
  return results[0]?.topicId ?? ''
}

async function produceSome(
  bench: FlipBench,
  { topicId, producerId, kept }: Omit<Story, 'files' | 'oldFiles'>,
  batches: number,
): Promise<void> {
  for (const [partition, { values }] of kept.entries()) {
    for (let count = 0; count < batches; count++) {
      const batch = [0, 1, 2].map((index) => `${partition}:${values.size + index}`.padEnd(150, '.'))
      await appendKept(bench, { topicId, producerId, kept }, partition, batch)
    }
  }
}

async function appendKept(
  bench: FlipBench,
  story: Omit<Story, 'files' | 'oldFiles'>,
  partition: number,
  batch: readonly string[],
): Promise<void> {
  const kept = story.kept[partition] as Kept
  const sent = { values: batch, baseSequence: kept.nextSequence }
  const { error, baseOffset } = await bench.produce(story, partition, sent)
  if (error !== 'NONE' || baseOffset < kept.values.size)
    throw new Error(`${error} at ${baseOffset}, ${kept.values.size} records are there`)
  for (const [index, value] of batch.entries()) kept.values.set(baseOffset + index, value)
  kept.nextSequence += batch.length
}

/** A tiny limit makes the next change of the metadata write its snapshot. */
async function makeSnapshot(env: Env): Promise<void> {
  const store = await openEmbeddedStore(env, { directory: DATA, logBytesMax: 100 })
  await store.txn([], [{ op: 'put', key: 'test', value: '1' }], [])
  await store.close()
}

// --- the judge ---------------------------------------------------------------------------------

/** Starts what was changed, reads all, goes on with it, and looks again after a restart. */
export async function judge(story: Story, bench: FlipBench, changed: string): Promise<Outcome> {
  const outcome: Outcome = { right: 0, named: 0, byReader: 0, refused: 0 }
  try {
    await bench.start()
  } catch (error) {
    checkRefusal(error, changed)
    outcome.refused++
    return outcome
  }
  const kept = await readAll(story, bench, outcome)
  await goOn({ ...story, kept }, bench)
  await bench.stop('clean')
  await bench.start()
  await readAll({ ...story, kept }, bench, outcome)
  await bench.stop('clean')
  return outcome
}

export function checkRefusal(error: unknown, changed: string): void {
  const { name, message } = error as Error
  const isOurs = ['StartError', 'StoreDamaged'].includes(name) || isMinikafkaError(error)
  if (!isOurs || !message.includes(changed)) throw error
}

/** Errors: whatever is neither right nor named. Returns what is kept, to go on with. */
export async function readAll(story: Story, bench: FlipBench, outcome: Outcome): Promise<Kept[]> {
  const copies: Kept[] = []
  for (const [partition, kept] of story.kept.entries()) {
    await readPartition(story, bench, partition, outcome)
    copies.push({ values: new Map(kept.values), nextSequence: kept.nextSequence })
  }
  return copies
}

async function readPartition(
  { topicId, kept }: Story,
  bench: FlipBench,
  partition: number,
  outcome: Outcome,
): Promise<void> {
  const { values } = kept[partition] as Kept
  const endOffset = Math.max(...values.keys()) + 1
  const where = (offset: number) => `partition ${partition} offset ${offset}`
  const first = await bench.offset(topicId, partition, -2)
  const last = await bench.offset(topicId, partition, -1)
  if (first.error !== 'NONE') {
    checkNamed(first.error, first.errorMessage, where(-1))
    outcome.named += values.size
    return
  }
  if (last.error === 'NONE' && last.offset !== endOffset)
    throw new Error(`${where(last.offset)}: the log ends there, not at ${endOffset}`)
  const expectedStart = partition === 1 ? DELETED_BELOW : 0
  if (first.offset > expectedStart) throw new Error(`${where(first.offset)}: begins too late`)
  for (let next = first.offset; next < endOffset; ) {
    const { error, message, batches } = await bench.fetch(topicId, partition, next)
    if (error !== 'NONE') {
      checkNamed(error, message, where(next))
      outcome.named++
      next++
      continue
    }
    if (batches.length === 0) throw new Error(`${where(next)}: nothing comes`)
    for (const batch of batches) {
      const expected = next
      next = readBatch(batch, next)
      // Behind a wrong CRC nothing of the answer is sure.
      if (next === expected + 1) break
    }
  }

  function readBatch(batch: Uint8Array, next: number): number {
    let expected = next
    try {
      for (const { offset, value } of decodeBatch(batch, bench.world.env('client').compress)) {
        if (offset < expected) continue
        if (offset !== expected || String(value) !== values.get(offset))
          throw new Error(`${where(expected)}: ${offset} ${String(value)}`)
        expected++
        outcome.right++
      }
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'CORRUPT_MESSAGE') throw error
      outcome.named++
      outcome.byReader++
      return next + 1
    }
    if (expected === next) throw new Error(`${where(next)}: a batch without records`)
    return expected
  }
}

function checkNamed(error: string, message: string | null, where: string): void {
  const isNamed = error === 'KAFKA_STORAGE_ERROR' && message !== null && message !== ''
  if (!isNamed) throw new Error(`${where}: ${error} ${message}`)
}

/** A retry of what was acknowledged is no new record, and a new record goes behind all others. */
async function goOn(story: Story, bench: FlipBench): Promise<void> {
  for (const [partition, kept] of story.kept.entries()) {
    const { values, nextSequence } = kept
    const lastOffsets = [...values.keys()].slice(-3)
    const batch = lastOffsets.map((offset) => values.get(offset) as string)
    const again = { values: batch, baseSequence: nextSequence - 3 }
    const retry = await bench.produce(story, partition, again)
    if (retry.error === 'NONE' && retry.baseOffset !== lastOffsets[0])
      throw new Error(`partition ${partition}: a retry was written again at ${retry.baseOffset}`)
    if (retry.error !== 'NONE') continue
    await appendKept(bench, story, partition, ['x', 'y', 'z'])
  }
}
