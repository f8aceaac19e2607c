import { expect, test } from 'vitest'
import { connected } from '../../../test/world-ends.ts'
import { createWorld } from '../create-world.ts'

const SEEDS = Array.from({ length: 50 }, (_, index) => index + 1)

test('bytes arrive in order, in pieces of the seed, whatever the latency', async () => {
  const sizes = new Set<number>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed, clock: 'jumping' })
    const { client, server } = await connected(world)
    const sent = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251))
    for (let from = 0; from < sent.length; from += 100)
      client.socket.send([sent.subarray(from, from + 100)])
    await world.until(() => server.size() === sent.length)
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true)
    for (const chunk of server.chunks) sizes.add(chunk.length)
    world.close()
  }
  expect(sizes.has(1)).toBe(true)
  expect(Math.max(...sizes)).toBeGreaterThan(100)
})

test('nobody listens: refused; no such node: not found; no power or no link: a time-out', async () => {
  const world = createWorld({ seed: 1 })
  const { network } = world.env('client')
  world.env('server')
  const connect = (host: string) => network.connect({ host, port: 9092, timeoutMs: 5000 })
  await expect(connect('server')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(connect('elsewhere')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  world.network.cut('client', 'server')
  await expect(world.complete(connect('server'))).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  world.network.heal()
  world.powerCut('server')
  await expect(world.complete(connect('server'))).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  expect(world.clock.monotonicMs()).toBe(10_000)
  world.close()
})

test('who listens on loopback is not heard from another node', async () => {
  const world = createWorld({ seed: 1 })
  await world.env('server').network.listen({ host: '127.0.0.1', port: 9092 }, () => undefined)
  const from = (node: string, host: string) =>
    world.env(node).network.connect({ host, port: 9092, timeoutMs: 5000 })
  await expect(from('client', 'server')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(from('client', 'localhost')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect((await from('server', 'localhost')).remote).toEqual({ host: 'localhost', port: 9092 })
  world.close()
})

test('the kernel of a killed process closes its connections; what it took is still delivered', async () => {
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const { client, server } = await connected(world)
    server.socket.send([Buffer.from('last words')])
    world.kill('server')
    await world.settled()
    expect(Buffer.concat(client.chunks).toString()).toBe('last words')
    expect(client.events).toEqual(['ended'])
    client.socket.send([Buffer.from('still there?')])
    await world.settled()
    expect(client.events).toEqual(['ended', 'closed ECONNRESET'])
    world.close()
  }
})

test('a power cut is not noticed until the host is back or the kernel gives up', async () => {
  for (const back of [true, false]) {
    const world = createWorld({ seed: 1 })
    const { client } = await connected(world)
    world.powerCut('server')
    client.socket.send([Buffer.from('hello?')])
    await world.clock.advance('30s')
    expect(client.events).toEqual([])
    if (back) world.env('server')
    else await world.clock.advance('30s')
    await world.settled()
    expect(client.events).toEqual([back ? 'closed ECONNRESET' : 'closed ETIMEDOUT'])
    world.close()
  }
})

test('a cut link delays what was sent until it heals', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.cut('client', 'server', { oneWay: true })
  client.socket.send([Buffer.from('one way')])
  server.socket.send([Buffer.from('the other')])
  await world.clock.advance('10s')
  expect([server.size(), client.size()]).toEqual([0, 9])
  world.network.heal()
  await world.settled()
  expect(Buffer.concat(server.chunks).toString()).toBe('one way')
  world.close()
})

test('a slow link takes that much longer', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.slow('client', 'server', '2s')
  client.socket.send([Buffer.from('late')])
  await world.clock.advance(1999)
  expect(server.size()).toBe(0)
  await world.clock.advance(1)
  expect(server.size()).toBe(4)
  world.close()
})

test('disconnectAll resets both ends of every connection of a node', async () => {
  const world = createWorld({ seed: 1 })
  const { client, server } = await connected(world)
  world.network.disconnectAll('server')
  await world.settled()
  expect([client.events, server.events]).toEqual([['closed ECONNRESET'], ['closed ECONNRESET']])
  world.close()
})

test('a reader that pauses makes the sender wait, and nothing is lost', async () => {
  for (const seed of SEEDS.slice(0, 10)) {
    const world = createWorld({ seed })
    const { client, server } = await connected(world)
    server.socket.pause()
    let taken = 0
    const piece = Buffer.alloc(2 ** 18, 'x')
    for (let index = 0; index < 16; index++) client.socket.send([piece], () => taken++)
    await world.settled()
    expect(taken).toBeLessThan(16)
    expect(client.socket.queuedBytes()).toBeGreaterThan(0)
    server.socket.resume()
    await world.settled()
    expect([taken, server.size(), client.socket.queuedBytes()]).toEqual([16, 16 * 2 ** 18, 0])
    world.close()
  }
})

test('a buffer used again before done() ends the process', async () => {
  const world = createWorld({ seed: 1 })
  const { client } = await connected(world)
  const buffer = Buffer.from('first')
  client.socket.send([buffer], () => undefined)
  buffer.write('later')
  await expect(world.settled()).rejects.toThrow('a buffer lent to send() stays as it was')
})

test('two processes of one node share its ports and its lock, each with a pid of its own', async () => {
  const world = createWorld({ seed: 1 })
  const [first, second] = [world.start('a'), world.start('a')]
  await first.network.listen({ host: '0.0.0.0', port: 9092 }, () => undefined)
  const again = second.network.listen({ host: '127.0.0.1', port: 9092 }, () => undefined)
  await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await first.disk.makeDirectory('/data')
  await first.disk.lock('/data')
  expect(await second.disk.lock('/data/')).toEqual({ heldBy: first.program.pid })
  world.kill('a')
  expect(await world.env('a').disk.lock('/data')).toHaveProperty('lock')
  world.close()
})
