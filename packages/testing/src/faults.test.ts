// The kit of faults: what it does beyond the examples, and what it refuses.
import { expect, test } from 'vitest'
import type { ChaosFault } from './chaos.ts'
import { TestBroker } from './test-broker.ts'

test('a partition holds for clients that come later', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  broker.partition('clients', 0)
  const sending = broker.client().producer().send('orders', { value: 'x' })
  await broker.clock.advance('20s')
  expect(await broker.read('orders')).toEqual([])
  await broker.heal()
  await broker.world.complete(sending)
})

test('heal starts a dead broker and lets a paused one go on', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.kill()
  await broker.heal()
  expect(broker.running).toBe(true)
  broker.pause()
  await broker.heal()
  await broker.world.complete(broker.client().producer().send('orders', { value: 'x' }))
})

test('a bit that rots in a batch is found by its checksum, named with its file and offset', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, seed: 3 })
  const producer = broker.client().producer()
  for (let index = 0; index < 20; index++) await producer.send('orders', { value: `${index}` })
  await broker.restart()
  const { path, position, bit } = broker.disk().flipBit('orders', 0)
  expect(path).toMatch(/\/orders-0\/0+\.log$/)
  expect(position).toBeGreaterThanOrEqual(0)
  expect(bit).toBeLessThan(8)
  await expect(broker.read('orders')).rejects.toThrow()
})

test('the same seed flips the same bit', async () => {
  const flip = async (seed: number) => {
    await using broker = await TestBroker.start({ topics: { orders: 1 }, seed })
    await broker
      .client()
      .producer()
      .send('orders', { value: 'x'.repeat(1000) })
    return broker.disk().flipBit('orders', 0)
  }
  expect(await flip(1)).toEqual(await flip(1))
  expect(await flip(1)).not.toEqual(await flip(2))
})

test('misuse is refused and says what would work', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  expect(() => broker.disk().flipBit('orders', 0)).toThrow('orders-0 has no bytes on the disk')
  expect(() => broker.clockOf(3 as 0)).toThrow('there is no broker 3: a test broker is a cluster')
  await expect(broker.kill(1 as 0)).rejects.toThrow('there is no broker 1')
  expect(() => broker.partition('clients', 'metadata')).toThrow('a file on its disk')
  expect(() => broker.partition('clients', 'clients')).toThrow(`between 0 and 'clients'`)
  expect(() => broker.partition([0, 'clients'], 0)).toThrow(`two sides: 0 and 'clients'`)
  expect(() => broker.slow('client' as 'clients', 0, '1s')).toThrow(`no side 'client'`)
  await broker.kill()
  expect(() => broker.read('orders')).toThrow('the broker is down: restart() or heal() it first')
})

test('what is this machine’s own does not fail', async () => {
  await using broker = await TestBroker.start({ transport: 'tcp' })
  expect(() => broker.partition('clients', 0)).toThrow(`a partition needs transport 'memory'`)
  expect(() => broker.pause()).toThrow(`a pause needs transport 'memory'`)
})

// --- chaos ---------------------------------------------------------------------------------------

test('chaos does the same from the same seed, another thing from another', async () => {
  const rage = async (seed: number) => {
    await using broker = await TestBroker.start({ topics: { orders: 1 }, seed, clock: 'jumping' })
    return await broker.chaos({ duration: '60s' })
  }
  const [first, again, other] = [await rage(1), await rage(1), await rage(2)]
  expect(first.faults.length).toBeGreaterThan(1)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

test('chaos leaves all well: the broker runs, links and clocks are right', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, seed: 5 })
  const kinds: ChaosFault[] = [
    'kill',
    'pause',
    'partition',
    'fill',
    'failSync',
    'clock',
    'powerCut',
  ]
  await broker.chaos({ faults: kinds, duration: '2m' })
  expect(broker.running).toBe(true)
  expect(broker.clockOf(0).wallMs()).toBe(broker.clock.wallMs())
  await broker.world.complete(broker.client().producer().send('orders', { value: 'x' }))
  expect(await broker.read('orders')).toHaveLength(1)
})

test('chaos takes as long as it was told, on a held clock too', async () => {
  await using broker = await TestBroker.start({ seed: 1 })
  const beganMs = broker.clock.monotonicMs()
  await broker.chaos({ faults: ['disconnectAll'], duration: '30s' })
  expect(broker.clock.monotonicMs() - beganMs).toBe(30_000)
})

test('chaos cuts no power where a topic acknowledges before its sync', async () => {
  await using broker = await TestBroker.start({
    topics: { orders: { config: { flush: 'os' } } },
    clock: 'jumping',
  })
  await expect(broker.chaos({ faults: ['powerCut'], duration: '1s' })).rejects.toThrow(
    `'powerCut': this broker cannot have it, or does not promise to survive it; possible are kill`,
  )
  await expect(broker.chaos({ faults: [], duration: '1s' })).rejects.toThrow('faults is empty')
  const unknown = ['quake' as ChaosFault]
  await expect(broker.chaos({ faults: unknown, duration: '1s' })).rejects.toThrow('no such fault')
})

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`whatever the chaos, no promise is broken: seed ${seed}`, async () => {
    await using broker = await TestBroker.start({ topics: { orders: 3 }, seed, clock: 'jumping' })
    const history = broker.record()
    const client = broker.client()
    const raging = broker.chaos({ duration: '90s' })
    const producer = client.producer()
    const consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
    const sending = Array.from({ length: 100 }, (_, order) =>
      producer.send('orders', { key: `${order % 7}`, value: `${order % 10}` }),
    )
    const reading = consumer.run(() => undefined)
    await raging
    await Promise.all(sending)
    consumer.stop()
    await reading
    await consumer.close()
    await broker.read('orders')
    expect(history.check()).toMatchObject({ acked: 100, read: 100, anomalies: [], stuck: [] })
  })
}
