import type { Env } from '@minikafka/platform'
import { BatchWriter, CallHolding, Holding } from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LiveConfig, resolveTopic } from '../config/index.ts'
import { DataDirectory } from '../log/index.ts'
import { MemoryBudget } from '../memory-budget.ts'
import { Partitions } from '../partition/index.ts'
import type { Rooms } from '../rooms.ts'
import { fetch } from './01-fetch.ts'
import type { Context } from './context.ts'

const TOPIC_ID = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'
const MIB = 1024 * 1024
const BATCH_BYTES = 100_000
const PARTITIONS = 8

let world: World
let env: Env
let memory: MemoryBudget
let context: Context
let stopping: AbortController

/** Eight partitions of 1 MB, none of it in memory, behind a budget of 16 MiB. */
beforeEach(async () => {
  world = createWorld({ seed: 1, clock: 'jumping' })
  env = world.env('broker')
  context = await world.complete(makeContext())
})

afterEach(() => world.close())

async function makeContext(): Promise<Context> {
  const config = new LiveConfig({ flags: new Map() })
  const directory = await DataDirectory.open(env, {
    path: '/data',
    nodeId: 1,
    clusterIdIfNew: 'c',
    tailBytesMax: 0,
    filesOpenMax: 16,
    logger: env.logger,
  })
  await directory.markOpened(0)
  const values = () => config.values
  const partitions = new Partitions(env, directory, { nodeId: 1, values, holdsLease: () => true })
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const topic = resolveTopic(config.values, new Map())
    await partitions.open({ topic: 't', topicId: TOPIC_ID, partition, values: topic })
    await partitions.lead(TOPIC_ID, partition, {
      leaderId: 1,
      leaderEpoch: 1,
      partitionEpoch: 1,
      isr: [1],
      minIsr: 1,
    })
    const found = partitions.get(TOPIC_ID, partition)
    if ('error' in found) throw new Error(found.message)
    for (let count = 0; count < 10; count++) await found.produce(batch(), -1, 60_000)
  }
  stopping = new AbortController()
  memory = new MemoryBudget(16 * MIB, { setTailBytesMax: () => undefined }, 0)
  let rotation = 0
  // What fetch uses of the broker, and no more.
  const rooms: Partial<Rooms> = {
    config,
    partitions,
    nextRotation: () => rotation++,
    stopping: stopping.signal,
  }
  return {
    env,
    rooms: rooms as Rooms,
    principal: '',
    listener: '',
    clientId: '',
    clientHost: '',
    receivedAtMs: env.clock.monotonicMs(),
    memory: shareOf(memory),
    signal: new AbortController().signal,
    requestDone: () => undefined,
    lend: () => undefined,
    letGo: () => undefined,
    takeBack: () => undefined,
  }
}

/** As the server calls it: what the call took is given back when it is over, behind `answered`. */
async function answer(
  request: Parameters<typeof fetch>[0],
  within: Context = context,
  answered = (_bytes: number): void => undefined,
) {
  const taken = new CallHolding(within.memory)
  try {
    const response = await fetch(request, { ...within, memory: taken })
    const records = response.results.flatMap((result) => result.records)
    answered(records.reduce((sum, { length }) => sum + length, 0))
    return response
  } finally {
    taken.releaseAll()
  }
}

/** Of one connection. */
function shareOf(account: MemoryBudget): Context['memory'] {
  return new Holding(account, () => undefined)
}

function batch(size = BATCH_BYTES): Uint8Array {
  const writer = new BatchWriter(Buffer.alloc(size + 1_000))
  writer.tryAppend(env.clock.wallMs(), null, Buffer.alloc(size), undefined)
  return writer.seal(env.compress, {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
}

function fetchOf(numbers: readonly number[]): Parameters<typeof fetch>[0] {
  return {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 50 * MIB,
    isolation: 0,
    sessionId: 0,
    sessionEpoch: -1,
    brokerEpoch: -1,
    rack: '',
    partitions: numbers.map((partition) => ({
      topicId: TOPIC_ID,
      partition,
      leaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch: -1,
      durableOffset: -1,
      logStartOffset: -1,
      suspectOffset: -1,
      maxBytes: 50 * MIB,
    })),
  }
}

const ALL = Array.from({ length: PARTITIONS }, (_, number) => number)

test('many cold fetches at once stay within the memory budget, each gets something, and all is given back', async () => {
  const countAtOnce = 50
  let heldBytes = 0
  const answers = Array.from({ length: countAtOnce }, async () => {
    let size = 0
    await answer(fetchOf(ALL), { ...context, memory: shareOf(memory) }, (bytes) => {
      // As the outbox of a connection that nobody reads from.
      memory.charge(bytes)
      heldBytes += bytes
      size = bytes
    })
    return size
  })
  const sizes = await world.complete(Promise.all(answers))
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(BATCH_BYTES)
  expect(heldBytes).toBeLessThan(16 * MIB)
  await world.clock.advance('1s')
  expect(memory.bytes).toBe(heldBytes)
})

test('one connection that never reads is answered within its share, then waits', async () => {
  let heldBytes = 0
  for (let count = 0; count < 20; count++) {
    const answering = answer(fetchOf(ALL), context, (bytes) => {
      context.memory.charge(bytes)
      heldBytes += bytes
    })
    await world.complete(answering)
  }
  expect(heldBytes).toBeLessThanOrEqual(2 * MIB)
  expect(memory.free).toBeGreaterThan(13 * MIB)
})

test('a batch that there is no room for is waited for, and comes when there is', async () => {
  const others = memory.free - 8 * (BATCH_BYTES / 2)
  memory.charge(others)
  const beganMs = env.clock.monotonicMs()
  const share = shareOf(memory)
  let charges = 0
  const counting: Context['memory'] = {
    charge(bytes) {
      if (bytes > 0) charges++
      share.charge(bytes)
    },
    release: (bytes) => share.release(bytes),
    get room() {
      return share.room
    },
  }
  const answering = answer({ ...fetchOf([0]), maxWaitMs: 60_000 }, { ...context, memory: counting })
  await world.clock.advance('5s')
  // It was read once, in vain.
  expect(charges).toBe(1)
  memory.release(others)
  const { results } = await world.complete(answering)
  expect(results[0]?.records).not.toEqual([])
  expect(env.clock.monotonicMs() - beganMs).toBeLessThan(6_000)
})

test('a small answer does not keep the large read in memory that it was found in', async () => {
  const partition = context.rooms.partitions.get(TOPIC_ID, 0)
  if ('error' in partition) throw new Error(partition.message)
  await world.complete(Promise.resolve(partition.produce(batch(100), -1, 60_000)))
  await world.complete(Promise.resolve(partition.produce(batch(MIB / 2), -1, 60_000)))
  const [wanted] = fetchOf([0]).partitions
  const partitions = [{ ...wanted, fetchOffset: 10, maxBytes: MIB / 2 } as typeof wanted & {}]
  const { results } = await world.complete(answer({ ...fetchOf([]), partitions }, context))
  const [record] = results[0]?.records ?? []
  expect(record?.length).toBeLessThan(300)
  expect(record?.buffer.byteLength).toBeLessThanOrEqual(2 * (record?.length ?? 0))
})

test('where a limit of the partition cut the answer, more bytes are not waited for', async () => {
  const [wanted] = fetchOf([0]).partitions
  const request = {
    ...fetchOf([]),
    minBytes: 10 * MIB,
    maxWaitMs: 60_000,
    partitions: [{ ...wanted, maxBytes: 250_000 } as NonNullable<typeof wanted>],
  }
  const beganMs = env.clock.monotonicMs()
  const { results } = await world.complete(answer(request, context))
  expect(Buffer.concat(results[0]?.records ?? []).length).toBeGreaterThan(BATCH_BYTES)
  expect(env.clock.monotonicMs() - beganMs).toBeLessThan(60_000)
})

test.each(['the broker stops', 'its connection dies'])('a long poll ends when %s', async (why) => {
  const dying = new AbortController()
  const [wanted] = fetchOf([0]).partitions
  const atEnd = [{ ...wanted, fetchOffset: 10 } as NonNullable<typeof wanted>]
  const request = { ...fetchOf([]), maxWaitMs: 60_000, partitions: atEnd }
  const beganMs = env.clock.monotonicMs()
  const answering = answer(request, { ...context, signal: dying.signal })
  env.clock.soon(() => (why === 'the broker stops' ? stopping : dying).abort())
  await world.complete(answering)
  expect(env.clock.monotonicMs() - beganMs).toBeLessThan(60_000)
  expect(memory.bytes).toBe(0)
})

test('a partition that is listed twice is refused', async () => {
  await expect(world.complete(answer(fetchOf([0, 1, 0]), context))).rejects.toMatchObject({
    name: 'INVALID_REQUEST',
  })
})

test('a read that gives nothing though there is something is tried again after a while, not at once', async () => {
  const found = context.rooms.partitions.get(TOPIC_ID, 0)
  if ('error' in found) throw new Error(found.message)
  let reads = 0
  found.lend = async () => {
    reads++
    return { buffers: [], bytes: 0, nextOffset: 0 }
  }
  const beganMs = env.clock.monotonicMs()
  await world.complete(answer({ ...fetchOf([0]), maxWaitMs: 1_000 }, context))
  expect(env.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(1_000)
  expect(reads).toBeLessThan(20)
})
