// Which logs the scrubber chooses, and that it leaves the loop to others. What comes of it: test/scrubber.test.ts.
import type { Env } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LiveConfig, resolveTopic } from './config/index.ts'
import { DataDirectory, ScrubTimes } from './log/index.ts'
import { MemoryBudget } from './memory-budget.ts'
import { type Partition, Partitions } from './partition/index.ts'
import { Scrubber } from './scrubber.ts'

const TOPIC_ID = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'
const EMPTY = 7
const FILLED = 3

let world: World
let env: Env
let partitions: Partitions
let scrubber: Scrubber
let turns: number

/** Seven logs with nothing in them and three with a record each, read every hour. */
beforeEach(async () => {
  world = createWorld({ seed: 1 })
  env = world.env('broker')
  turns = 0
  scrubber = await world.complete(begun())
})

afterEach(() => world.close())

async function begun(): Promise<Scrubber> {
  const config = new LiveConfig({ flags: new Map([['log.scrub.interval.ms', '1h']]) })
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
  partitions = new Partitions(env, directory, { nodeId: 1, values, holdsLease: () => true })
  for (let number = 0; number < EMPTY + FILLED; number++) {
    const topic = resolveTopic(config.values, new Map())
    await partitions.open({ topic: 't', topicId: TOPIC_ID, partition: number, values: topic })
    const leadership = { leaderId: 1, leaderEpoch: 1, partitionEpoch: 1, isr: [1], minIsr: 1 }
    await partitions.lead(TOPIC_ID, number, leadership)
    if (number >= EMPTY) await partition(number).produce(record(), -1, 60_000)
  }
  const memory = new MemoryBudget(2 ** 20, { setTailBytesMax: () => undefined }, 0)
  const times = await ScrubTimes.load(env, '/data')
  return new Scrubber(countingTurns(env), config, partitions, { memory, times })
}

function partition(number: number): Partition {
  const found = partitions.get(TOPIC_ID, number)
  if ('error' in found) throw new Error(found.message)
  return found
}

function record(): Uint8Array {
  const writer = new BatchWriter(Buffer.alloc(1_000))
  writer.tryAppend(env.clock.wallMs(), null, 'value', undefined)
  return writer.seal(env.compress, {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
}

function countingTurns(of: Env): Env {
  const { clock } = of
  return {
    ...of,
    clock: {
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      timer: (delayMs, callback) => clock.timer(delayMs, callback),
      soon: (callback) => {
        turns++
        clock.soon(callback)
      },
    },
  }
}

test('a log with nothing in it is not chosen, and is due an interval after its first record', async () => {
  await world.clock.advance('50m')
  // At the start, and when they were due again.
  expect(scrubber.counts.logs).toBe(2 * FILLED)
  await world.complete(Promise.resolve(partition(0).produce(record(), -1, 60_000)))
  await world.clock.advance('30m')
  expect(scrubber.counts.logs).toBe(2 * FILLED)
  await world.clock.advance('30m')
  expect(scrubber.counts.logs).toBe(3 * FILLED + 1)
  await world.complete(scrubber.stop({ clean: true }))
})

test('a turn of the loop passes after each log, after one that ended at once, too', async () => {
  await world.clock.advance('1m')
  expect(turns).toBe(FILLED)
  for (let number = EMPTY; number < EMPTY + FILLED; number++)
    await world.complete(Promise.resolve(partition(number).log?.close({ clean: false })))
  await world.clock.advance('50m')
  expect(scrubber.counts.logs).toBe(FILLED)
  expect(turns).toBe(2 * FILLED)
  await world.complete(scrubber.stop({ clean: true }))
})
