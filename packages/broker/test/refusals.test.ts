// Who is refused is counted each time, and logged at most once a second for each address, in clean lines.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Env } from '@minikafka/platform'
import { TestBroker } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CHANNEL = 'minikafka:broker:refused'
const counted: { reason: string; address: string }[] = []
const count = (message: unknown) => counted.push(message as { reason: string; address: string })

beforeEach(() => {
  counted.length = 0
  subscribe(CHANNEL, count)
})
afterEach(() => {
  unsubscribe(CHANNEL, count)
})

/** So many peers that say it, each on a connection of its own. */
async function say(broker: TestBroker, env: Env, text: string, times: number) {
  const [host = '', port] = broker.address.split(':')
  for (let time = 0; time < times; time++) {
    const dialled = env.network.connect({ host, port: Number(port), timeoutMs: 1000 })
    const socket = await broker.world.complete(dialled)
    const target = Buffer.alloc(1024)
    socket.receive({ target: () => target, received() {}, ended: () => socket.end(), closed() {} })
    socket.send([Buffer.from(text)])
    await broker.settled()
  }
}

function refusalLines(broker: TestBroker): { text: string; suppressed: number; reason: string }[] {
  const texts = broker.world.logs().map(({ text }) => text)
  const refused = texts.filter((text) => text.includes('refused a connection'))
  return refused.map((text) => ({
    text,
    ...(JSON.parse(text) as { suppressed: number; reason: string }),
  }))
}

test('a flood of noise is counted each time and logged once a second, with what was kept back', async () => {
  await using broker = await TestBroker.start()
  const env = broker.world.env('stranger')
  await say(broker, env, '\u001b[31mred\nand a second line: level=fatal', 30)
  expect(counted.map(({ reason }) => reason)).toEqual(Array(30).fill('noise'))
  expect(refusalLines(broker)).toMatchObject([{ reason: 'noise', suppressed: 0 }])
  await broker.clock.advance('2s')
  await say(broker, env, 'GET / HTTP/1.1\r\n\r\n', 1)
  const lines = refusalLines(broker)
  expect(lines).toMatchObject([{ suppressed: 0 }, { reason: 'http', suppressed: 29 }])
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  for (const { text } of lines) expect(text).not.toMatch(/[\u0000-\u001f]/)
})

test('another address has a line of its own', async () => {
  await using broker = await TestBroker.start()
  await say(broker, broker.world.env('one'), 'noise', 3)
  await say(broker, broker.world.env('two'), 'noise', 3)
  expect(refusalLines(broker)).toHaveLength(2)
  expect(new Set(counted.map(({ address }) => address)).size).toBe(2)
})
