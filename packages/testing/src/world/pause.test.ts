import { sleep } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

test('nothing of a paused process runs while time passes for everybody else', async () => {
  const world = createWorld({ seed: 1 })
  const seen: string[] = []
  const tick = (node: string) => {
    const { clock } = world.env(node)
    clock.timer(1000, () => {
      seen.push(node)
      tick(node)
    })
  }
  tick('a')
  tick('b')
  world.pause('a')
  await world.clock.advance('3s')
  expect(seen).toEqual(['b', 'b', 'b'])
  world.resume('a')
  await world.clock.advance(0)
  expect(seen).toEqual(['b', 'b', 'b', 'a'])
  await world.clock.advance('1s')
  expect(seen.slice(4).sort()).toEqual(['a', 'b'])
  world.close()
})

test('what a paused process missed happens in one go when it resumes: timers in order, before or after its I/O', async () => {
  const orders = new Set<string>()
  for (let seed = 1; seed <= 30; seed++) {
    const world = createWorld({ seed, diskLatency: { minMs: 1, maxMs: 1 } })
    const { clock, disk } = world.env('a')
    const seen: string[] = []
    for (const delayMs of [300, 100, 200]) clock.timer(delayMs, () => seen.push(`${delayMs}`))
    clock.timer(60_000, () => seen.push('late'))
    void disk.list('/').then(() => seen.push('listed'))
    world.pause('a')
    await world.clock.advance('10s')
    world.resume('a')
    await world.clock.advance(0)
    expect(clock.monotonicMs()).toBe(10_000)
    orders.add(seen.join(' '))
    world.close()
  }
  expect([...orders].sort()).toEqual(['100 200 300 listed', 'listed 100 200 300'])
})

test('a paused process keeps its connections: the kernel takes bytes, and new ones, until nothing fits', async () => {
  const world = createWorld({ seed: 1 })
  let accepted = 0
  let arrivedSize = 0
  await world.env('server').network.listen({ host: 'server', port: 1 }, (socket) => {
    accepted++
    const memory = Buffer.alloc(2 ** 16)
    socket.receive({
      target: () => memory,
      received: (size) => {
        arrivedSize += size
      },
      ended: () => undefined,
      closed: () => undefined,
    })
  })
  world.pause('server')
  const { network } = world.env('client')
  const sockets = await Promise.all(
    [1, 2].map(() => network.connect({ host: 'server', port: 1, timeoutMs: 1000 })),
  )
  for (const socket of sockets) socket.send([Buffer.alloc(2 ** 22)])
  await world.clock.advance('5s')
  expect([accepted, arrivedSize]).toEqual([0, 0])
  for (const socket of sockets) expect(socket.queuedBytes()).toBeGreaterThan(0)
  world.resume('server')
  await world.settled()
  expect([accepted, arrivedSize]).toEqual([2, 2 ** 23])
  world.close()
})

test('a paused process waits for its signals, and dies of a kill at once', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('a')
  let told = false
  env.program.onSignal('SIGTERM', () => {
    told = true
  })
  env.clock.timer(1000, () => {
    throw new Error('a dead process does nothing')
  })
  world.pause('a')
  world.signal('a', 'SIGTERM')
  await world.settled()
  expect(told).toBe(false)
  world.resume('a')
  await world.settled()
  expect(told).toBe(true)
  world.pause('a')
  expect(world.clock.pending()[0]).toMatch(/^in 1000 ms {2}a, paused {2}timer/)
  world.kill('a')
  world.resume('a')
  await world.clock.advance('1h')
  expect(world.clock.pending()).toEqual([])
  expect(world.pid('a')).toBeUndefined()
  await world.complete(sleep(world.env('a').clock, 1))
  world.close()
})
