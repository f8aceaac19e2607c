// What a full or failing disk does to a broker: it goes on with what it can, and a stop always ends.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestBroker } from '@minikafka/testing'
import { LiveConfig, startBroker } from 'minikafka-broker'
import { expect, test } from 'vitest'
import { quietEnv, runBroker } from './running-broker.ts'
import { counted } from './watched-disk.ts'

test.each([0, 300, 700, 900, 1100, 1300, 1500, 2500])(
  'with %d bytes left on the disk, topics are made and deleted or not, and reads go on',
  async (freeBytes) => {
    await using broker = await TestBroker.start({
      topics: { kept: 1, gone: 2 },
      clock: 'jumping',
      seed: 3,
      config: { 'disk.reserve.bytes': 0 },
    })
    const client = broker.client()
    const admin = client.admin()
    await broker.world.complete(client.producer().send('kept', { value: 'a' }))
    broker.disk().fill(freeBytes)
    const options = { timeoutMs: 5_000 }
    const making = admin.createTopic('new', { partitions: 4 }, options).catch(() => undefined)
    await broker.world.complete(making, { timeout: '1m' })
    const deleting = admin.deleteTopic('gone').catch(() => undefined)
    await broker.world.complete(deleting, { timeout: '1m' })
    await broker.settled()
    expect(broker.running).toBe(true)
    expect(await broker.read('kept')).toHaveLength(1)
    broker.disk().heal()
    await broker.restart()
    expect(await broker.read('kept')).toHaveLength(1)
  },
)

test.each([1, 2, 3, 10])(
  'a stop ends when %d syncs fail during it, and the next start serves',
  async (count) => {
    await using broker = await TestBroker.start({
      topics: { orders: { partitions: 1, config: { flush: 'os' } } },
      clock: 'jumping',
      seed: 3,
    })
    const client = broker.client()
    await broker.world.complete(client.producer().send('orders', { value: 'a' }))
    await broker.world.complete(client.close())
    broker.disk().failSync(count)
    // The process ends with 74, or in order: what fails depends on which file is synced first.
    await broker.restart().catch(() => undefined)
    broker.disk().heal()
    await broker.restart()
    expect((await broker.read('orders')).length).toBeLessThanOrEqual(1)
  },
)

test('a stop whose disk does not answer ends with shutdown.timeout.ms', async () => {
  const broker = await TestBroker.start({
    topics: { orders: { partitions: 1, config: { flush: 'os' } } },
    clock: 'jumping',
    seed: 3,
    config: { 'shutdown.timeout.ms': '5s' },
  })
  await broker.world.complete(broker.client().producer().send('orders', { value: 'a' }))
  broker.disk().stall('1h')
  const beganMs = broker.clock.monotonicMs()
  await broker.close()
  expect(broker.clock.monotonicMs() - beganMs).toBeLessThan(6_000)
})

test.each([false, true])(
  'a stop says whether all was done (disk that answers: %s)',
  async (answers) => {
    await using broker = await TestBroker.start({ clock: 'jumping', seed: 3 })
    const env = broker.world.start('other')
    const settings = { 'data.dir': '/other', port: '0', 'shutdown.timeout.ms': '5s' }
    const other = await broker.world.complete(
      startBroker(env, new LiveConfig({ flags: new Map(Object.entries(settings)) })),
    )
    if (!answers) broker.world.disk('other').stall('1h')
    expect(await broker.world.complete(other.close())).toBe(answers)
    env.program.exit(0)
  },
)

test('a start on a full disk is refused with what to do; with some KiB left it serves reads', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping', seed: 3 })
  await broker.world.complete(broker.client().producer().send('orders', { value: 'a' }))
  for (const freeBytes of [0, 600]) {
    broker.disk().fill(freeBytes)
    await broker.kill()
    await expect(broker.restart()).rejects.toMatchObject({ name: 'StartError', exitCode: 74 })
  }
  broker.disk().fill(8_000)
  await broker.restart()
  expect(await broker.read('orders')).toHaveLength(1)
})

test('a partition that a full disk kept from being made, over a crash too, is led once there is space', async () => {
  let kept = 0
  for (let freeBytes = 2_000; freeBytes <= 9_000; freeBytes += 500) {
    await using broker = await TestBroker.start({
      topics: { orders: 1 },
      clock: 'jumping',
      seed: 3,
      config: { 'disk.reserve.bytes': 0, 'log.retention.check.interval.ms': 1000 },
    })
    const client = broker.client()
    broker.disk().fill(1_500)
    const growing = client.admin().addPartitions('orders', 2, {}, { timeoutMs: 2_000 })
    await broker.world.complete(growing.catch(() => undefined))
    await broker.kill()
    broker.disk().fill(freeBytes)
    if (!(await starts(broker))) continue
    broker.disk().heal()
    const { partitions } = await broker.world.complete(client.admin().describeTopic('orders'))
    if (partitions.length < 2) continue
    kept++
    const producer = client.producer({ deliveryTimeoutMs: 20_000 })
    await broker.world.complete(producer.send('orders', { partition: 1, value: 'a' }))
  }
  expect(kept).toBeGreaterThan(5)
})

async function starts(broker: TestBroker): Promise<boolean> {
  return await broker.restart().then(
    () => true,
    () => false,
  )
}

test('a file in the way of a new partition takes that partition offline, not the broker', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('kept', { partitions: 1 })
  writeFileSync(join(running.directory, 'blocked-0'), 'x')
  await client.admin().createTopic('blocked', { partitions: 1 })
  const producer = client.producer({ deliveryTimeoutMs: 2_000 })
  await expect(producer.send('blocked', { value: 'a' })).rejects.toMatchObject({
    outcome: 'not-written',
  })
  await client.producer().send('kept', { value: 'a' })
  expect(await Promise.race([running.broker.failed, 'goes on'])).toBe('goes on')
  await running.restart(() => rmSync(join(running.directory, 'blocked-0')))
  await running.client().producer().send('blocked', { value: 'a' })
})

test('a stop of which one step fails frees the data directory all the same', async () => {
  const env = quietEnv()
  const plain = counted(env.disk, {})
  const disk: typeof plain = {
    ...plain,
    open: async (path, mode) => {
      const file = await plain.open(path, mode)
      if (!path.endsWith('metadata.log')) return file
      return {
        append: (buffers, position, where) => file.append(buffers, position, where),
        sync: () => file.sync(),
        read: (into, position) => file.read(into, position),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: async () => {
          await file.close()
          throw new Error('not closed in order')
        },
      }
    },
  }
  await using running = await runBroker({}, { ...env, disk })
  await running.client().admin().createTopic('orders', { partitions: 1 })
  await running.restart()
  expect(running.broker.wasClean).toBe(true)
})
