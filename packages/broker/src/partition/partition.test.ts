import { DiskError, type Env } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { counted } from '../../test/watched-disk.ts'
import { LiveConfig, resolveTopic } from '../config/index.ts'
import { DataDirectory, withChecksum } from '../log/index.ts'
import type { Acks, Appended } from './appended.ts'
import type { Leadership, Partition } from './partition.ts'
import { Partitions } from './partitions.ts'

const TOPIC_ID = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'
const OTHER_ID = '4c1b6f0e-2a53-4f0e-8a0f-0d7c4f5f9a22'
const NODE = 'broker'
const TIMEOUT_MS = 5_000
const LOG_DIRECTORY = '/data/orders-0'

let world: World
let env: Env
let partition: Partition
let partitions: Partitions
let directory: DataDirectory
let holdsLease: boolean
let partitionEpoch = 0

beforeEach(async () => {
  world = createWorld({ seed: 1, clock: 'held' })
  env = world.env(NODE)
  holdsLease = true
  partition = await world.complete(open({}))
})

afterEach(() => world.close())

async function open(
  topic: Record<string, string>,
  flags: Record<string, string> = {},
): Promise<Partition> {
  const config = new LiveConfig({ flags: new Map(Object.entries(flags)) })
  directory = await DataDirectory.open(env, {
    path: '/data',
    nodeId: 1,
    clusterIdIfNew: 'c',
    tailBytesMax: 1024 * 1024,
    filesOpenMax: 16,
    logger: env.logger,
  })
  await directory.markOpened(0)
  partitions = new Partitions(env, directory, {
    nodeId: 1,
    values: () => config.values,
    holdsLease: () => holdsLease,
  })
  const values = resolveTopic(config.values, new Map(Object.entries(topic)))
  await partitions.open({ topic: 'orders', topicId: TOPIC_ID, partition: 0, values })
  await partitions.lead(TOPIC_ID, 0, led({ leaderId: 1, leaderEpoch: 1, isr: [1], minIsr: 1 }))
  const found = partitions.get(TOPIC_ID, 0)
  if ('error' in found) throw new Error(found.message)
  return found
}

/** Each one newer than those before. */
function led(state: Omit<Leadership, 'partitionEpoch'>): Leadership {
  return { ...state, partitionEpoch: ++partitionEpoch }
}

function batch(
  count = 1,
  producer: { id?: number; sequence?: number; epoch?: number } = {},
): Uint8Array {
  const { id = -1, sequence = -1, epoch = id < 0 ? -1 : 0 } = producer
  const writer = new BatchWriter(Buffer.alloc(4_096))
  for (let index = 0; index < count; index++)
    writer.tryAppend(env.clock.wallMs(), null, `v${index}`, undefined)
  return writer.seal(env.compress, {
    compression: 'none',
    producerId: id,
    producerEpoch: epoch,
    baseSequence: sequence,
  })
}

/** What became of an append; `pending` while nothing has. */
function watch(outcome: Appended | Promise<Appended>) {
  const seen: { result: Appended | 'pending' } = { result: 'pending' }
  void Promise.resolve(outcome).then((result) => {
    seen.result = result
  })
  return seen
}

const sizeOf = (content: Uint8Array | readonly Uint8Array[]) =>
  content instanceof Uint8Array
    ? content.length
    : content.reduce((size, slice) => size + slice.length, 0)

const produce = (bytes: Uint8Array, acks: Acks = -1) =>
  watch(partition.produce(bytes, acks, TIMEOUT_MS))

test.each<Acks>([-1, 1])('acks %d waits for the fdatasync that covers the batch', async (acks) => {
  world.disk(NODE).stall('1s')
  const seen = produce(batch(3), acks)
  await world.clock.advance('900ms')
  expect(seen.result).toBe('pending')
  expect(partition.highWatermark).toBe(0)
  await world.clock.advance('2s')
  expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(partition.highWatermark).toBe(3)
})

test('acks 0 waits for nothing', async () => {
  world.disk(NODE).stall('1s')
  const seen = produce(batch(), 0)
  await world.clock.advance('1ms')
  expect(seen.result).toMatchObject({ error: 'NONE' })
})

test('with flush=os what is written is committed, without a sync', async () => {
  partition = await world.complete(reopened({ flush: 'os' }))
  // The epoch of the first batch is synced whatever the policy.
  produce(batch())
  await world.clock.advance('1s')
  world.disk(NODE).failSync(100)
  const seen = produce(batch(2))
  await world.clock.advance('10ms')
  expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
  expect(partition.highWatermark).toBe(3)
})

test('a deadline that passes is ambiguous: the batch is there all the same', async () => {
  world.disk(NODE).stall('20s')
  const seen = produce(batch())
  await world.clock.advance('6s')
  expect(seen.result).toMatchObject({ error: 'REQUEST_TIMED_OUT', written: 1 })
  await world.clock.advance('30s')
  expect(partition.highWatermark).toBe(1)
})

test('a duplicate waits until its original is committed, and gets its offset', async () => {
  world.disk(NODE).stall('1s')
  const first = produce(batch(2, { id: 7, sequence: 0 }))
  const again = produce(batch(2, { id: 7, sequence: 0 }))
  await world.clock.advance('500ms')
  expect([first.result, again.result]).toEqual(['pending', 'pending'])
  await world.clock.advance('2s')
  expect(again.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(partition.highWatermark).toBe(2)
})

test('batches that are queued and not yet written already count for the sequence', async () => {
  world.disk(NODE).stall('1s')
  produce(batch(2, { id: 7, sequence: 0 }))
  const next = produce(batch(1, { id: 7, sequence: 2 }))
  const gap = produce(batch(1, { id: 7, sequence: 9 }))
  await world.clock.advance('3s')
  expect(next.result).toMatchObject({ error: 'NONE', baseOffset: 2 })
  expect(gap.result).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', written: 0 })
})

test('producer state is rebuilt from the log: a duplicate is known after a restart', async () => {
  produce(batch(2, { id: 7, sequence: 0 }))
  produce(batch(3, { id: 7, sequence: 2 }))
  await world.clock.advance('1s')
  world.powerCut(NODE)
  env = world.env(NODE)
  partition = await world.complete(open({}))
  const again = produce(batch(2, { id: 7, sequence: 0 }))
  const next = produce(batch(1, { id: 7, sequence: 5 }))
  await world.clock.advance('1s')
  expect(again.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(next.result).toMatchObject({ error: 'NONE', baseOffset: 5 })
})

test('after a kill the log is read once: what is scanned tells of the producers, too', async () => {
  for (let sequence = 0; sequence < 200; sequence++) produce(batch(1, { id: 7, sequence }))
  await world.clock.advance('6s')
  world.kill(NODE)
  const after = world.env(NODE)
  await world.complete(after.disk.removeFile('/data/recovery-point'))
  let readBytes = 0
  const read = (path: string, bytes: number) => {
    if (path.endsWith('.log')) readBytes += bytes
  }
  env = { ...after, disk: counted(after.disk, { read }) }
  partition = await world.complete(open({}))
  expect(readBytes).toBe(partition.log?.sizeBytes)
  const again = produce(batch(1, { id: 7, sequence: 199 }))
  await world.clock.advance('1s')
  expect(again.result).toMatchObject({ error: 'NONE', baseOffset: 199 })
})

test('producers whose batches lie before what is scanned are known as well, without a snapshot', async () => {
  const small = { 'segment.bytes': '4KiB' }
  partition = await world.complete(reopened(small))
  produce(batch(1, { id: 7, sequence: 0 }))
  for (let sequence = 0; sequence < 200; sequence++) {
    produce(batch(1, { id: 8, sequence }))
    await world.clock.advance('10ms')
  }
  await world.clock.advance('6s')
  expect(partition.log?.segmentCount).toBeGreaterThan(2)
  world.kill(NODE)
  env = world.env(NODE)
  const { disk } = env
  await world.complete(disk.replaceFile(`${LOG_DIRECTORY}/producer-snapshot`, Buffer.from('?')))
  partition = await world.complete(open(small))
  const first = produce(batch(1, { id: 7, sequence: 0 }))
  const last = produce(batch(1, { id: 8, sequence: 199 }))
  await world.clock.advance('1s')
  expect(first.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(last.result).toMatchObject({ error: 'NONE', baseOffset: 200 })
})

test('a write that fails for want of space is ambiguous; the next one has the sequence and the offset of the failed', async () => {
  produce(batch(1, { id: 7, sequence: 0 }))
  await world.clock.advance('1s')
  world.disk(NODE).fill()
  const failed = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(failed.result).toMatchObject({ error: 'STORAGE_FULL', written: 1 })
  world.disk(NODE).heal()
  const again = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(again.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
})

test('after a failed write each producer goes on where it was, also when its written records are deleted', async () => {
  for (const sequence of [0, 1]) produce(batch(1, { id: 7, sequence }))
  await world.clock.advance('1s')
  await world.complete(partition.log?.deleteBefore(2) ?? Promise.resolve())
  world.disk(NODE).fill()
  const failed = [2, 3, 4, 5, 6].map((sequence) => produce(batch(1, { id: 7, sequence })))
  await world.clock.advance('1s')
  for (const { result } of failed) expect(result).toMatchObject({ written: 1 })
  const gap = produce(batch(1, { id: 7, sequence: 3 }))
  const duplicate = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(gap.result).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', written: 0 })
  expect(duplicate.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
  world.disk(NODE).heal()
  const again = produce(batch(1, { id: 7, sequence: 2 }))
  await world.clock.advance('1s')
  expect(again.result).toMatchObject({ error: 'NONE', baseOffset: 2 })
})

test('a retry is recognized after a power cut although its records were deleted before', async () => {
  for (const sequence of [0, 1, 2]) produce(batch(1, { id: 7, sequence }))
  await world.clock.advance('1s')
  await world.complete(partition.log?.deleteBefore(2) ?? Promise.resolve())
  produce(batch(1, { id: 7, sequence: 3 }))
  await world.clock.advance('1s')
  world.powerCut(NODE)
  env = world.env(NODE)
  partition = await world.complete(open({}))
  const answers = [0, 3, 4].map((sequence) => produce(batch(1, { id: 7, sequence })))
  await world.clock.advance('1s')
  expect(answers.map(({ result }) => result)).toMatchObject([
    { error: 'NONE', baseOffset: 0 },
    { error: 'NONE', baseOffset: 3 },
    { error: 'NONE', baseOffset: 4 },
  ])
})

test('after a clean stop few producers are known without a file of their own, many from theirs', async () => {
  const path = `${LOG_DIRECTORY}/producer-snapshot`
  for (let id = 1; id <= 4; id++) produce(batch(1, { id, sequence: 0 }))
  await world.complete(stopped())
  expect(await world.complete(env.disk.stat(path))).toBeUndefined()
  partition = await world.complete(open({}))
  for (let id = 1; id <= 5; id++) {
    const seen = produce(batch(1, { id, sequence: 0 }))
    await world.clock.advance('1s')
    expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: id - 1 })
  }
  await world.complete(stopped())
  expect(await world.complete(env.disk.stat(path))).toBeDefined()
  partition = await world.complete(open({}))
  const [first, next] = [produce(batch(1, { id: 1, sequence: 0 })), produce(batch(1))]
  await world.clock.advance('1s')
  expect([first.result, next.result]).toMatchObject([{ baseOffset: 0 }, { baseOffset: 5 }])
})

test('what a clean stop tells of producers is not believed when the log went on since', async () => {
  produce(batch(1, { id: 7, sequence: 0 }))
  await world.complete(stopped())
  partition = await world.complete(open({}))
  produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  partition = await world.complete(reopened({}))
  const known = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(known.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
})

test('a partition that could not take its log says nothing of its producers at a clean stop', async () => {
  for (let id = 1; id <= 5; id++) produce(batch(1, { id, sequence: 0 }))
  await world.complete(stopped())
  const unreadable = Promise.reject(new DiskError('EACCES', 'not allowed', 'producer-snapshot'))
  unreadable.catch(() => undefined)
  const { disk } = env
  const readFile: typeof disk.readFile = (path) =>
    path.endsWith('producer-snapshot') ? unreadable : disk.readFile(path)
  env = { ...env, disk: { ...counted(disk, {}), readFile } }
  partition = await world.complete(open({}))
  expect(partition.offline).toBeDefined()
  await world.complete(stopped())
  partition = await world.complete(open({}))
  const known = produce(batch(1, { id: 1, sequence: 0 }))
  await world.clock.advance('1s')
  expect(known.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
})

test('producers saved beside the log are known at the next start; a damaged snapshot is not believed', async () => {
  for (const sequence of [0, 1]) produce(batch(1, { id: 7, sequence }))
  await world.clock.advance('1s')
  await world.complete(partition.saveProducers())
  partition = await world.complete(reopened({}))
  const known = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(known.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
  const path = `${LOG_DIRECTORY}/producer-snapshot`
  await world.complete(env.disk.replaceFile(path, Buffer.from('{"producers": []}\n')))
  partition = await world.complete(reopened({}))
  const replayed = produce(batch(1, { id: 7, sequence: 1 }))
  await world.clock.advance('1s')
  expect(replayed.result).toMatchObject({ error: 'NONE', baseOffset: 1 })
})

test('a snapshot says how far it looked also where no producer is known; of an empty log there is none', async () => {
  const path = `${LOG_DIRECTORY}/producer-snapshot`
  await world.complete(partition.saveProducers())
  expect(await world.complete(env.disk.readFile(path))).toBeUndefined()
  produce(batch(3))
  await world.clock.advance('1s')
  await world.complete(partition.saveProducers())
  expect(String(await world.complete(env.disk.readFile(path)))).toContain('"endOffset":3')
})

test('at roll producers are saved, so that no more than the last segments is replayed', async () => {
  const small = { 'segment.bytes': '4KiB' }
  const numbered = (number: number) => batch(20, { id: 7, sequence: number * 20 })
  partition = await world.complete(reopened(small))
  for (let number = 0; number < 100; number++) {
    produce(numbered(number))
    await world.clock.advance('10ms')
  }
  await world.clock.advance('1s')
  const { segmentCount = 0 } = partition.log ?? {}
  expect(segmentCount).toBeGreaterThan(4)
  const saved = await world.complete(env.disk.readFile(`${LOG_DIRECTORY}/producer-snapshot`))
  const { endOffset } = JSON.parse(String(saved).split('\n')[0] ?? '')
  expect(endOffset).toBeGreaterThan(2_000 - 2 * (2_000 / (segmentCount - 1)))
  world.powerCut(NODE)
  env = world.env(NODE)
  partition = await world.complete(open(small))
  const answers = [95, 99, 100].map((number) => produce(numbered(number)))
  await world.clock.advance('1s')
  expect(answers.map(({ result }) => result)).toMatchObject([
    { error: 'NONE', baseOffset: 1_900 },
    { error: 'NONE', baseOffset: 1_980 },
    { error: 'NONE', baseOffset: 2_000 },
  ])
})

test('at roll producers are saved only where much was appended since, however many they are', async () => {
  partition = await world.complete(reopened({ 'segment.bytes': '4KiB' }))
  let savedBytes = 0
  let lastBytes = 0
  const plain = env.disk.replaceFile.bind(env.disk)
  env.disk.replaceFile = (path, content) => {
    if (path.endsWith('/producer-snapshot')) {
      lastBytes = sizeOf(content)
      savedBytes += lastBytes
    }
    return plain(path, content)
  }
  const round = async (sequence: number) => {
    for (let id = 1; id <= 200; id++) produce(batch(20, { id, sequence }))
    await world.clock.advance('1s')
  }
  await round(0)
  const { sizeBytes: before = 0, segmentCount: segmentsBefore = 0 } = partition.log ?? {}
  savedBytes = 0
  for (let number = 1; number <= 5; number++) await round(20 * number)
  const { sizeBytes = 0, segmentCount = 0 } = partition.log ?? {}
  expect(segmentCount - segmentsBefore).toBeGreaterThan(20)
  expect(savedBytes).toBeGreaterThan(0)
  expect(savedBytes).toBeLessThanOrEqual((sizeBytes - before) / 8 + lastBytes)
  // A stop saves them always.
  await world.complete(partitions.saveProducers())
  const saved = await world.complete(env.disk.readFile(`${LOG_DIRECTORY}/producer-snapshot`))
  expect(String(saved)).toContain(`"endOffset":${200 * 20 * 6}`)
})

test('for how long a producer was silent outlives a restart; the time in between does not count', async () => {
  produce(batch(1, { id: 7, sequence: 0 }))
  await world.clock.advance('20h')
  produce(batch(1, { id: 8, sequence: 0 }))
  await world.clock.advance('1h')
  await world.complete(stopped())
  await world.clock.advance('100h')
  partition = await world.complete(open({}))
  const known = () => {
    partitions.expireProducers()
    return [7, 8].map((id) => partition.producers.has(id))
  }
  await world.clock.advance('2h')
  expect(known()).toEqual([true, true])
  await world.clock.advance('2h')
  expect(known()).toEqual([false, true])
  await world.clock.advance('20h')
  expect(known()).toEqual([false, false])
})

test('max.producer.ids holds for all partitions together, also after a restart and for deleted topics', async () => {
  const max = { 'max.producer.ids': '100' }
  partition = await world.complete(reopened({}, max))
  const spec = { topic: 'refunds', topicId: OTHER_ID, values: partition.values, partition: 0 }
  const openOther = async () => {
    await partitions.open(spec)
    const state = led({ leaderId: 1, leaderEpoch: partitionEpoch + 1, isr: [1], minIsr: 1 })
    await partitions.lead(OTHER_ID, 0, state)
    return partitions.get(OTHER_ID, 0) as Partition
  }
  let other = await world.complete(openOther())
  const counts = () => [partition.producers.size, other.producers.size]
  const produceTo = async (to: Partition, from: number, count: number) => {
    for (let id = from; id < from + count; id++)
      void to.produce(batch(1, { id, sequence: 0 }), -1, TIMEOUT_MS)
    await world.clock.advance('1s')
  }
  await produceTo(partition, 0, 60)
  await world.clock.advance('20m')
  await produceTo(other, 100, 60)
  expect(counts()).toEqual([40, 60])
  // All 120 are in the logs; those that were used last are remembered.
  partition = await world.complete(reopened({}, max))
  other = await world.complete(openOther())
  partitions.settleProducers()
  expect(counts()).toEqual([40, 60])
  await world.complete(partitions.delete(OTHER_ID))
  await produceTo(partition, 200, 60)
  expect(partition.producers.size).toBe(100)
})

test('a failed fsync takes the partition offline: those who wait hear that it is unknown, the next that it is not', async () => {
  world.disk(NODE).failSync()
  const waiting = produce(batch())
  await world.clock.advance('1s')
  expect(waiting.result).toMatchObject({ error: 'KAFKA_STORAGE_ERROR', written: 1 })
  const next = produce(batch())
  await world.clock.advance('1s')
  expect(next.result).toMatchObject({ error: 'KAFKA_STORAGE_ERROR', written: 0 })
  expect(partition.highWatermark).toBe(0)
})

test('who may not lead refuses: another leader, too few replicas, a lease that ran out', async () => {
  await world.complete(partition.lead(led({ leaderId: 2, leaderEpoch: 2, isr: [1, 2], minIsr: 1 })))
  expect(partition.produce(batch(), -1, TIMEOUT_MS)).toMatchObject({
    error: 'NOT_LEADER_OR_FOLLOWER',
    written: 0,
  })
  await world.complete(partition.lead(led({ leaderId: 1, leaderEpoch: 3, isr: [1], minIsr: 2 })))
  expect(partition.produce(batch(), -1, TIMEOUT_MS)).toMatchObject({
    error: 'NOT_ENOUGH_REPLICAS',
    written: 0,
  })
  await world.complete(partition.lead(led({ leaderId: 1, leaderEpoch: 4, isr: [1], minIsr: 1 })))
  holdsLease = false
  expect(partition.produce(batch(), 1, TIMEOUT_MS)).toMatchObject({
    error: 'NOT_LEADER_OR_FOLLOWER',
    written: 0,
  })
})

test('a new leadership begins an epoch at the end of the log', async () => {
  produce(batch(2))
  await world.clock.advance('1s')
  await world.complete(partition.lead(led({ leaderId: 1, leaderEpoch: 5, isr: [1], minIsr: 1 })))
  produce(batch(1))
  await world.clock.advance('1s')
  expect(partition.log?.epochs.endOffsetFor(1, 3)).toEqual({ epoch: 1, endOffset: 2 })
  expect(partition.log?.epochs.latest).toBe(5)
})

test('while the writes of an epoch are waited for nothing is appended: the next one would begin elsewhere', async () => {
  world.disk(NODE).stall('1s')
  produce(batch(2))
  const leading = partition.lead(led({ leaderId: 1, leaderEpoch: 5, isr: [1], minIsr: 1 }))
  const early = partition.produce(batch(), -1, TIMEOUT_MS)
  expect(early).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', written: 0 })
  await world.complete(leading)
  const late = produce(batch())
  await world.clock.advance('1s')
  expect(late.result).toMatchObject({ error: 'NONE', baseOffset: 2 })
  expect([1, 2].map((offset) => partition.log?.epochs.epochAt(offset))).toEqual([1, 5])
})

test('a full disk that does not take the epoch fails the batch, reads go on, and it appends when there is space again', async () => {
  produce(batch(2))
  await world.clock.advance('1s')
  world.disk(NODE).fill()
  await world.complete(partition.lead(led({ leaderId: 1, leaderEpoch: 5, isr: [1], minIsr: 1 })))
  const refused = produce(batch())
  await world.clock.advance('1s')
  expect(refused.result).toMatchObject({ error: 'STORAGE_FULL' })
  const slice = await world.complete(Promise.resolve(partition.read(0, 2, 1_000, true)))
  expect(slice.nextOffset).toBe(2)
  world.disk(NODE).heal()
  const seen = produce(batch())
  await world.clock.advance('1s')
  expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: 2 })
  expect(partition.log?.epochs.isDurable).toBe(true)
})

test('an older state of the metadata does not take the place of a newer one, however late it comes', async () => {
  const older = led({ leaderId: 1, leaderEpoch: 2, isr: [1], minIsr: 1 })
  const newer = led({ leaderId: 1, leaderEpoch: 3, isr: [1], minIsr: 1 })
  const both = Promise.all([partition.lead(newer), partition.lead(older)])
  await world.complete(both)
  expect(partition.leadership).toBe(newer)
})

test('an epoch that begins and the state that names it come in one turn: no batch carries the one before', async () => {
  const log = partition.log as NonNullable<typeof partition.log>
  // While the writes of the epoch before are waited for, somebody wants to append in every turn.
  produce(batch(), 0)
  let isLed = false
  const appendInTurns = async () => {
    while (!isLed) {
      produce(batch(), 0)
      await new Promise<void>((resolve) => env.clock.timer(0, resolve))
    }
    produce(batch(), 0)
  }
  void appendInTurns()
  const leading = partition.lead(led({ leaderId: 1, leaderEpoch: 5, isr: [1], minIsr: 1 }))
  void leading.then(() => {
    isLed = true
  })
  await world.complete(leading)
  await world.clock.advance('1s')
  const seen: [number, number | undefined][] = []
  await world.complete(
    log.headers(
      0,
      () => seen.splice(0),
      ({ leaderEpoch, baseOffset }) => seen.push([leaderEpoch, log.epochs.epochAt(baseOffset)]),
    ),
  )
  expect(new Set(seen.map(([written]) => written))).toEqual(new Set([1, 5]))
  for (const [written, begun] of seen) expect(written).toBe(begun)
})

test('an epoch that begins while a write is failing begins where the log ends then', async () => {
  produce(batch(2))
  await world.clock.advance('1s')
  world.disk(NODE).fill(300)
  for (let count = 0; count < 5; count++) produce(batch(10))
  const leading = partition.lead(led({ leaderId: 1, leaderEpoch: 5, isr: [1], minIsr: 1 }))
  await world.complete(leading)
  world.disk(NODE).heal()
  await world.complete(partitions.goOn())
  const { log } = partition
  const end = log?.logEndOffset ?? -1
  const seen = produce(batch())
  await world.clock.advance('1s')
  expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: end })
  expect(log?.epochs.epochAt(end)).toBe(5)
  expect(log?.epochs.endOffsetFor(1, end)).toMatchObject({ epoch: 1, endOffset: end })
})

test('a partition that a full disk kept from being made serves when there is space, without a restart', async () => {
  const { values } = partition
  const spec = { topic: 'refunds', topicId: OTHER_ID, values, partition: 0 }
  for (const freeBytes of [0, 50, 100]) {
    world.disk(NODE).fill(freeBytes)
    await world.complete(partitions.open(spec))
    await world.complete(
      partitions.lead(OTHER_ID, 0, led({ leaderId: 1, leaderEpoch: 1, isr: [1], minIsr: 1 })),
    )
    await world.complete(partitions.goOn())
  }
  expect(partitions.someWait).toBe(true)
  world.disk(NODE).heal()
  await world.complete(partitions.goOn())
  expect(partitions.someWait).toBe(false)
  const found = partitions.get(OTHER_ID, 0) as Partition
  const seen = watch(found.produce(batch(), -1, TIMEOUT_MS))
  await world.clock.advance('1s')
  expect(seen.result).toMatchObject({ error: 'NONE', baseOffset: 0 })
})

test('a partition for which there was no file descriptor is opened when there is one', async () => {
  const plain = env.disk.replaceFile.bind(env.disk)
  env.disk.replaceFile = (path) =>
    Promise.reject(new DiskError('EMFILE', 'too many open files', path))
  const spec = { topic: 'refunds', topicId: OTHER_ID, values: partition.values, partition: 0 }
  await world.complete(partitions.open(spec))
  expect((partitions.get(OTHER_ID, 0) as Partition).offline).toBeDefined()
  await world.complete(partitions.goOn())
  expect(partitions.someWait).toBe(true)
  env.disk.replaceFile = plain
  await world.complete(partitions.goOn())
  expect((partitions.get(OTHER_ID, 0) as Partition).offline).toBeUndefined()
  expect(partitions.someWait).toBe(false)
})

test('a partition whose producers a full disk does not let go back is opened when there is space', async () => {
  produce(batch(2, { id: 7, sequence: 0 }))
  await world.clock.advance('1s')
  await world.complete(partition.saveProducers())
  world.kill(NODE)
  env = world.env(NODE)
  const path = `${LOG_DIRECTORY}/producer-snapshot`
  // Of a log that was longer: two more records are lost.
  const saved = String(await world.complete(env.disk.readFile(path)))
  const lines = saved.split('\n').slice(0, -2).join('\n')
  const longer = lines.replace('"endOffset":2', '"endOffset":4')
  await world.complete(env.disk.replaceFile(path, withChecksum(longer)))
  const plain = env.disk.replaceFile.bind(env.disk)
  env.disk.replaceFile = (to, content) =>
    to === path ? Promise.reject(new DiskError('ENOSPC', 'no space', to)) : plain(to, content)
  partition = await world.complete(open({}))
  await world.complete(partitions.goOn())
  expect((partitions.get(TOPIC_ID, 0) as Partition).offline?.error).toBe('STORAGE_FULL')
  expect(partitions.someWait).toBe(true)
  env.disk.replaceFile = plain
  await world.complete(partitions.goOn())
  expect(partitions.someWait).toBe(false)
  partition = partitions.get(TOPIC_ID, 0) as Partition
  const answers = [0, 2].map((sequence) => produce(batch(2, { id: 7, sequence })))
  await world.clock.advance('1s')
  expect(answers.map(({ result }) => result)).toMatchObject([
    { error: 'NONE', baseOffset: 0 },
    { error: 'NONE', baseOffset: 2 },
  ])
})

test('what a full disk left half made goes with its topic, and the name is free again', async () => {
  const { values } = partition
  const spec = { topic: 'refunds', values, partition: 0 }
  const plain = env.disk.syncDirectory.bind(env.disk)
  env.disk.syncDirectory = (path) =>
    path === '/data' ? Promise.reject(new DiskError('ENOSPC', 'no space', path)) : plain(path)
  await world.complete(partitions.open({ ...spec, topicId: OTHER_ID }))
  env.disk.syncDirectory = plain
  expect((partitions.get(OTHER_ID, 0) as Partition).offline?.error).toBe('STORAGE_FULL')
  expect(await world.complete(partitions.delete(OTHER_ID))).toBe(true)
  const again = '9d1f7f39-0c07-4a5c-8a3e-1b7a5f0c9e22'
  await world.complete(partitions.open({ ...spec, topicId: again }))
  expect((partitions.get(again, 0) as Partition).offline).toBeUndefined()
})

test('below the reserve internal topics go on, down to half of it', async () => {
  const spec = { topic: '__offsets', topicId: OTHER_ID, values: partition.values, partition: 0 }
  await world.complete(partitions.open(spec))
  const state = led({ leaderId: 1, leaderEpoch: 1, isr: [1], minIsr: 1 })
  await world.complete(partitions.lead(OTHER_ID, 0, state))
  const internal = partitions.get(OTHER_ID, 0) as Partition
  const errors = []
  for (const space of ['low', 'full', 'spent'] as const) {
    partitions.space = space
    const both = [partition, internal].map((one) => watch(one.produce(batch(), -1, TIMEOUT_MS)))
    await world.clock.advance('1s')
    errors.push(both.map(({ result }) => (result as Appended).error))
  }
  expect(errors).toEqual([
    ['NONE', 'NONE'],
    ['STORAGE_FULL', 'NONE'],
    ['STORAGE_FULL', 'STORAGE_FULL'],
  ])
})

test('a wall clock that was set deletes nothing at that check', async () => {
  let skewMs = 0
  world.kill(NODE)
  env = skewed(world.env(NODE), () => skewMs)
  partition = await world.complete(open({ 'retention.ms': '1d' }))
  produce(batch())
  await world.clock.advance('1s')
  for (const days of [365, -365, 0]) {
    skewMs = days * 86_400_000
    await world.complete(partitions.applyRetention())
    expect(partition.log?.logStartOffset).toBe(0)
  }
  await world.clock.advance('2d')
  await world.complete(partitions.applyRetention())
  expect(partition.log?.logStartOffset).toBe(1)
})

test('a partition that finds no space, or a file in its way, stays offline by itself', async () => {
  const { values } = partition
  const spec = { topic: 'refunds', topicId: OTHER_ID, values }
  await world.complete(env.disk.replaceFile('/data/refunds-0', Buffer.from('x')))
  await world.complete(partitions.open({ ...spec, partition: 0 }))
  world.disk(NODE).fill()
  await world.complete(partitions.open({ ...spec, partition: 1 }))
  const errors = [0, 1].map((number) => {
    const found = partitions.get(OTHER_ID, number)
    return 'error' in found ? found.error : found.offline?.error
  })
  expect(errors).toEqual(['KAFKA_STORAGE_ERROR', 'STORAGE_FULL'])
  expect(partition.offline).toBeUndefined()
})

test('a topic whose partition is offline leaves nothing behind when it is deleted', async () => {
  produce(batch())
  await world.clock.advance('1s')
  world.kill(NODE)
  env = world.env(NODE)
  await world.complete(env.disk.removeFile(`${LOG_DIRECTORY}/00000000000000000000.log`))
  partition = await world.complete(open({}))
  expect(partition.offline).toBeDefined()
  expect(await world.complete(partitions.delete(TOPIC_ID))).toBe(true)
  expect(directory.found()).toEqual([])
  expect(await world.complete(env.disk.list('/data'))).not.toContain('orders-0')
})

test('LogAppendTime does not go back with the wall clock, nor over a restart', async () => {
  const topic = { 'message.timestamp.type': 'LogAppendTime' }
  partition = await world.complete(reopened(topic))
  const first = produce(batch())
  await world.clock.advance('1s')
  const { logAppendTimeMs } = first.result as Appended
  let skewMs = -3_600_000
  world.kill(NODE)
  env = skewed(world.env(NODE), () => skewMs)
  partition = await world.complete(open(topic))
  const second = produce(batch())
  skewMs = -7_200_000
  const third = produce(batch())
  await world.clock.advance('1s')
  expect([second.result, third.result]).toMatchObject([{ logAppendTimeMs }, { logAppendTimeMs }])
})

test('a wall clock that jumps forgets no producer', async () => {
  let skewMs = 0
  world.kill(NODE)
  env = skewed(world.env(NODE), () => skewMs)
  partition = await world.complete(open({}))
  produce(batch(1, { id: 7, sequence: 0 }))
  await world.clock.advance('1s')
  skewMs = 365 * 86_400_000
  partitions.expireProducers()
  expect(partition.producers.has(7)).toBe(true)
})

test('LogAppendTime stamps the time of the broker, and the answer says it', async () => {
  partition = await world.complete(reopened({ 'message.timestamp.type': 'LogAppendTime' }))
  await world.clock.advance('1h')
  const seen = produce(batch())
  await world.clock.advance('1s')
  expect(seen.result).toMatchObject({ error: 'NONE', logAppendTimeMs: env.clock.wallMs() - 1_000 })
})

test('when as many producer ids are in use as may be, new ones are refused until one was silent for long', async () => {
  partition = await world.complete(reopened({}, { 'max.producer.ids': '100' }))
  for (let id = 0; id < 100; id++) produce(batch(1, { id, sequence: 0 }))
  await world.clock.advance('1s')
  const refused = produce(batch(1, { id: 1_000, sequence: 0 }))
  await world.clock.advance('1s')
  expect(refused.result).toMatchObject({ error: 'THROTTLING_QUOTA_EXCEEDED', written: 0 })
  await world.clock.advance('20m')
  const taken = produce(batch(1, { id: 1_000, sequence: 0 }))
  await world.clock.advance('1s')
  expect(taken.result).toMatchObject({ error: 'NONE' })
})

test('a reader is woken when the high watermark moves, and not after it stopped', async () => {
  let woken = 0
  const stop = partition.onReadable(() => woken++)
  produce(batch())
  await world.clock.advance('1s')
  expect(woken).toBe(1)
  stop()
  produce(batch())
  await world.clock.advance('1s')
  expect(woken).toBe(1)
})

/** A node whose wall clock somebody sets. */
function skewed(of: Env, skewMs: () => number): Env {
  const { clock } = of
  return {
    ...of,
    clock: {
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs() + skewMs(),
      timer: (delayMs, callback) => clock.timer(delayMs, callback),
      soon: (callback) => clock.soon(callback),
    },
  }
}

/** A clean stop, as the broker does it. */
async function stopped(): Promise<void> {
  partitions.closeAll('NOT_LEADER_OR_FOLLOWER', 'the broker is stopping')
  await partitions.saveProducers()
  await directory.close({ clean: true, brokerEpoch: 1 })
  world.kill(NODE)
  env = world.env(NODE)
}

/** The same directory under other settings. */
async function reopened(
  topic: Record<string, string>,
  flags: Record<string, string> = {},
): Promise<Partition> {
  world.kill(NODE)
  env = world.env(NODE)
  return open(topic, flags)
}
