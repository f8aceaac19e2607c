// How large the page may become: what clients name (topics, groups) has so many series and no more, and is only text.
import { createClient } from '@minikafka/client'
import type { Clock, Env } from '@minikafka/platform'
import { createWorld } from '@minikafka/testing'
import { LiveConfig, Pages, startBroker } from 'minikafka-broker'
import parsePrometheus, { type Family } from 'parse-prometheus-text-format'
import { expect, test } from 'vitest'

const HTTP_PORT = 9464
const NODE = 'broker-0'

/** A broker of a simulated world with its pages, and somebody who uses it. */
async function watchedBroker(watch: (env: Env) => Env = (env) => env) {
  const world = createWorld({ seed: 1, clock: 'jumping' })
  const settings = { 'data.dir': '/data', host: NODE, port: '9092', 'allow.insecure': 'true' }
  const config = new LiveConfig({ flags: new Map(Object.entries(settings)) })
  const start = async () => {
    const env = world.start(NODE)
    const broker = await world.complete(startBroker(env, config))
    const pages = await Pages.open(watch(env), { host: NODE, port: HTTP_PORT })
    pages.serving(broker.watched)
    return { env, broker, pages }
  }
  let running = await start()
  const client = createClient(world.start('client'), { brokers: `${NODE}:9092` })
  const families = async () => {
    const page = await world.complete(world.askPage(NODE, HTTP_PORT, '/metrics'))
    expect(page.status).toBe(200)
    return new Map(parsePrometheus(page.body).map((family) => [family.name, family]))
  }
  const stop = async () => {
    await world.complete(running.pages.close())
    await world.complete(running.broker.close())
    running.env.program.exit(0)
  }
  const restart = async () => {
    await stop()
    running = await start()
  }
  const close = async () => {
    await world.complete(client.close())
    await stop()
    world.close()
  }
  return { world, client, families, restart, [Symbol.asyncDispose]: close }
}

/** A world in which it takes 10 ms to look at the clock. */
function slowly(env: Env): Env {
  const { clock } = env
  let lookMs = 0
  const monotonicMs = () => {
    lookMs += 10
    return clock.monotonicMs() + lookMs
  }
  const timer: Clock['timer'] = (delayMs, callback) => clock.timer(delayMs, callback)
  const soon: Clock['soon'] = (callback) => clock.soon(callback)
  return { ...env, clock: { wallMs: () => clock.wallMs(), monotonicMs, timer, soon } }
}

function sumOf(family: Family | undefined, labels: Readonly<Record<string, string>> = {}): number {
  const of = family?.metrics.filter(({ labels: own }) =>
    Object.entries(labels).every(([name, value]) => own?.[name] === value),
  )
  return (of ?? []).reduce((sum, { value }) => sum + Number(value), 0)
}

test('510 topics and 1,020 pairs of group and topic: the largest have series, the rest are counted', async () => {
  await using watched = await watchedBroker()
  const { world, client } = watched
  const admin = client.admin()
  const topics = Array.from({ length: 510 }, (_, number) => `topic-${number}`)
  for (const name of topics) await world.complete(admin.createTopic(name, { partitions: 1 }))
  await world.complete(client.producer().send('topic-509', { value: 'the largest' }))
  const hostile = 'a "quote", a \\ and\na line\n# TYPE b gauge\nb{c="d"} 1'
  for (const group of ['plain', hostile])
    await world.complete(admin.resetOffsets(group, { topics, to: 'earliest' }))

  const page = await watched.families()
  const sizes = page.get('minikafka_log_size_bytes')
  // With the internal one, which groups have made.
  const byTopic = page.get('minikafka_topic_partitions')
  expect(sizes?.metrics).toHaveLength(501)
  expect(sumOf(sizes, { topic: 'topic-509' })).toBeGreaterThan(0)
  expect(sumOf(byTopic)).toBe(sumOf(page.get('minikafka_partitions')))
  expect(sumOf(byTopic, { topic: '(others)' })).toBe(11)
  const lag = page.get('minikafka_group_lag_records')
  expect(lag?.metrics).toHaveLength(1000)
  expect(sumOf(lag)).toBe(2)
  expect(sumOf(lag, { group: hostile, topic: 'topic-509' })).toBe(1)
  expect(sumOf(page.get('minikafka_group_lag_left_out'))).toBe(20)
  expect(page.get('b')).toBeUndefined()
})

test('a disk that hangs keeps the page waiting for a second, and what it does not tell is left out', async () => {
  await using watched = await watchedBroker()
  const { world, client } = watched
  await world.complete(client.admin().createTopic('orders', { partitions: 1 }))
  await world.complete(client.producer().send('orders', { value: 'a' }))
  await world.complete(client.admin().resetOffsets('idle', { topics: ['orders'], to: 'earliest' }))
  // What readers get from memory is gone then.
  await watched.restart()
  world.disk(NODE).stall('20s')
  const beganMs = world.clock.monotonicMs()
  const hung = await watched.families()
  expect(world.clock.monotonicMs() - beganMs).toBeLessThan(3_000)
  expect(hung.get('minikafka_disk_free_bytes')?.metrics ?? []).toEqual([])
  expect(sumOf(hung.get('minikafka_partitions'))).toBe(51)
  await world.clock.advance('1m')
  const well = await watched.families()
  expect(sumOf(well.get('minikafka_disk_free_bytes'))).toBeGreaterThan(0)
  expect(sumOf(well.get('minikafka_group_lag_records'))).toBe(1)
  expect(sumOf(well.get('minikafka_group_lag_seconds'))).toBeGreaterThan(60)
})

test('a look at the groups that was much work is not repeated at once', async () => {
  await using watched = await watchedBroker(slowly)
  const { world, client } = watched
  await world.complete(client.admin().createTopic('orders', { partitions: 1 }))
  const producer = client.producer()
  await world.complete(producer.send('orders', { value: 'a' }))
  await world.complete(client.admin().resetOffsets('idle', { topics: ['orders'], to: 'earliest' }))
  const lag = async () => sumOf((await watched.families()).get('minikafka_group_lag_records'))
  expect(await lag()).toBe(1)
  await world.complete(producer.send('orders', { value: 'b' }))
  expect(await lag()).toBe(1)
  await world.clock.advance('1m')
  expect(await lag()).toBe(2)
})
