import { type Env, sleep } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'
import { swizzleClog } from './network/swizzle-clog.ts'

test('the same seed gives the same run, event by event; another seed another one', async () => {
  const first = await run(11)
  expect(await run(11)).toEqual(first)
  expect((await run(12)).hash).not.toBe(first.hash)
  expect(first.trace.length).toBeGreaterThan(200)
})

test('faults of every kind come from the seed, too', async () => {
  const first = await rage(21)
  expect(await rage(21)).toEqual(first)
  expect((await rage(22)).hash).not.toBe(first.hash)
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

/** The same under all that can go wrong. */
async function rage(seed: number) {
  const trace: string[] = []
  const nodes = ['server', 'client', 'other']
  const world = createWorld({
    seed,
    clock: 'jumping',
    buggify: true,
    trace: (line) => trace.push(line),
  })
  const { network } = world
  await serve(world.env('server'))
  for (const node of ['client', 'other']) void chat(world.env(node)).catch(() => undefined)
  const writing = nodes.map((node) => write(world.env(node)).catch(() => undefined))
  const nemesis = world.env('nemesis')
  const swizzling = swizzleClog(nemesis, network, nodes, '500ms')
  network.lose('client', 'server', 0.2)
  network.dribble('server', 'client')
  network.throttle('other', 'server', 20_000)
  network.latency('other', 'client', { minMs: 1, maxMs: 30 })
  world.clockOf('client').jump('-1h')
  world.clockOf('other').drift(500)
  world.disk('server').failSync(2)
  world.disk('client').failWrite(1)
  world.disk('other').stall('100ms')
  await world.clock.advance('100ms')
  world.pause('server')
  network.halfOpen('client', 'server')
  await world.clock.advance('200ms')
  world.resume('server')
  network.isolate('other')
  for (const { path, size } of world.disk('other').files()) {
    if (size > 0) world.disk('other').flipBit(path, nemesis.random.below(size), 3)
  }
  await swizzling
  world.powerCut('server')
  world.limitDescriptors('server', 5)
  await serve(world.env('server'))
  network.heal()
  writing.push(write(world.env('server')).catch(() => undefined))
  await world.clock.advance('5s')
  const found = ['server', 'client', 'other'].map((node) => world.disk(node).files())
  const outcome = { hash: world.hash(), trace, found, points: world.buggifyPoints() }
  world.close()
  return outcome
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
