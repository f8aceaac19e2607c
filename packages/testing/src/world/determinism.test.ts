import { type Env, sleep } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

test('the same seed gives the same run, event by event; another seed another one', async () => {
  const first = await run(11)
  expect(await run(11)).toEqual(first)
  expect((await run(12)).hash).not.toBe(first.hash)
  expect(first.trace.length).toBeGreaterThan(200)
})

test('one more number drawn on a node does not shift the other nodes', async () => {
  const numbersOf = (drawnBefore: number) => {
    const world = createWorld({ seed: 5 })
    const [a, b] = [world.env('a'), world.env('b')]
    for (let count = 0; count < drawnBefore; count++) a.random.next()
    world.close()
    return b.random.bytes(16).toString('hex')
  }
  expect(numbersOf(3)).toBe(numbersOf(0))
})

/** A little of everything: disk, network, timers, codecs, logs, deaths. */
async function run(seed: number): Promise<{ hash: string; trace: string[] }> {
  const trace: string[] = []
  const world = createWorld({
    seed,
    clock: 'jumping',
    buggify: true,
    trace: (line) => trace.push(line),
  })
  await serve(world.env('server'))
  void chat(world.env('client'))
  await Promise.all([write(world.env('server')), write(world.env('client'))])
  await world.clock.advance('500ms')
  world.powerCut('server')
  await serve(world.env('server'))
  await write(world.env('server'))
  world.kill('client')
  await world.clock.advance('1s')
  const hash = world.hash()
  world.close()
  return { hash, trace }
}

async function serve({ network, logger }: Env): Promise<void> {
  const memory = Buffer.alloc(1000)
  await network.listen({ host: '0.0.0.0', port: 1 }, (socket) => {
    logger.info({ from: socket.remote.host }, 'accepted')
    socket.receive({
      target: () => memory,
      received: (size) => socket.send([Buffer.from(memory.subarray(0, size))]),
      ended: () => socket.end(),
      closed: () => undefined,
    })
  })
}

async function chat({ network, clock, random }: Env): Promise<void> {
  const socket = await network.connect({ host: 'server', port: 1, timeoutMs: 1000 })
  const memory = Buffer.alloc(1000)
  socket.receive({
    target: () => memory,
    received: () => undefined,
    ended: () => undefined,
    closed: () => undefined,
  })
  for (let round = 0; round < 100; round++) {
    socket.send([random.bytes(1 + random.below(500))])
    await sleep(clock, random.below(20))
  }
}

async function write({ disk, compress, random, logger }: Env): Promise<void> {
  await Promise.all([compress.prepare('zstd'), compress.prepare('lz4')])
  await disk.makeDirectory('/data')
  const path = `/data/${random.uuid()}`
  const file = await disk.open(path, 'create')
  let position = 0
  for (let round = 0; round < 30; round++) {
    const bytes = compress.compress('zstd', random.bytes(random.below(3000)))
    await file.append([bytes], position)
    position += bytes.length
    if (random.buggify('sync', 0.5) || round % 5 === 0) await file.sync()
  }
  logger.info({ position }, 'written')
}
