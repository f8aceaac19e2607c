// The producer against the broker twin. Numbers are those of the behaviours in the client's design.
import diagnostics from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Plan } from '../../test/broker-twin.ts'
import { closeStages, stage as start, times } from '../../test/stage.ts'
import { createClient } from '../client.ts'
import { json, text, topic } from '../topic/index.ts'
import { PartialFailureError, type Producer, sticky } from './index.ts'

afterEach(closeStages)

const PLANS: readonly Plan[] = [
  'serve',
  'serve',
  'lose answer',
  'lose request',
  { refuse: 'NOT_LEADER_OR_FOLLOWER', only: [1] },
  { refuse: 'NOT_ENOUGH_REPLICAS' },
]

/** Connected, with a producer id and the topic known. */
async function warm(producer: Producer): Promise<void> {
  await producer.send('orders', { value: 'warm', partition: 0 })
}

describe('sending', () => {
  test('a record arrives as it was sent, and its place is known', async () => {
    const { twin, producer } = await start()
    const sent = await producer.send('orders', {
      key: 'k',
      value: 'v',
      headers: { h: 'x' },
      timestamp: 1234,
    })
    expect(sent).toEqual({ topic: 'orders', partition: 0, offset: 0, timestamp: 1234 })
    expect(twin.records('orders')).toEqual([
      {
        ...{ partition: 0, offset: 0, timestamp: 1234 },
        ...{ key: Buffer.from('k'), value: Buffer.from('v'), headers: [['h', Buffer.from('x')]] },
      },
    ])
  })

  test('without a timestamp a record gets the wall clock, with LogAppendTime that of the broker', async () => {
    const { world, twin, producer } = await start()
    const { timestamp } = await producer.send('orders', { value: 'a' })
    expect(timestamp).toBe(world.clock.wallMs())
    twin.topic('orders').logAppendTimeMs = 99
    expect(await producer.send('orders', { value: 'b' })).toMatchObject({ timestamp: 99 })
  })

  test('24: a lone send leaves in the same turn', async () => {
    const { world, twin, producer } = await start({ producer: { lingerMs: 1234 } })
    await warm(producer)
    const before = twin.produces().length
    for (const value of ['a', 'b', 'c']) await producer.send('orders', { value })
    expect(twin.produces().length - before).toBe(3)
    expect(world.clock.monotonicMs()).toBe(0)
  })

  test('25: concurrent sends share batches with no setting', async () => {
    const { twin, producer } = await start()
    await warm(producer)
    const sent = await Promise.all(
      times(1000, (index) => producer.send('orders', { value: `${index}` })),
    )
    expect(sent.map(({ offset }) => offset)).toEqual(times(1000, (index) => index + 1))
    expect(twin.topic('orders').partitions[0]?.batches.length).toBe(2)
  })

  test('the first sends of a client share a batch, too', async () => {
    const { twin, producer } = await start()
    await Promise.all(times(100, (index) => producer.send('orders', { value: `${index}` })))
    expect(twin.topic('orders').partitions[0]?.batches.length).toBe(1)
  })

  test('one request carries the batches of all partitions', async () => {
    const { twin, producer } = await start({ twin: { topics: { orders: 20 } } })
    await warm(producer)
    const before = twin.produces().length
    await Promise.all(times(200, (index) => producer.send('orders', { value: `${index}` })))
    expect(twin.produces().length - before).toBe(1)
  })

  test('while requests are in flight records gather; they leave when the last one is answered', async () => {
    const { world, twin, producer, until } = await start({ producer: { lingerMs: 60_000 } })
    await warm(producer)
    twin.hold()
    const first = producer.send('orders', { value: 'first' })
    await until(() => twin.heldCount === 1)
    const rest = times(10, (index) => producer.send('orders', { value: `${index}` }))
    await world.settled()
    expect(twin.heldCount).toBe(1)
    twin.release()
    await Promise.all([first, ...rest])
    expect(twin.topic('orders').partitions[0]?.batches.length).toBe(3)
    expect(world.clock.monotonicMs()).toBe(0)
  })

  test('or when they have lingered', async () => {
    const { world, twin, producer } = await start({ producer: { lingerMs: 7 } })
    await warm(producer)
    twin.hold()
    void producer.send('orders', { value: 'a' })
    await world.settled()
    const second = producer.send('orders', { value: 'b' })
    await world.clock.advance('6ms')
    expect(twin.heldCount).toBe(1)
    await world.clock.advance('1ms')
    expect(twin.heldCount).toBe(2)
    twin.release()
    await second
  })

  test('at most maxInFlight batches of a partition are unacknowledged', async () => {
    const { world, twin, producer } = await start({
      producer: { maxBatchBytes: 1024, maxInFlight: 3 },
    })
    await warm(producer)
    twin.hold()
    for (let count = 0; count < 20; count++) producer.push('orders', { value: 'x'.repeat(900) })
    await world.settled()
    expect(twin.heldCount).toBe(3)
    twin.release()
    await producer.flush()
    expect(twin.records('orders')).toHaveLength(21)
  })

  test('30: null, empty and absent stay three things', async () => {
    const { twin, producer } = await start()
    await producer.send('orders', { value: null })
    await producer.send('orders', { key: null, value: '' })
    await producer.send('orders', {
      key: '',
      value: Buffer.alloc(0),
      headers: { none: null, empty: '' },
    })
    expect(twin.records('orders').map(({ key, value, headers }) => [key, value, headers])).toEqual([
      [null, null, []],
      [null, Buffer.alloc(0), []],
      [
        Buffer.alloc(0),
        Buffer.alloc(0),
        [
          ['none', null],
          ['empty', Buffer.alloc(0)],
        ],
      ],
    ])
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    '%s: batches are compressed and read back',
    async (compression) => {
      const { twin, producer } = await start({ producer: { compression } })
      await twin.env.compress.prepare(compression)
      const values = times(500, (index) => `value number ${index}`)
      await Promise.all(values.map((value) => producer.send('orders', { value })))
      expect(twin.values('orders')).toEqual(values)
      const bytes = twin
        .topic('orders')
        .partitions[0]?.batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
      expect(bytes).toBeLessThan(5000)
    },
  )

  test("acks 'none' knows no offset, and nothing is answered", async () => {
    const { twin, producer, until } = await start({ producer: { acks: 'none' } })
    const sent = await producer.send('orders', { value: 'a' })
    expect(sent.offset).toBeUndefined()
    await until(() => twin.records('orders').length === 1)
    expect(twin.produces()[0]?.acks).toBe(0)
  })
})

describe('partitions', () => {
  test('26: equal keys meet, where the Java client would put them', async () => {
    const { producer } = await start({ twin: { topics: { orders: 6 } } })
    const expected = { '21': (-973932308 & 0x7fffffff) % 6, foobar: (-790332482 & 0x7fffffff) % 6 }
    for (const [key, partition] of Object.entries(expected)) {
      expect(await producer.send('orders', { key, value: 'a' })).toMatchObject({ partition })
      expect(await producer.send('orders', { key: Buffer.from(key), value: 'b' })).toMatchObject({
        partition,
      })
    }
  })

  test('26: an empty key is a key', async () => {
    const { producer } = await start({ twin: { topics: { orders: 6 } } })
    const partitions = await Promise.all(
      times(20, () => producer.send('orders', { key: '', value: 'a' })),
    )
    expect(new Set(partitions.map(({ partition }) => partition)).size).toBe(1)
  })

  test('27: without keys 600 records over 6 partitions are 100 each, across batches and retries', async () => {
    const { twin, producer, done } = await start({
      twin: { topics: { orders: 6 } },
      producer: { maxBatchBytes: 1024 },
    })
    twin.next(
      'lose answer',
      'serve',
      { refuse: 'NOT_LEADER_OR_FOLLOWER', only: [0, 3] },
      'lose request',
    )
    const sent = times(600, (index) =>
      producer.send('orders', { value: `record ${index}`.padEnd(100) }),
    )
    await done(Promise.all(sent))
    const counts = twin.topic('orders').partitions.map(({ nextOffset }) => nextOffset)
    expect(counts).toEqual([100, 100, 100, 100, 100, 100])
  })

  test('27: partitions without a leader are skipped', async () => {
    const { twin, producer } = await start({ twin: { topics: { orders: 3 } } })
    twin.topic('orders').lead(1, -1)
    await Promise.all(times(10, () => producer.send('orders', { value: 'a' })))
    expect(twin.topic('orders').partitions.map(({ nextOffset }) => nextOffset)).toEqual([5, 0, 5])
  })

  test('sticky stays on one partition until its batch is sealed', async () => {
    const { twin, producer } = await start({
      twin: { topics: { orders: 50 } },
      producer: { partitioner: sticky() },
    })
    await warm(producer)
    const sent = await Promise.all(times(100, () => producer.send('orders', { value: 'a' })))
    expect(new Set(sent.map(({ partition }) => partition)).size).toBe(1)
    expect(
      twin.topic('orders').partitions.filter(({ batches }) => batches.length > 0).length,
    ).toBeLessThanOrEqual(2)
  })

  test("a user's partitioner gets the key as a Buffer, and what it answers is checked", async () => {
    const seen: unknown[] = []
    const { producer } = await start({
      twin: { topics: { orders: 3 } },
      producer: {
        partitioner: (record) => {
          seen.push(record)
          return record.key === null ? 9 : 2
        },
      },
    })
    expect(await producer.send('orders', { key: 'k', value: 'a' })).toMatchObject({ partition: 2 })
    expect(seen[0]).toEqual({
      topic: 'orders',
      key: Buffer.from('k'),
      partitionCount: 3,
      available: [0, 1, 2],
    })
    await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({
      name: 'INVALID_OPTION',
    })
  })

  test("a user's partitioner that throws fails its record, known topic or not, and no other", async () => {
    const cause = new Error('mine')
    const { twin, producer, done } = await start({
      producer: {
        partitioner: ({ key }) => {
          if (key !== null) throw cause
          return 0
        },
      },
    })
    const sends = [
      producer.send('orders', { key: 'k', value: 'a' }),
      producer.send('orders', { value: 'b' }),
    ]
    const outcomes = await done(Promise.allSettled(sends))
    const threw = { name: 'INVALID_OPTION', path: 'partitioner', outcome: 'not-written', cause }
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: threw },
      { status: 'fulfilled', value: { offset: 0 } },
    ])
    await expect(producer.send('orders', { key: 'k', value: 'c' })).rejects.toMatchObject(threw)
    expect(() => producer.push('orders', { key: 'k', value: 'd' })).toThrow(
      expect.objectContaining(threw),
    )
    expect(twin.values('orders')).toEqual(['b'])
  })

  test('a partition that was just added is found, one that is not there is an error', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.topic('orders').addPartition(twin.nodeId)
    expect(await done(producer.send('orders', { value: 'a', partition: 1 }))).toMatchObject({
      partition: 1,
      offset: 0,
    })
    await expect(done(producer.send('orders', { value: 'a', partition: 2 }))).rejects.toMatchObject(
      {
        name: 'UNKNOWN_TOPIC_OR_PARTITION',
        partition: 2,
        outcome: 'not-written',
      },
    )
  })
})

describe('retries', () => {
  test('28: a retry after a lost answer is written once', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.next('lose answer')
    expect(await done(producer.send('orders', { value: 'a' }))).toMatchObject({ offset: 1 })
    expect(twin.values('orders')).toEqual(['warm', 'a'])
    expect(twin.produces()).toHaveLength(3)
  })

  test.each(times(10, (seed) => seed))(
    '28: order holds with 5 batches in flight, for concurrent sends, whatever goes wrong (seed %i)',
    async (seed) => {
      const { world, twin, producer, env, done } = await start({
        seed,
        twin: { topics: { orders: 3 } },
        producer: { maxBatchBytes: 1024 },
      })
      await warm(producer)
      twin.next(...times(80, () => PLANS[env.random.below(PLANS.length)] ?? 'serve'))
      const sent: Promise<unknown>[] = []
      for (let index = 0; index < 1500; index++) {
        sent.push(producer.send('orders', { value: `${index}`.padEnd(80), partition: index % 3 }))
        if (index % 100 === 0) await world.clock.advance(`${env.random.below(20)}ms`)
      }
      await done(Promise.all(sent))
      for (const partition of [0, 1, 2]) {
        const values = twin.records('orders').filter((record) => record.partition === partition)
        const numbers = values.map(({ value }) => value?.toString().trim())
        expect(numbers.filter((value) => value !== 'warm')).toEqual(
          times(500, (index) => `${index * 3 + partition}`),
        )
      }
    },
  )

  test('20: a broker that starts after the client needs no user code', async () => {
    const { world, twin, producer, done } = await start()
    await twin.crash()
    const sent = producer.send('orders', { value: 'a' })
    await world.clock.advance('30s')
    await twin.restart()
    expect(await done(sent)).toMatchObject({ offset: 0 })
  })

  test('20: a broker that restarts in the middle is survived without loss, duplicate or error', async () => {
    const { world, twin, producer, done } = await start({ producer: { maxBatchBytes: 1024 } })
    const sent: Promise<unknown>[] = []
    for (let index = 0; index < 500; index++) {
      sent.push(producer.send('orders', { value: `${index}`.padEnd(50) }))
      if (index % 50 === 0) await world.clock.advance('1ms')
      if (index === 250) await twin.crash()
      if (index === 400) await twin.restart()
    }
    await done(Promise.all(sent))
    expect(twin.values('orders').map(Number)).toEqual(times(500, (index) => index))
  })

  test('a leader that moved is found by the hint of the former one, at once', async () => {
    const { world, twin, producer, anotherTwin } = await start()
    const second = await anotherTwin(2)
    second.topics.set('orders', twin.topic('orders'))
    twin.others.push({ nodeId: 2, host: second.host, port: second.port, rack: null })
    await warm(producer)
    twin.topic('orders').lead(0, 2)
    expect(await producer.send('orders', { value: 'a' })).toMatchObject({ offset: 1 })
    expect(second.produces()).toHaveLength(1)
    expect(world.clock.monotonicMs()).toBe(0)
  })

  test('a leader that died is replaced by the one that metadata names', async () => {
    const { twin, client, producer, anotherTwin, done } = await start()
    const second = await anotherTwin(2)
    second.topics.set('orders', twin.topic('orders'))
    second.others.push({ nodeId: 1, host: twin.host, port: twin.port, rack: null })
    twin.others.push({ nodeId: 2, host: second.host, port: second.port, rack: null })
    await warm(producer)
    expect(await client.ping()).toMatchObject({ brokerId: 1 })
    await twin.crash()
    twin.topic('orders').lead(0, 2)
    expect(await done(producer.send('orders', { value: 'a' }))).toMatchObject({ offset: 1 })
  })

  test('a partition waits for its leader, and others go on', async () => {
    const { twin, producer, done } = await start({ twin: { topics: { orders: 2 } } })
    twin.topic('orders').lead(0, -1)
    const waiting = producer.send('orders', { value: 'a', partition: 0 })
    expect(await producer.send('orders', { value: 'b', partition: 1 })).toMatchObject({ offset: 0 })
    twin.topic('orders').lead(0, twin.nodeId)
    expect(await done(waiting)).toMatchObject({ partition: 0, offset: 0 })
  })

  test('a partition that was idle at the end of its delay sends when that is over', async () => {
    const { world, twin, producer, done } = await start({
      twin: { topics: { orders: 2 } },
      client: { retry: { minMs: 100, factor: 10, maxMs: 5000, jitter: 0 } },
      producer: { deliveryTimeoutMs: 3000 },
    })
    await warm(producer)
    // Delays of 100, 1000 and 5000 ms: the last one outlives the batch.
    twin.next(...times(3, () => ({ refuse: 'NOT_ENOUGH_REPLICAS', only: [0] }) as const))
    const expired = producer.send('orders', { value: 'a', partition: 0 })
    await expect(done(expired)).rejects.toMatchObject({ name: 'DELIVERY_TIMED_OUT' })
    // Its alarm rings for another partition.
    twin.next({ refuse: 'NOT_ENOUGH_REPLICAS', only: [1] })
    await done(producer.send('orders', { value: 'b', partition: 1 }))
    await world.clock.advance('1400ms')
    await done(producer.send('orders', { value: 'c', partition: 0 }))
    expect(world.clock.monotonicMs()).toBe(6100)
    expect(twin.values('orders')).toEqual(['warm', 'c', 'b'])
  })

  test('a request time-out closes its connection, and the batch is written once over a new one', async () => {
    const { world, twin, producer, done } = await start()
    await warm(producer)
    const before = twin.connections
    twin.next('never answer')
    expect(await done(producer.send('orders', { value: 'a' }))).toMatchObject({ offset: 1 })
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(30_000)
    expect(twin.connections).toBe(before + 1)
    expect(twin.values('orders')).toEqual(['warm', 'a'])
  })

  test('a batch that is refused behind one in flight backs off', async () => {
    const { world, twin, producer } = await start({
      client: { retry: { minMs: 100, factor: 2, maxMs: 1000, jitter: 0 } },
      producer: { maxBatchBytes: 1024 },
    })
    await warm(producer)
    const before = twin.produces().length
    twin.next('never answer', ...times(100, () => ({ refuse: 'NOT_ENOUGH_REPLICAS' }) as const))
    const sent = times(2, (index) => producer.send('orders', { value: `${index}`.padEnd(900) }))
    await world.clock.advance('1600ms')
    // At 0, 100, 300, 700 and 1500 ms, and the one that is not answered.
    expect(twin.produces().length - before).toBe(6)
    twin.forgetPlans()
    await world.complete(Promise.all(sent))
    expect(twin.values('orders').map((value) => value.trim())).toEqual(['warm', '0', '1'])
  })

  test('after an outage that is past the back-off begins anew', async () => {
    const { world, twin, producer, done } = await start({
      client: { retry: { minMs: 100, factor: 10, maxMs: 10_000, jitter: 0 } },
      producer: { deliveryTimeoutMs: 5000 },
    })
    await warm(producer)
    twin.next(...times(3, () => ({ refuse: 'NOT_ENOUGH_REPLICAS' }) as const))
    await done(Promise.allSettled([producer.send('orders', { value: 'expires' })]))
    await world.clock.advance('30s')
    twin.next({ refuse: 'NOT_ENOUGH_REPLICAS' })
    const sentMs = world.clock.monotonicMs()
    await done(producer.send('orders', { value: 'a' }))
    expect(world.clock.monotonicMs() - sentMs).toBe(100)
  })

  test('batches that fail together are one step of the back-off', async () => {
    const { world, twin, producer, done } = await start({
      client: { retry: { minMs: 100, factor: 2, maxMs: 10_000, jitter: 0 } },
      producer: { maxBatchBytes: 1024 },
    })
    await warm(producer)
    twin.hold()
    const sent = times(6, (index) => producer.send('orders', { value: `${index}`.padEnd(900) }))
    await world.settled()
    expect(twin.heldCount).toBe(5)
    twin.dropConnections()
    twin.release()
    await done(Promise.all(sent))
    expect(world.clock.monotonicMs()).toBe(100)
  })

  test('where the broker forgot the producer, it goes on under a new epoch', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.topic('orders').partitions[0]?.producers.clear()
    for (const value of ['a', 'b']) await done(producer.send('orders', { value }))
    expect(twin.values('orders')).toEqual(['warm', 'a', 'b'])
    expect(twin.epochs('orders')).toEqual([0, 1, 1])
  })

  test('after a refused batch the next ones go on under a new epoch, each once and in order', async () => {
    const { twin, producer, done } = await start({ producer: { maxBatchBytes: 1024 } })
    await warm(producer)
    twin.next({ refuse: 'INVALID_TIMESTAMP' })
    const sent = times(8, (index) => producer.send('orders', { value: `${index}`.padEnd(900) }))
    const results = await done(Promise.allSettled(sent))
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      ...times(7, () => 'fulfilled'),
    ])
    expect(results[0]).toMatchObject({
      reason: { name: 'INVALID_TIMESTAMP', outcome: 'not-written' },
    })
    const values = twin.values('orders').map((value) => value.trim())
    expect(values).toEqual(['warm', ...times(7, (index) => `${index + 1}`)])
    expect(twin.epochs('orders').at(-1)).toBe(1)
  })
})

describe('outcomes', () => {
  const refusals = times(500, () => ({ refuse: 'NOT_ENOUGH_REPLICAS' }) as const)

  test('what was refused for certain, and expires, is not written', async () => {
    const { world, twin, producer, done } = await start()
    twin.next(...refusals)
    await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
      name: 'DELIVERY_TIMED_OUT',
      outcome: 'not-written',
      topic: 'orders',
      partition: 0,
      cause: { name: 'NOT_ENOUGH_REPLICAS' },
    })
    expect(world.clock.monotonicMs()).toBe(120_000)
  })

  test('one lost answer among refusals makes it unknown', async () => {
    const { twin, producer, done } = await start()
    twin.next('lose answer', ...refusals)
    await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
      name: 'DELIVERY_TIMED_OUT',
      outcome: 'unknown',
    })
  })

  test('an answer that says "maybe" makes it unknown', async () => {
    const { twin, producer } = await start()
    twin.next({ refuse: 'UNKNOWN_SERVER_ERROR', written: 1 })
    await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({
      name: 'UNKNOWN_SERVER_ERROR',
      outcome: 'unknown',
    })
  })

  test("acks 'none': what a socket took a part of may be written", async () => {
    const { twin, producer, done } = await start({
      producer: { acks: 'none', deliveryTimeoutMs: 1000 },
    })
    await warm(producer)
    const sent = producer.send('orders', { value: Buffer.alloc(900_000) })
    await Promise.resolve()
    await twin.crash()
    await expect(done(sent)).rejects.toMatchObject({
      name: 'DELIVERY_TIMED_OUT',
      outcome: 'unknown',
    })
  })

  test('a batch that expired with unknown outcome costs an epoch and is never sent again', async () => {
    const { world, twin, producer, done } = await start({ producer: { deliveryTimeoutMs: 10_000 } })
    await warm(producer)
    twin.next('never answer')
    const ghost = producer.send('orders', { value: 'ghost' })
    await world.settled()
    const behind = producer.send('orders', { value: 'behind' })
    await expect(done(ghost)).rejects.toMatchObject({
      name: 'DELIVERY_TIMED_OUT',
      outcome: 'unknown',
    })
    await done(behind)
    await done(producer.send('orders', { value: 'later' }))
    expect(world.clock.monotonicMs()).toBe(10_005)
    expect(twin.values('orders')).toEqual(['warm', 'ghost', 'behind', 'later'])
    expect(twin.epochs('orders')).toEqual([0, 0, 0, 1])
  })

  test('one whose request was lost is not written again either; what came behind it goes on', async () => {
    const { world, twin, producer, done } = await start({
      producer: { deliveryTimeoutMs: 10_000, maxBatchBytes: 1024 },
      client: { requestTimeoutMs: 5000 },
    })
    await warm(producer)
    await twin.crash()
    const sent = times(3, (index) => producer.send('orders', { value: `${index}`.padEnd(900) }))
    const results = await done(Promise.allSettled(sent))
    expect(results.map(({ status }) => status)).toEqual(times(3, () => 'rejected'))
    await twin.restart()
    await world.clock.advance('10s')
    await done(producer.send('orders', { value: 'after' }))
    expect(twin.values('orders')).toEqual(['warm', 'after'])
  })

  test('a broker that is never there: not written, and the cause says what was tried', async () => {
    const { twin, producer, done } = await start()
    await twin.crash()
    await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
      name: 'DELIVERY_TIMED_OUT',
      outcome: 'not-written',
      cause: { name: 'BROKER_UNREACHABLE', message: expect.stringContaining(twin.address) },
    })
  })
})

describe('topics', () => {
  test('34: an unknown topic fails within seconds, and the nearest name is offered', async () => {
    const { world, producer, done } = await start({ twin: { topics: { orders: 1, payments: 1 } } })
    await expect(done(producer.send('oders', { value: 'a' }))).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
      outcome: 'not-written',
      message: expect.stringContaining(`did you mean 'orders'`),
    })
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(1000)
    expect(world.clock.monotonicMs()).toBeLessThan(2000)
  })

  test('17: trouble with one topic does not fail another', async () => {
    const { world, producer, done } = await start()
    const missing = producer.send('missing', { value: 'a' })
    missing.catch(() => {})
    expect(await producer.send('orders', { value: 'a' })).toMatchObject({ offset: 0 })
    expect(world.clock.monotonicMs()).toBe(0)
    await expect(done(missing)).rejects.toMatchObject({ topic: 'missing' })
  })

  test('a topic that comes into being within the grace is found', async () => {
    const { world, twin, producer, done } = await start()
    const sent = producer.send('late', { value: 'a' })
    await world.settled()
    twin.createTopic('late')
    expect(await done(sent)).toMatchObject({ topic: 'late', offset: 0 })
  })

  test('batches made for a deleted topic never reach its successor', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.topics.delete('orders')
    twin.createTopic('orders')
    await expect(done(producer.send('orders', { value: 'old' }))).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_ID',
      outcome: 'not-written',
    })
    expect(await producer.send('orders', { value: 'new' })).toMatchObject({ offset: 0 })
    expect(twin.values('orders')).toEqual(['new'])
  })

  test('a topic that was deleted is unknown, and can be made again', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.topics.delete('orders')
    await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_ID',
      outcome: 'not-written',
    })
    await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    twin.createTopic('orders')
    expect(await done(producer.send('orders', { value: 'b' }))).toMatchObject({ offset: 0 })
  })

  test('33: a broker that advertises nothing is reached where it was dialled', async () => {
    const { twin, producer } = await start()
    expect(twin.advertised).toEqual({ host: '', port: 0 })
    expect(await producer.send('orders', { value: 'a' })).toMatchObject({ offset: 0 })
  })

  test('a record too large is refused at once, and the limit is named', async () => {
    const { twin, producer } = await start({
      twin: { topics: { orders: 1 }, maxMessageBytes: 2048 },
    })
    await warm(producer)
    const before = twin.produces().length
    await expect(producer.send('orders', { value: 'x'.repeat(3000) })).rejects.toMatchObject({
      name: 'MESSAGE_TOO_LARGE',
      details: { max: 2048 },
      outcome: 'not-written',
    })
    expect(() => producer.push('orders', { value: 'x'.repeat(3000) })).toThrow(/max.message.bytes/)
    expect(twin.produces()).toHaveLength(before)
  })

  test('after the limit of the topic was lowered, one batch is refused and later ones keep to it', async () => {
    const { world, twin, producer } = await start()
    await warm(producer)
    twin.maxMessageBytes = 10_000
    const batch = () => times(30, () => ({ value: 'x'.repeat(900) }))
    await expect(producer.sendMany('orders', batch())).rejects.toMatchObject({
      name: 'PARTIAL_FAILURE',
    })
    await world.clock.advance('1s')
    await producer.sendMany('orders', batch())
    expect(twin.records('orders')).toHaveLength(31)
  })

  test('a record above maxBatchBytes goes alone', async () => {
    const { twin, producer } = await start({ producer: { maxBatchBytes: 1024 } })
    const sizes = [10, 5000, 10]
    await Promise.all(sizes.map((size) => producer.send('orders', { value: 'x'.repeat(size) })))
    expect(twin.values('orders').map(({ length }) => length)).toEqual(sizes)
    expect(twin.topic('orders').partitions[0]?.batches).toHaveLength(3)
  })

  test('typed topics go through their codecs, and their errors name what is wrong', async () => {
    const { twin, producer } = await start()
    const orders = topic('orders', { key: text(), value: json<{ id: number }>() })
    await producer.send(orders, { key: 'k', value: { id: 1 } })
    expect(twin.values('orders')).toEqual(['{"id":1}'])
    await expect(producer.send('orders', { value: 7 as never })).rejects.toMatchObject({
      name: 'SERIALIZATION_FAILED',
    })
    expect(() => producer.push('orders', { value: undefined as never })).toThrow(/undefined/)
  })

  test('an asynchronous codec keeps the order of send, and push refuses it', async () => {
    const { twin, producer } = await start()
    let delay = 5
    const slow = topic('orders', {
      value: {
        name: 'slow',
        encode: async (value: string) => {
          for (let turns = delay--; turns > 0; turns--) await Promise.resolve()
          if (value === 'bad') throw new Error('no')
          return value
        },
        decode: (bytes: Buffer) => bytes.toString(),
      },
    })
    const sent = ['a', 'b', 'bad', 'c'].map((value) => producer.send(slow, { value }))
    const results = await Promise.allSettled(sent)
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(twin.values('orders')).toEqual(['a', 'b', 'c'])
    expect(() => producer.push(slow, { value: 'd' })).toThrow(/use send/)
  })
})

describe('sendMany', () => {
  test('answers in input order, over partitions', async () => {
    const { twin, producer } = await start({ twin: { topics: { orders: 3 } } })
    const sent = await producer.sendMany(
      'orders',
      times(30, (index) => ({ value: `${index}`, partition: (index * 7) % 3 })),
    )
    expect(sent.map(({ partition }) => partition)).toEqual(times(30, (index) => (index * 7) % 3))
    const at = new Map(
      twin
        .records('orders')
        .map((record) => [`${record.partition}/${record.offset}`, record.value?.toString()]),
    )
    expect(sent.map(({ partition, offset }) => at.get(`${partition}/${offset}`))).toEqual(
      times(30, String),
    )
  })

  test('nothing to send is fine', async () => {
    const { producer } = await start()
    expect(await producer.sendMany('orders', [])).toEqual([])
  })

  test('rejects with all results where some failed', async () => {
    const { producer } = await start({ twin: { topics: { orders: 1 }, maxMessageBytes: 2048 } })
    await warm(producer)
    const records = [{ value: 'a' }, { value: 'x'.repeat(3000) }, { value: 'b' }]
    const error = await producer.sendMany('orders', records).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PartialFailureError)
    expect(error).toMatchObject({
      name: 'PARTIAL_FAILURE',
      results: [
        { status: 'fulfilled', value: { offset: 1 } },
        { status: 'rejected', reason: { name: 'MESSAGE_TOO_LARGE' } },
        { status: 'fulfilled', value: { offset: 2 } },
      ],
    })
  })

  test('a close in the middle keeps the results that are there', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    let closing: Promise<void> | undefined
    let read = 0
    function* records() {
      for (; read < 10; read++) {
        if (read === 2) closing = producer.close()
        yield { value: `${read}` }
      }
    }
    const error = await done(producer.sendMany('orders', records()).catch((reason) => reason))
    await closing
    expect(error).toMatchObject({
      name: 'PARTIAL_FAILURE',
      results: [
        { status: 'fulfilled', value: { offset: 1 } },
        { status: 'fulfilled', value: { offset: 2 } },
        { status: 'rejected', reason: { name: 'CLOSED', outcome: 'not-written' } },
      ],
    })
    expect(twin.values('orders')).toEqual(['warm', '0', '1'])
    expect(read).toBe(2)
  })

  test('a large input is taken as fast as it drains', async () => {
    const { producer } = await start({ producer: { maxBufferedBytes: 256 * 1024 } })
    let highest = 0
    function* records() {
      for (let index = 0; index < 5000; index++) {
        highest = Math.max(
          highest,
          (producer as unknown as { stats(): { bufferedBytes: number } }).stats().bufferedBytes,
        )
        yield { value: 'x'.repeat(200) }
      }
    }
    await producer.sendMany('orders', records())
    expect(highest).toBeLessThan(128 * 1024)
  })
})

describe('push, drained, flush', () => {
  test('push answers false from the high-water mark, drained waits for the low one', async () => {
    const { world, twin, producer } = await start({ producer: { maxBufferedBytes: 64 * 1024 } })
    await warm(producer)
    twin.hold()
    let pushed = 0
    while (producer.push('orders', { value: 'x'.repeat(1000) })) pushed++
    expect(pushed).toBe(16)
    let drained = false
    const wait = producer.drained().then(() => {
      drained = true
    })
    await world.settled()
    expect(drained).toBe(false)
    twin.release()
    await wait
    await producer.flush()
    expect(twin.records('orders')).toHaveLength(pushed + 2)
  })

  test('29: at twice maxBufferedBytes push throws BUFFER_FULL', async () => {
    const { twin, client, producer } = await start({ producer: { maxBufferedBytes: 64 * 1024 } })
    await warm(producer)
    twin.hold()
    const fill = () => {
      for (let count = 0; count < 1000; count++)
        producer.push('orders', { value: 'x'.repeat(1000) })
    }
    expect(fill).toThrow(expect.objectContaining({ name: 'BUFFER_FULL', outcome: 'not-written' }))
    expect(client.stats().producers[0]?.bufferedBytes).toBeLessThan(2 * 64 * 1024 + 1100)
  })

  test('29: send waits where the buffer is full, in order, or errors where that was asked for', async () => {
    const { twin, client, producer, done } = await start({
      producer: { maxBufferedBytes: 64 * 1024 },
    })
    await warm(producer)
    twin.hold()
    const sent = times(300, (index) => producer.send('orders', { value: `${index}`.padEnd(1000) }))
    expect(client.stats().producers[0]?.bufferedBytes).toBeLessThan(66 * 1024)
    const strict = client.producer({ maxBufferedBytes: 64 * 1024, onFull: 'error' })
    const value = 'x'.repeat(1000)
    const refused = times(100, () => strict.send('orders', { value }, { timeoutMs: 1 }))
    const last = (await done(Promise.allSettled(refused))).at(-1)
    expect(last).toMatchObject({ reason: { name: 'BUFFER_FULL', outcome: 'not-written' } })
    twin.release()
    const offsets = (await done(Promise.all(sent))).map(({ offset }) => offset ?? -1)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  })

  test('29: a pipeline into writable() to a stalled broker keeps memory flat', async () => {
    const { world, twin, client, producer, done } = await start({
      producer: { maxBufferedBytes: 64 * 1024 },
    })
    await warm(producer)
    twin.hold()
    let taken = 0
    async function* source() {
      for (; taken < 2000; taken++) yield { value: `${taken}`.padEnd(500) }
    }
    const flowing = pipeline(source, producer.writable('orders'))
    await world.clock.advance('10s')
    expect(taken).toBeLessThan(200)
    expect(client.stats().producers[0]?.bufferedBytes).toBeLessThan(64 * 1024)
    twin.release()
    await done(flowing)
    expect(twin.records('orders')).toHaveLength(2001)
  })

  test('flush resolves when all before is settled, and does not wait for what comes later', async () => {
    const { world, twin, producer, done } = await start()
    await warm(producer)
    twin.hold()
    producer.push('orders', { value: 'before' })
    let flushed = false
    const flush = producer.flush().then(() => {
      flushed = true
    })
    await world.settled()
    expect(flushed).toBe(false)
    twin.release()
    await flush
    twin.hold()
    producer.push('orders', { value: 'later' })
    await expect(done(producer.flush({ timeoutMs: 20 }))).rejects.toMatchObject({
      name: 'TIMED_OUT',
      message: 'flush took longer than 20 ms',
    })
    twin.release()
    await producer.flush()
  })

  test('flush covers records that wait for their topic', async () => {
    const { twin, producer } = await start()
    for (let index = 0; index < 10; index++) producer.push('orders', { value: `${index}` })
    await producer.flush()
    expect(twin.values('orders')).toEqual(times(10, String))
  })

  test('a push that fails emits failed and rejects the next flush, once', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    const failed: unknown[] = []
    producer.on('failed', (event) => failed.push(event))
    twin.next({ refuse: 'INVALID_TIMESTAMP' })
    producer.push('orders', { value: 'a' })
    producer.push('orders', { value: 'b' })
    await expect(producer.flush()).rejects.toMatchObject({ name: 'INVALID_TIMESTAMP' })
    expect(failed).toEqual([
      {
        topic: 'orders',
        partition: 0,
        records: 2,
        error: expect.objectContaining({ name: 'INVALID_TIMESTAMP' }),
      },
    ])
    producer.push('orders', { value: 'c' })
    await done(producer.flush())
  })

  test('19: failed pushes without a listener are logged, at most once a second', async () => {
    const { world, env, twin, done } = await start()
    const client = createClient(env, { brokers: twin.address, logger: env.logger })
    const producer = client.producer({ maxBatchBytes: 1024 })
    await warm(producer)
    twin.next(...times(4, () => ({ refuse: 'INVALID_TIMESTAMP' }) as const))
    for (let count = 0; count < 4; count++) producer.push('orders', { value: 'x'.repeat(900) })
    await expect(done(producer.flush())).rejects.toMatchObject({ name: 'INVALID_TIMESTAMP' })
    const lines = world.logs().filter(({ text: line }) => line.includes('pushed records failed'))
    expect(lines).toHaveLength(1)
    await client.close()
  })

  test('a push to an unknown topic fails the same way', async () => {
    const { producer, done } = await start()
    producer.push('nowhere', { value: 'a' })
    await expect(done(producer.flush())).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('a writable whose records fail is destroyed with the error', async () => {
    const { twin, producer } = await start()
    await warm(producer)
    twin.next({ refuse: 'INVALID_TIMESTAMP' })
    async function* source() {
      yield { value: 'a' }
    }
    await expect(pipeline(source, producer.writable('orders'))).rejects.toMatchObject({
      name: 'INVALID_TIMESTAMP',
    })
  })
})

describe('waiting and the end', () => {
  test('aborting send stops the wait; a record in a batch is still sent', async () => {
    const { world, twin, producer } = await start()
    await warm(producer)
    twin.hold()
    const controller = new AbortController()
    const sent = producer.send('orders', { value: 'a' }, { signal: controller.signal })
    await world.settled()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(sent).rejects.toBe(reason)
    twin.release()
    await producer.flush()
    expect(twin.values('orders')).toEqual(['warm', 'a'])
  })

  test('a time-out says whether the record may be written', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    twin.hold()
    const wait = { timeoutMs: 10 }
    await expect(done(producer.send('orders', { value: 'a' }, wait))).rejects.toMatchObject({
      name: 'TIMED_OUT',
      outcome: 'unknown',
    })
    await expect(done(producer.send('nowhere', { value: 'a' }, wait))).rejects.toMatchObject({
      name: 'TIMED_OUT',
      outcome: 'not-written',
    })
  })

  test('a send that was aborted before it began is not sent', async () => {
    const { twin, producer } = await start()
    await warm(producer)
    await expect(
      producer.send('orders', { value: 'a' }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      name: 'AbortError',
    })
    await producer.flush()
    expect(twin.values('orders')).toEqual(['warm'])
  })

  test('21: close delivers what was sent, is idempotent, and nothing is taken afterwards', async () => {
    const { twin, producer } = await start()
    for (let index = 0; index < 100; index++) producer.push('orders', { value: `${index}` })
    const closing = producer.close()
    expect(() => producer.push('orders', { value: 'x' })).toThrow(
      expect.objectContaining({ name: 'CLOSED' }),
    )
    await expect(producer.send('orders', { value: 'x' })).rejects.toMatchObject({ name: 'CLOSED' })
    await Promise.all([closing, producer.close()])
    expect(twin.records('orders')).toHaveLength(100)
  })

  test('21: sends that wait for room are delivered, too', async () => {
    const { twin, producer, done } = await start({ producer: { maxBufferedBytes: 64 * 1024 } })
    const sent = times(300, (index) => producer.send('orders', { value: `${index}`.padEnd(1000) }))
    await done(producer.close())
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
    expect(offsets).toEqual(times(300, (index) => index))
    expect(twin.records('orders')).toHaveLength(300)
  })

  test('a send that waits for room or for its topic is taken back when its wait ends', async () => {
    const { world, twin, producer, done } = await start({
      producer: { maxBufferedBytes: 64 * 1024 },
    })
    await warm(producer)
    twin.hold()
    const value = 'x'.repeat(60_000)
    const first = times(2, () => producer.send('orders', { value }))
    await world.settled()
    const controller = new AbortController()
    const { signal } = controller
    const waiting = [
      producer.send('orders', { value: 'no room' }, { signal }),
      producer.send('nowhere', { value: 'no topic' }, { signal }),
    ]
    controller.abort(new Error('enough'))
    for (const send of waiting) await expect(send).rejects.toThrow('enough')
    await expect(
      done(producer.send('orders', { value: 'late' }, { timeoutMs: 5 })),
    ).rejects.toMatchObject({ name: 'TIMED_OUT', outcome: 'not-written' })
    twin.release()
    await done(Promise.all(first))
    await done(producer.flush())
    expect(twin.values('orders')).toEqual(['warm', value, value])
  })

  test('21: close is bounded by its time-out, and what is left fails with its outcome', async () => {
    const { world, twin, producer, done } = await start()
    await warm(producer)
    twin.hold()
    const sent = producer.send('orders', { value: 'a' })
    sent.catch(() => {})
    await world.settled()
    await done(producer.close({ timeoutMs: 10 }))
    await expect(sent).rejects.toMatchObject({ name: 'CLOSED', outcome: 'unknown' })
  })

  test('21: close with an aborted signal gives no time, and does not reject', async () => {
    const { world, twin, producer } = await start()
    await warm(producer)
    twin.hold()
    const sent = producer.send('orders', { value: 'a' })
    sent.catch(() => {})
    await world.settled()
    await producer.close({ signal: AbortSignal.abort() })
    await expect(sent).rejects.toMatchObject({ name: 'CLOSED', outcome: 'unknown' })
  })

  test('a send whose schema was still checking when the producer closed is not taken', async () => {
    const { world, twin, producer } = await start()
    await warm(producer)
    let pass = (_: string) => {}
    const checked = new Promise<string>((resolve) => {
      pass = resolve
    })
    const slow = { name: 'slow', encode: () => checked, decode: String }
    const sent = producer.send(topic('orders', { value: slow }), { value: 'a' })
    sent.catch(() => {})
    await producer.close({ signal: AbortSignal.abort() })
    pass('a')
    await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
    await world.settled()
    expect(twin.values('orders')).toEqual(['warm'])
  })

  test('22: a producer that never sent closes at once, and connects to nothing', async () => {
    const { twin, producer } = await start()
    await producer.close()
    expect(twin.connections).toBe(0)
  })

  test('await using closes', async () => {
    const { twin, client } = await start()
    {
      await using producer = client.producer()
      producer.push('orders', { value: 'a' })
    }
    expect(twin.values('orders')).toEqual(['a'])
  })
})

describe('diagnostics', () => {
  test('a subscriber of minikafka:record may add headers', async () => {
    const { twin, producer } = await start()
    const listener = (message: unknown) => {
      ;(message as { headers: [string, string][] }).headers.push(['traceparent', '00-1'])
    }
    diagnostics.subscribe('minikafka:record', listener)
    await producer.send('orders', { value: 'a', headers: { own: 'x' } })
    diagnostics.unsubscribe('minikafka:record', listener)
    await producer.send('orders', { value: 'b' })
    expect(twin.records('orders').map(({ headers }) => headers.map(([name]) => name))).toEqual([
      ['own', 'traceparent'],
      [],
    ])
  })

  test('minikafka:produce tells of each batch, from its first attempt to its end', async () => {
    const { twin, producer, done } = await start()
    await warm(producer)
    const seen: [string, unknown][] = []
    const channel = diagnostics.tracingChannel('minikafka:produce')
    const subscriber = {
      start: (message: object) => seen.push(['start', { ...message }]),
      end() {},
      asyncStart() {},
      asyncEnd: (message: object) => seen.push(['asyncEnd', { ...message }]),
      error() {},
    }
    channel.subscribe(subscriber)
    twin.next('lose answer')
    await done(producer.send('orders', { value: 'a' }))
    channel.unsubscribe(subscriber)
    expect(seen).toMatchObject([
      ['start', { topic: 'orders', partition: 0, recordCount: 1, brokerId: 1, attempts: 1 }],
      ['asyncEnd', { baseOffset: 1, attempts: 2 }],
    ])
  })
})
