// The pages of metrics and health, of a real broker over real HTTP; the page is read by a parser that is not ours.
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { text, topic } from '@minikafka/client'
import { Pages } from 'minikafka-broker'
import parsePrometheus, { type Family } from 'parse-prometheus-text-format'
import { expect, test } from 'vitest'
import { quietEnv, type RunningBroker, runBroker } from './running-broker.ts'

const orders = topic('orders', { key: text(), value: text() })
const ANY = { host: '127.0.0.1', port: 0 }

/** Name, ending of a histogram, labels, value. */
const SAMPLE =
  /^([a-z_]+?)(_bucket|_sum|_count)?(\{(?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)+\})? (\S+)$/

async function watch(running: RunningBroker) {
  const pages = await Pages.open(quietEnv(), ANY)
  pages.serving(running.broker.watched)
  const ask = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${pages.address.port}${path}`, init)
  const read = async () => {
    const page = await ask('/metrics')
    expect(page.status).toBe(200)
    return await page.text()
  }
  const families = async () => parsed(await read())
  return { pages, ask, read, families, [Symbol.asyncDispose]: () => pages.close() }
}

function parsed(page: string): ReadonlyMap<string, Family> {
  return new Map(parsePrometheus(page).map((family) => [family.name, family]))
}

/** That parser throws the labels of histograms together: their lines are looked for as they stand. */
function lineOf(page: string, series: string): number {
  const line = page.split('\n').find((one) => one.startsWith(`${series} `))
  expect(line, series).toBeDefined()
  return Number(line?.slice(series.length + 1))
}

/** The one sample of a family that has these labels. */
function sample(family: Family | undefined, labels: Record<string, string> = {}) {
  const found = family?.metrics.find((metric) =>
    Object.entries(labels).every(([name, value]) => metric.labels?.[name] === value),
  )
  expect(found, `${family?.name} ${JSON.stringify(labels)}`).toBeDefined()
  return found as Family['metrics'][number]
}

const numberOf = (family: Family | undefined, labels?: Record<string, string>) =>
  Number(sample(family, labels).value)

test('what was written, read, refused and synced is on the page, from the start', async () => {
  await using running = await runBroker()
  await using watched = await watch(running)
  const client = running.client()
  await client.admin().createTopic('orders', { partitions: 2 })
  const producer = client.producer()
  for (let n = 0; n < 10; n++) await producer.send(orders, { key: `${n}`, value: 'x'.repeat(100) })
  await expect(client.admin().createTopic('orders')).rejects.toThrow()

  const shown = await watched.read()
  expect(lineOf(shown, 'minikafka_request_duration_seconds_count{api="produce"}')).toBe(10)
  const whole = 'minikafka_request_duration_seconds_bucket{api="produce",le="+Inf"}'
  expect(lineOf(shown, whole)).toBe(10)
  const page = parsed(shown)
  expect(numberOf(page.get('minikafka_request_bytes_total'), { api: 'produce' })).toBeGreaterThan(
    1e3,
  )
  expect(
    numberOf(page.get('minikafka_request_errors_total'), { error: 'TOPIC_ALREADY_EXISTS' }),
  ).toBe(1)
  expect(numberOf(page.get('minikafka_topic_offsets_total'), { topic: 'orders' })).toBe(10)
  expect(numberOf(page.get('minikafka_topic_partitions'), { topic: 'orders' })).toBe(2)
  expect(numberOf(page.get('minikafka_log_size_bytes'), { topic: 'orders' })).toBeGreaterThan(1000)
  expect(Number(sample(page.get('minikafka_fsync_duration_seconds')).count)).toBeGreaterThan(0)
  expect(numberOf(page.get('minikafka_connections'), { listener: 'default' })).toBeGreaterThan(0)
  expect(numberOf(page.get('minikafka_network_received_bytes_total'))).toBeGreaterThan(1000)
  expect(numberOf(page.get('minikafka_network_sent_bytes_total'))).toBeGreaterThan(100)
  expect(numberOf(page.get('minikafka_partitions_offline'))).toBe(0)
  expect(numberOf(page.get('minikafka_disk_free_bytes'))).toBeGreaterThan(0)
  expect(numberOf(page.get('process_resident_memory_bytes'))).toBeGreaterThan(1e6)
})

test('each family stands once, with its type before its samples, and each series once', async () => {
  await using running = await runBroker()
  await using watched = await watch(running)
  await running.client().admin().createTopic('orders', { partitions: 2 })
  const page = await watched.read()
  expect(page.endsWith('\n')).toBe(true)
  const seen = new Set<string>()
  let family = ''
  for (const line of page.slice(0, -1).split('\n')) {
    const [, name = '', ending = '', labels = '', value] = SAMPLE.exec(line) ?? []
    const isHead = line.startsWith('# ')
    const key = isHead ? line.split(' ', 3).join(' ') : name + ending + labels
    expect(seen, line).not.toContain(key)
    seen.add(key)
    if (isHead) family = key.slice('# HELP '.length)
    else expect([family, Number.isFinite(Number(value))], line).toEqual([name, true])
  }
})

test('a group that nobody reads for is behind in records and in seconds', async () => {
  await using running = await runBroker()
  await using watched = await watch(running)
  const client = running.client()
  await client.admin().createTopic('orders', { partitions: 1 })
  const producer = client.producer()
  const sentAtMs = Date.now()
  for (let n = 0; n < 5; n++) await producer.send(orders, { key: 'k', value: `${n}` })
  await using consumer = client.consumer({ topics: [orders], group: 'idle', start: 'earliest' })
  for await (const record of consumer) if (record.offset === 1) break
  await consumer.close()

  const behind = { group: 'idle', topic: 'orders' }
  const page = await watched.families()
  const records = numberOf(page.get('minikafka_group_lag_records'), behind)
  expect(records).toBeGreaterThanOrEqual(3)
  expect(numberOf(page.get('minikafka_groups'))).toBe(1)
  const first = numberOf(page.get('minikafka_group_lag_seconds'), behind)
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThanOrEqual((Date.now() - sentAtMs) / 1000)
  const later = numberOf((await watched.families()).get('minikafka_group_lag_seconds'), behind)
  expect(later).toBeGreaterThanOrEqual(first)
})

test('two brokers of one process count what is their own', async () => {
  await using busy = await runBroker()
  await using idle = await runBroker()
  await using ofBusy = await watch(busy)
  await using ofIdle = await watch(idle)
  await busy.client().admin().createTopic('orders')
  const asked = async ({ families }: typeof ofBusy) =>
    (await families()).get('minikafka_request_bytes_total')?.metrics.length ?? 0
  expect(await asked(ofBusy)).toBeGreaterThan(0)
  expect(await asked(ofIdle)).toBe(0)
})

test('who asks while a page is made gets that page, and nobody can send anything', async () => {
  await using running = await runBroker()
  await using watched = await watch(running)
  const pages = await Promise.all(Array.from({ length: 10 }, () => watched.ask('/metrics')))
  expect(pages.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect((await watched.ask('/metrics', { method: 'POST', body: 'x' })).status).toBe(405)
  expect((await watched.ask('/config')).status).toBe(404)
})

test('ready means: recovered, not stopping; alive means: it answers', async () => {
  await using running = await runBroker()
  await using pages = Object.assign(await Pages.open(quietEnv(), ANY), {
    async [Symbol.asyncDispose]() {
      await pages.close()
    },
  })
  const ask = async (path: string) => {
    const page = await fetch(`http://127.0.0.1:${pages.address.port}${path}`)
    return [page.status, await page.text()]
  }
  expect(await ask('/readyz')).toEqual([503, 'not ready: the broker starts\n'])
  expect(await ask('/metrics')).toEqual([503, 'no metrics yet: the broker starts\n'])
  pages.recovering(3, 12)
  const recovers = 'not ready: the broker recovers its logs: 3 of 12 partitions are open\n'
  expect(await ask('/readyz')).toEqual([503, recovers])
  expect(await ask('/healthz')).toEqual([200, 'ok\n'])
  pages.serving(running.broker.watched)
  expect(await ask('/readyz')).toEqual([200, 'ready\n'])
  pages.stopping()
  expect(await ask('/readyz')).toEqual([503, 'not ready: the broker stops\n'])
  expect(await ask('/healthz')).toEqual([200, 'ok\n'])
})

test('a full disk leaves it ready, for its readers, and the page says what it refuses', async () => {
  const free = await statfs(tmpdir()).then(({ bavail, bsize }) => bavail * bsize)
  const ready = async (reserveBytes: number) => {
    await using running = await runBroker({ 'disk.reserve.bytes': String(reserveBytes) })
    await using watched = await watch(running)
    const page = await watched.ask('/readyz')
    return [page.status, await page.text()]
  }
  expect(await ready(0)).toEqual([200, 'ready\n'])
  const refuses = 'ready, but the disk is nearly full: produce is refused\n'
  expect(await ready(Math.round(free * 1.5))).toEqual([200, refuses])
  const spent = 'ready, but the disk is full: nothing is appended\n'
  expect(await ready(free * 4)).toEqual([200, spent])
})

test('a failed disk is the end of readiness, whatever else, and the process still answers', async () => {
  await using running = await runBroker()
  await using watched = await watch(running)
  running.broker.watched.directory.fail(new Error('EIO: i/o error, fdatasync'))
  watched.pages.stopping()
  const page = await watched.ask('/readyz')
  const why = 'not ready: the data directory is offline: EIO: i/o error, fdatasync\n'
  expect([page.status, await page.text()]).toEqual([503, why])
  expect((await watched.ask('/healthz')).status).toBe(200)
})
