import { sleep } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

test('a held clock runs what is due now and leaves the rest until it is moved', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  const seen: string[] = []
  clock.soon(() => seen.push('soon'))
  clock.timer(1000, () => seen.push('one second'))
  clock.timer(3000, () => seen.push('three seconds'))
  await world.settled()
  expect(seen).toEqual(['soon'])
  expect(clock.monotonicMs()).toBe(0)
  await world.clock.advance('1s')
  expect(seen).toEqual(['soon', 'one second'])
  await world.clock.advance('7d')
  expect(seen).toEqual(['soon', 'one second', 'three seconds'])
  expect(clock.monotonicMs()).toBe(1000 + 7 * 86_400_000)
  world.close()
})

test('timers that follow from timers run within one advance, each at its time', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  const timesMs: number[] = []
  const tick = () => {
    timesMs.push(clock.monotonicMs())
    clock.timer(100, tick)
  }
  clock.timer(100, tick)
  await world.clock.advance(350)
  expect(timesMs).toEqual([100, 200, 300])
  world.close()
})

test('a cancelled timer never fires and keeps nothing waiting', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  const fired: number[] = []
  const timers = Array.from({ length: 2000 }, (_, index) =>
    clock.timer(10, () => fired.push(index)),
  )
  for (const timer of timers.slice(1)) timer.cancel()
  expect(world.clock.pending()).toHaveLength(1)
  await world.clock.advance('1s')
  expect(fired).toEqual([0])
  world.close()
})

test('a jumping clock costs no real time', async () => {
  const world = createWorld({ seed: 1, clock: 'jumping' })
  const { clock } = world.env('a')
  for (let day = 0; day < 30; day++) await sleep(clock, 86_400_000)
  expect(clock.monotonicMs()).toBe(30 * 86_400_000)
  world.close()
})

test('a real clock fires no earlier than asked', async () => {
  const world = createWorld({ seed: 1, clock: 'real' })
  const { clock } = world.env('a')
  const startMs = clock.monotonicMs()
  await sleep(clock, 20)
  expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(20)
  await world.clock.advance(10)
  expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(30)
  world.close()
})

test('until moves time only as far as needed', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  let done = false
  clock.timer(5000, () => {
    done = true
  })
  clock.timer(9000, () => undefined)
  await world.until(() => done)
  expect(clock.monotonicMs()).toBe(5000)
  await world.until(() => done)
  expect(clock.monotonicMs()).toBe(5000)
  world.close()
})

test('a condition that throws fails its own wait, and the world goes on', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  let broken = false
  clock.timer(1000, () => {
    broken = true
  })
  const waiting = world.until(() => {
    if (broken) throw new Error('no such field')
    return false
  })
  const other = world.clock.advance('2s')
  await expect(waiting).rejects.toThrow('no such field')
  await other
  await world.clock.advance('1s')
  expect(clock.monotonicMs()).toBe(3000)
  world.close()
})

test('until gives up after its virtual deadline and says what waits', async () => {
  const world = createWorld({ seed: 1 })
  world.env('broker-0').clock.timer(120_000, () => undefined)
  const waiting = world.until(() => false, { what: 'a miracle' })
  await expect(waiting).rejects.toThrow(
    /^in 60000 ms the world never saw a miracle; what waits:\nin 60000 ms {2}broker-0 {2}timer .*scheduler\.test/,
  )
  world.close()
})

test('complete moves time until the work ends, and passes on how it ended', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  await world.complete(sleep(clock, 30_000))
  expect(clock.monotonicMs()).toBe(30_000)
  const failing = sleep(clock, 10).then(() => Promise.reject(new Error('as it ended')))
  await expect(world.complete(failing)).rejects.toThrow('as it ended')
  world.close()
})

test('all promises settle between two events', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  const seen: string[] = []
  const work = async () => {
    for (let step = 0; step < 100; step++) await undefined
    seen.push('first, a hundred promises later')
  }
  clock.timer(1, () => void work())
  clock.timer(1.0001, () => seen.push('second'))
  await world.clock.advance(2)
  expect(seen).toEqual(['first, a hundred promises later', 'second'])
  world.close()
})

test('the order of what is due at once comes from the seed', async () => {
  const orderOf = async (seed: number) => {
    const world = createWorld({ seed })
    const order: number[] = []
    const { clock } = world.env('a')
    for (let index = 0; index < 8; index++) clock.timer(5, () => order.push(index))
    await world.clock.advance(5)
    world.close()
    return order.join('')
  }
  expect(await orderOf(1)).toBe(await orderOf(1))
  const orders = new Set(await Promise.all([1, 2, 3, 4, 5].map(orderOf)))
  expect(orders.size).toBeGreaterThan(1)
})

test('what goes on and on at one moment keeps nothing waiting that was due before: rounds, each in any order', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = createWorld({ seed })
    const { clock } = world.env('a')
    const counts = [0, 0, 0, 0]
    let spread = 0
    const turn = (index: number) => {
      counts[index] = (counts[index] ?? 0) + 1
      spread = Math.max(spread, Math.max(...counts) - Math.min(...counts))
      if (counts[index] < 50) clock.soon(() => turn(index))
    }
    for (const index of counts.keys()) clock.soon(() => turn(index))
    await world.settled()
    expect([counts, spread, clock.monotonicMs()]).toEqual([[50, 50, 50, 50], 1, 0])
    world.close()
  }
})

test('an uncaught error ends its process with last words and fails the world', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('a')
  const words: unknown[] = []
  env.program.onFatal((error) => words.push(error))
  const error = new Error('nobody catches me')
  env.clock.timer(5, () => {
    throw error
  })
  env.clock.timer(6, () => words.push('never'))
  await expect(world.clock.advance(10)).rejects.toBe(error)
  await world.clock.advance(10)
  expect(words).toEqual([error])
  expect(world.exitCode('a')).toBe(1)
  expect(() => world.close()).toThrow(error)
})

test('nothing that a dead process waits for happens', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('a')
  const seen: string[] = []
  env.clock.timer(5, () => seen.push('timer'))
  void env.disk.list('/').then(() => seen.push('disk'))
  world.kill('a')
  env.clock.soon(() => seen.push('soon'))
  await world.clock.advance('1h')
  expect(seen).toEqual([])
  expect(world.leftovers()).toEqual([])
  expect(world.env('a').program.pid).not.toBe(env.program.pid)
  world.close()
})
