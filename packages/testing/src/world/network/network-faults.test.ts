import type { Socket } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { connected, type End, observe } from '../../../test/world-ends.ts'
import { createWorld } from '../create-world.ts'
import { type Duration, durationMs } from '../duration.ts'
import type { World } from '../world.ts'
import { swizzleClog } from './swizzle-clog.ts'

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1)

test('a clogged direction delivers nothing until its time is over, then all; the other one goes on', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.clog('client', 'server', '5s')
  client.socket.send([Buffer.from('late')])
  server.socket.send([Buffer.from('soon')])
  await world.clock.advance(4999)
  expect([client.text(), server.text()]).toEqual(['soon', ''])
  await world.clock.advance(1)
  expect(server.text()).toBe('late')
  client.socket.send([Buffer.from(', then more')])
  await world.clock.advance(0)
  expect(server.text()).toBe('late, then more')
  world.close()
})

test('what is on its way when a link is clogged waits, too', async () => {
  const world = createWorld({ seed: 1, networkLatency: { minMs: 100, maxMs: 100 } })
  const { client, server } = await connected(world)
  client.socket.send([Buffer.from('late')])
  await world.clock.advance(50)
  world.network.clog('client', 'server', '2s')
  await world.clock.advance(1999)
  expect(server.text()).toBe('')
  await world.clock.advance(1)
  expect(server.text()).toBe('late')
  world.close()
})

test('a link that loses packets delays them, and loses nothing', async () => {
  const world = createWorld({ seed: 4 })
  const { client, server } = await connected(world)
  world.network.lose('client', 'server', 0.3)
  let latestMs = 0
  for (let index = 0; index < 50; index++) {
    const sentMs = world.clock.monotonicMs()
    client.socket.send([Buffer.from('x')])
    await world.until(() => server.text().length === index + 1)
    latestMs = Math.max(latestMs, world.clock.monotonicMs() - sentMs)
  }
  expect(latestMs).toBeGreaterThanOrEqual(600)
  world.close()
})

test('swizzled links stop one by one, come back in another order, and carry all of it in the end', async () => {
  const orders = new Set<string>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const nodes = ['a', 'b', 'c']
    const clogged: { link: string; fromMs: number; untilMs: number }[] = []
    const network = {
      clog(from: string, to: string, duration: Duration) {
        const fromMs = world.clock.monotonicMs()
        clogged.push({ link: from + to, fromMs, untilMs: fromMs + durationMs(duration) })
        world.network.clog(from, to, duration)
      },
    }
    const swizzling = swizzleClog(world.env('nemesis'), network, nodes, '8s')
    await world.complete(swizzling)
    expect(world.clock.monotonicMs()).toBeCloseTo(8000)
    const byEnd = [...clogged].sort((one, other) => one.untilMs - other.untilMs)
    for (const { fromMs, untilMs } of clogged) {
      expect([fromMs < 4000, untilMs >= 4000, untilMs < 8001]).toEqual([true, true, true])
    }
    orders.add(
      `${clogged.length} ${clogged.map(({ link }) => link).join() === byEnd.map(({ link }) => link).join()}`,
    )
    expect(await reachable(world, nodes)).toHaveLength(6)
    world.close()
  }
  expect(orders).toContain('6 false')
  expect(orders).toContain('1 true')
})

test('a latency of its own takes the place of the usual one, both ways', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.latency('client', 'server', { minMs: 50, maxMs: 50 })
  client.socket.send([Buffer.from('ping')])
  server.socket.send([Buffer.from('pong')])
  await world.clock.advance(49)
  expect([client.text(), server.text()]).toEqual(['', ''])
  await world.clock.advance(451)
  expect([client.text(), server.text()]).toEqual(['pong', 'ping'])
  world.close()
})

test('bytes over a thin link take their time and fill the sender up', async () => {
  for (const thin of ['link', 'reader'] as const) {
    const world = createWorld({ seed: 1 })
    const { client, server } = await connected(world)
    if (thin === 'link') world.network.throttle('client', 'server', 100_000)
    else world.network.slowReader('server', 100_000)
    let taken = false
    client.socket.send([Buffer.alloc(2_000_000)], () => {
      taken = true
    })
    await world.clock.advance('5s')
    expect(server.size()).toBeGreaterThan(400_000)
    expect(server.size()).toBeLessThan(600_000)
    expect(taken).toBe(false)
    expect(client.socket.queuedBytes()).toBeGreaterThan(0)
    world.network.heal()
    await world.clock.advance('1s')
    expect([server.size(), taken]).toEqual([2_000_000, true])
    world.close()
  }
})

test('a link that dribbles gives small pieces only', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.dribble('client', 'server')
  client.socket.send([Buffer.alloc(1000)])
  await world.settled()
  expect(server.size()).toBe(1000)
  const sizes = server.chunks.map(({ length }) => length)
  expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 16])
  world.close()
})

test('a link that refuses says so while somebody listens; what is open stays open', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.refuse('client', 'server')
  const knock = () =>
    world.env('client').network.connect({ host: 'server', port: 9092, timeoutMs: 100 })
  await expect(world.complete(knock())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  client.socket.send([Buffer.from('still here')])
  await world.settled()
  expect(server.text()).toBe('still here')
  world.network.heal()
  await world.complete(knock())
  world.close()
})

test('a mute node opens connections and never answers, until it is healed', async () => {
  const world = createWorld({ seed: 1 })
  const accepted: string[] = []
  await world.env('server').network.listen({ host: 'server', port: 1 }, (socket) => {
    accepted.push(observe(socket).socket.remote.host)
  })
  world.network.mute('server')
  const { network } = world.env('client')
  const client = observe(await network.connect({ host: 'server', port: 1, timeoutMs: 100 }))
  client.socket.send([Buffer.from('hello?')])
  await world.clock.advance('10m')
  expect([accepted, client.events]).toEqual([[], []])
  world.network.heal()
  await world.settled()
  expect(accepted).toEqual(['client'])
  world.close()
})

test('a full backlog drops who comes next, and lets it in once there is room', async () => {
  const world = createWorld({ seed: 1 })
  const { network } = world.env('server')
  await network.listen({ host: 'server', port: 1, backlog: 2 }, () => undefined)
  world.network.mute('server')
  const knock = (timeoutMs: number) =>
    world.env('client').network.connect({ host: 'server', port: 1, timeoutMs })
  await Promise.all([knock(100), knock(100)])
  await expect(world.complete(knock(500))).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  expect(world.clock.pending()).toEqual([])
  const patient = knock(60_000)
  await world.clock.advance('2s')
  world.network.heal()
  await world.complete(patient)
  expect(world.clock.monotonicMs()).toBeLessThan(5000)
  world.close()
})

test('a partition cuts between groups and not within them', async () => {
  const world = createWorld({ seed: 1 })
  const nodes = ['a', 'b', 'c', 'd']
  world.network.partition(['a', 'b'], ['c', 'd'])
  expect(await reachable(world, nodes)).toEqual(['a b', 'b a', 'c d', 'd c'])
  world.network.heal()
  expect(await reachable(world, nodes)).toHaveLength(12)
  world.close()
})

test('an isolated node reaches nobody, nor does who comes later reach it, until it rejoins', async () => {
  const world = createWorld({ seed: 1 })
  world.network.isolate('a')
  expect(await reachable(world, ['a', 'b', 'late'])).toEqual(['b late', 'late b'])
  world.network.rejoin('a')
  expect(await reachable(world, ['a', 'b', 'late'])).toHaveLength(6)
  world.close()
})

test('a node that only speaks sends what nobody answers to', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.isolate('client', 'speaks')
  client.socket.send([Buffer.from('out')])
  server.socket.send([Buffer.from('in')])
  await world.clock.advance('1s')
  expect([client.text(), server.text()]).toEqual(['', 'out'])
  world.network.isolate('client', 'hears')
  client.socket.send([Buffer.from('out')])
  await world.clock.advance('1s')
  expect([client.text(), server.text()]).toEqual(['in', 'out'])
  world.close()
})

test('in a ring each node hears a majority, and no two the same one', async () => {
  for (const nodes of [
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'd', 'e'],
  ]) {
    const world = createWorld({ seed: 1 })
    const { sockets, heardBy } = await mesh(world, nodes)
    world.network.ring(nodes)
    for (const { socket, from } of sockets) socket.send([Buffer.from(from)])
    await world.clock.advance('1s')
    const heard = nodes.map(heardBy)
    expect(new Set(heard).size).toBe(nodes.length)
    for (const one of heard) expect(one).toHaveLength((nodes.length + 1) / 2)
    world.close()
  }
})

test('ends of a cut connection give up by themselves after a minute', async () => {
  for (const oneWay of [true, false]) {
    const world = createWorld({ seed: 1 })
    const { client, server } = await connected(world)
    world.network.cut('client', 'server', { oneWay })
    await world.clock.advance('59s')
    expect([client.events, server.events]).toEqual([[], []])
    await world.clock.advance('1s')
    await world.settled()
    expect([client.events, server.events]).toEqual([['closed ETIMEDOUT'], ['closed ETIMEDOUT']])
    world.close()
  }
})

test('a cut that ends within the minute costs no connection', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  for (let round = 0; round < 3; round++) {
    world.network.cut('client', 'server')
    await world.clock.advance('40s')
    world.network.mend('client', 'server')
  }
  client.socket.send([Buffer.from('still here')])
  await world.clock.advance('10m')
  expect([client.events, server.text()]).toEqual([[], 'still here'])
  world.close()
})

test('who connects while the link is cut is let in when it heals', async () => {
  const world = createWorld({ seed: 1 })
  await world.env('server').network.listen({ host: 'server', port: 1 }, () => undefined)
  world.network.cut('client', 'server')
  const knocking = world
    .env('client')
    .network.connect({ host: 'server', port: 1, timeoutMs: 10_000 })
  await world.clock.advance('2s')
  world.network.heal()
  await world.complete(knocking)
  expect(world.clock.monotonicMs()).toBe(3000)
  world.close()
})

test('a half-open connection: who kept its end learns of it when it sends', async () => {
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const { client, server } = await connected(world)
    world.network.halfOpen('server', 'client')
    await world.clock.advance('30s')
    expect([client.events, server.events]).toEqual([[], ['closed ETIMEDOUT']])
    client.socket.send([Buffer.from('anybody?')])
    await world.settled()
    expect(client.events).toEqual(['closed ECONNRESET'])
    world.close()
  }
})

test('a reset that is lost on a cut link is sent again when bytes come after it healed', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.cut('client', 'server')
  client.socket.send([Buffer.from('lost')])
  server.socket.destroy()
  await world.clock.advance('10s')
  expect(client.events).toEqual([])
  world.network.heal()
  await world.settled()
  expect(client.events.at(-1)).toBe('closed ECONNRESET')
  world.close()
})

test('connections between two nodes are reset, with the loss of what was not read; others stay', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  const other = observe(
    await world.env('other').network.connect({ host: 'server', port: 9092, timeoutMs: 100 }),
  )
  server.socket.pause()
  client.socket.send([Buffer.from('unread')])
  await world.settled()
  world.network.disconnectAll('server', 'client')
  server.socket.resume()
  await world.settled()
  expect([client.events, server.events]).toEqual([['closed ECONNRESET'], ['closed ECONNRESET']])
  expect([server.text(), other.events]).toEqual(['', []])
  world.close()
})

test('a process without a free descriptor opens no file and no connection, and loses who connects', async () => {
  const world = createWorld({ seed: 1 })
  const { disk, network } = world.env('a')
  const failed: string[] = []
  const onAcceptFailed = ({ code }: { code: string }) => failed.push(code)
  await network.listen({ host: 'a', port: 1, onAcceptFailed }, () => undefined)
  const file = await disk.open('/file', 'create')
  world.limitDescriptors('a', 2)
  await expect(disk.open('/file', 'read')).rejects.toMatchObject({ code: 'EMFILE' })
  await expect(disk.list('/')).rejects.toMatchObject({ code: 'EMFILE' })
  await expect(disk.replaceFile('/other', Buffer.alloc(1))).rejects.toMatchObject({
    code: 'EMFILE',
  })
  const knock = (from: string) =>
    world.env(from).network.connect({ host: 'a', port: 1, timeoutMs: 100 })
  await expect(world.complete(knock('a'))).rejects.toMatchObject({ code: 'EMFILE' })
  const lost = observe(await knock('client'))
  await world.settled()
  expect([lost.events, failed]).toEqual([['ended'], ['EMFILE']])
  await file.close()
  await knock('client')
  await world.settled()
  expect(failed).toHaveLength(1)
  world.limitDescriptors('a')
  await disk.list('/')
  world.close()
})

/** `from to` for each two that can connect. */
async function reachable(world: World, nodes: readonly string[]): Promise<string[]> {
  const pairs = nodes.flatMap((from) => nodes.flatMap((to) => (from === to ? [] : [[from, to]])))
  for (const host of nodes) {
    const listening = world.env(host).network.listen({ host, port: 1 }, () => undefined)
    await listening.catch(() => 'it does already')
  }
  const reached = pairs.map(async ([from = '', to = '']) => {
    const { network } = world.env(from)
    return await network.connect({ host: to, port: 1, timeoutMs: 500 }).then(
      () => [`${from} ${to}`],
      () => [],
    )
  })
  return (await world.complete(Promise.all(reached))).flat()
}

/** Everybody is connected with everybody. */
async function mesh(world: World, nodes: readonly string[]) {
  const heard = new Map(nodes.map((node) => [node, [] as End[]]))
  const sockets: { from: string; socket: Socket }[] = []
  for (const host of nodes) {
    await world.env(host).network.listen({ host, port: 2 }, (socket) => {
      heard.get(host)?.push(observe(socket))
    })
  }
  for (const from of nodes) {
    for (const host of nodes) {
      const { network } = world.env(from)
      sockets.push({ from, socket: await network.connect({ host, port: 2, timeoutMs: 500 }) })
    }
  }
  await world.settled()
  const heardBy = (node: string) =>
    heard
      .get(node)
      ?.map((end) => end.text())
      .sort()
      .join('')
  return { sockets, heardBy }
}
