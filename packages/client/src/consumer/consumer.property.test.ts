// Whatever is done to a consumer, in whatever mode it is read: the records of a partition come in order, none is left
// out, and none comes twice that was not given back or sought.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { closeReadingStages, type ReadingStage, readingStage } from '../../test/reading-stage.ts'
import { compress, numbered } from '../../test/record-batches.ts'
import type { Consumer, ConsumerRecord } from './types.ts'

afterEach(closeReadingStages)

const PARTITIONS = 3
const TOPIC = 'three'

const partition = fc.integer({ min: 0, max: PARTITIONS - 1 })
const count = fc.integer({ min: 1, max: 9 })
const step = fc.oneof(
  fc.record({
    do: fc.constant('append' as const),
    partition,
    count,
    compression: fc.constantFrom('none', 'gzip', 'lz4'),
  }),
  fc.record({ do: fc.constant('loop' as const), count, ack: fc.boolean() }),
  fc.record({ do: fc.constant('batches' as const), count, maxRecords: count }),
  fc.record({ do: fc.constant('poll' as const), count }),
  fc.record({
    do: fc.constant('run' as const),
    count,
    concurrency: fc.integer({ min: 1, max: 4 }),
    order: fc.constantFrom('partition' as const, 'key' as const, 'none' as const),
  }),
  fc.record({
    do: fc.constant('seek' as const),
    partition,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ do: fc.constant('pause' as const), partition }),
  fc.record({ do: fc.constant('resume' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What the consumer should do, on three numbers a partition. */
class Model {
  readonly next = Array.from({ length: PARTITIONS }, () => 0)
  readonly end = Array.from({ length: PARTITIONS }, () => 0)
  readonly paused = new Set<number>()

  get available(): number {
    return this.next.reduce((sum, next, at) => {
      return this.paused.has(at) ? sum : sum + (this.end[at] ?? 0) - next
    }, 0)
  }

  handed({ partition: at, offset, value }: ConsumerRecord<string>): void {
    expect([at, offset]).toEqual([at, this.next[at]])
    expect(String(value)).toBe(String(offset))
    expect(this.paused.has(at)).toBe(false)
    this.next[at] = offset + 1
  }
}

async function perform(stage: ReadingStage, reader: Consumer<string>, model: Model, one: Step) {
  const { cluster } = stage
  if (one.do === 'append') {
    const from = model.end[one.partition] ?? 0
    const to = from + one.count
    cluster.append(
      TOPIC,
      one.partition,
      numbered(from, to, { compression: one.compression as 'none' }),
    )
    model.end[one.partition] = to
  } else if (one.do === 'seek') {
    const to = Math.floor(one.share * (model.end[one.partition] ?? 0))
    await reader.seek({ topic: TOPIC, partition: one.partition }, to)
    model.next[one.partition] = to
  } else if (one.do === 'pause') {
    reader.pause([{ topic: TOPIC, partition: one.partition }])
    model.paused.add(one.partition)
  } else if (one.do === 'resume') {
    reader.resume()
    model.paused.clear()
  } else await read(reader, model, one)
}

async function read(
  reader: Consumer<string>,
  model: Model,
  one: Step & { do: 'loop' | 'batches' | 'poll' | 'run' },
) {
  let left = Math.min(one.count, model.available)
  if (one.do === 'poll') {
    const records = await reader.poll({ max: one.count, maxWaitMs: 600 })
    for (const record of records) model.handed(record)
    if (left > 0) expect(records.length).toBeGreaterThan(0)
  } else if (left === 0) return
  else if (one.do === 'loop') {
    for await (const record of reader) {
      model.handed(record)
      if (--left > 0) continue
      if (one.ack) record.ack()
      else model.next[record.partition] = record.offset
      break
    }
  } else if (one.do === 'batches') {
    for await (const { partition: at, records } of reader.batches({ maxRecords: one.maxRecords })) {
      for (const record of records) model.handed(record)
      left -= records.length
      if (left > 0) continue
      model.next[at] = records[0]?.offset ?? -1
      break
    }
  } else await run(reader, model, one, left)
}

async function run(
  reader: Consumer<string>,
  model: Model,
  { concurrency, order }: Step & { do: 'run' },
  count: number,
) {
  const controller = new AbortController()
  let left = count
  const running = reader.run(
    async (record) => {
      model.handed(record)
      await Promise.resolve()
      if (--left <= 0) controller.abort()
    },
    { concurrency, order, signal: controller.signal },
  )
  await running.catch((error) => {
    if (error !== controller.signal.reason) throw error
  })
}

test('records come in order, once, whatever is done', async () => {
  for (const name of ['gzip', 'lz4'] as const) await compress.prepare(name)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const stage = await readingStage()
      stage.cluster.createTopic(TOPIC, PARTITIONS)
      const reader = stage.consumer({ topics: [TOPIC], prefetchBytes: 2048, fetchMaxBytes: 600 })
      const model = new Model()
      // It is known where all begin.
      await stage.done(reader.lag())
      for (const one of steps) {
        await stage.done(perform(stage, reader, model, one))
        for (let at = 0; at < PARTITIONS; at++)
          expect(reader.nextOffset({ topic: TOPIC, partition: at })).toBe(model.next[at])
      }
      reader.resume()
      model.paused.clear()
      while (model.available > 0) {
        for (const record of await stage.done(reader.poll({ maxWaitMs: 600 }))) model.handed(record)
      }
      await closeReadingStages()
    }),
    { numRuns: 60 },
  )
})
