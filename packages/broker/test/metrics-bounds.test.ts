// How large the page may become: what clients name (topics, groups) has so many series and no more, and is only text.
import { createClient } from '@minikafka/client'
import { createWorld } from '@minikafka/testing'
import { LiveConfig, Pages, startBroker } from 'minikafka-broker'
import parsePrometheus, { type Family } from 'parse-prometheus-text-format'
import { expect, test } from 'vitest'

const HTTP_PORT = 9464
const NODE = 'broker-0'

/** A broker of a simulated world with its pages, and somebody who administers it. */
async function watchedBroker() {
  const world = createWorld({ seed: 1, clock: 'jumping' })
  const env = world.start(NODE)
  const settings = { 'data.dir': '/data', host: NODE, port: '9092', 'allow.insecure': 'true' }
  const config = new LiveConfig({ flags: new Map(Object.entries(settings)) })
  const broker = await world.complete(startBroker(env, config))
  const pages = await Pages.open(env, { host: NODE, port: HTTP_PORT })
  pages.serving(broker.watched)
  const client = createClient(world.start('client'), { brokers: `${NODE}:9092` })
  const families = async () => {
    const page = await world.complete(world.askPage(NODE, HTTP_PORT, '/metrics'))
    return new Map(parsePrometheus(page.body).map((family) => [family.name, family]))
  }
  const close = async () => {
    await world.complete(client.close())
    await world.complete(pages.close())
    await world.complete(broker.close())
    world.close()
  }
  return { world, client, families, [Symbol.asyncDispose]: close }
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
