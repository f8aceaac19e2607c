// The rows of the catalogue that are about time, on a clock that the test holds: nothing here waits for a real one.
import { afterEach, describe, expect, test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import type { ServerCall } from '../src/rpc/index.ts'
import { Account, answerTo, FETCH, FETCHED, holding, lengthOf, TestService } from './harness.ts'
import { produceFrame, startWorldServer, type WorldServer } from './world-server.ts'

const MIB = 2 ** 20
const servers: WorldServer[] = []

async function serverWith(options: Parameters<typeof startWorldServer>[0] = {}) {
  const server = await startWorldServer(options)
  servers.push(server)
  return server
}

afterEach(() => {
  for (const { world } of servers.splice(0)) world.close()
})

/** Everything that a connection charged is given back once it is gone. */
async function expectNothingLeft({ world, server, memory }: WorldServer) {
  await world.settled()
  expect(server.connectionCount).toBe(0)
  expect(memory.bytes).toBe(0)
}

const HELLO = Buffer.concat(
  encodeRequest('apiVersions', 0, 0, { clientName: 'test', clientVersion: '1', clientId: 'me' }),
)

test('row 1: a peer that sends nothing is closed after 10 s, and no memory was kept', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  await server.world.clock.advance('10s')
  expect(peer.isClosed).toBe(false)
  await server.world.clock.advance('2s')
  expect(peer.hasEnded).toBe(true)
  expect(server.service.refusals).toEqual(['limits: sent no first frame in time'])
  expect(server.memory.peak).toBe(0)
  await expectNothingLeft(server)
})

test.each([
  ['the first', false, 'limits: sent no first frame in time'],
  ['a later', true, 'limits: sent a frame too slowly'],
])('row 2: %s frame at a byte a second is closed after 10 s', async (_, greets, refusal) => {
  const server = await serverWith()
  const peer = await (greets ? server.greeted() : server.connect())
  const frame = greets ? produceFrame(1, Buffer.alloc(20)) : HELLO
  for (let second = 0; second < 13 && !peer.hasEnded; second++) {
    peer.send(frame.subarray(second, second + 1))
    await server.world.clock.advance('1s')
  }
  expect(server.service.refusals).toEqual([refusal])
  expect(server.service.calls).toEqual([])
  await expectNothingLeft(server)
})

test('row 2: a frame has a second more for each 64 kB', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  const frame = produceFrame(1, Buffer.alloc(640_000))
  peer.send(frame.subarray(0, 600_000))
  await server.world.clock.advance('19s')
  peer.send(frame.subarray(600_000))
  expect(await peer.answeredIds(1)).toEqual([1])
})

test('row 6: length = limit, 10 bytes, silence is closed at the deadline and costs at most 64 kB', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  peer.send(lengthOf(16 * MIB), Buffer.alloc(10, 0x90))
  await server.world.clock.advance('270s')
  expect(peer.hasEnded).toBe(false)
  await server.world.clock.advance('10s')
  expect(peer.hasEnded).toBe(true)
  expect(server.memory.peak).toBeLessThanOrEqual(64_000)
  expect(server.service.refusals).toEqual(['limits: sent a frame too slowly'])
  await expectNothingLeft(server)
})

test('an idle connection ends in peace after 10 min; one that waits for an answer does not', async () => {
  const server = await serverWith()
  const calls = holding(server.service)
  const busy = await server.greeted()
  busy.produce(1, Buffer.alloc(5))
  const idle = await server.greeted()
  await server.world.clock.advance('9m')
  expect(idle.hasEnded).toBe(false)
  await server.world.clock.advance('70s')
  expect(idle.hasEnded).toBe(true)
  expect(server.service.refusals).toEqual([])
  calls.release()
  expect(await busy.answeredIds(1)).toEqual([1])
})

test('half-open: a peer that does not close after the end is cut off, without a complaint', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  await server.world.clock.advance('602s')
  expect(peer.hasEnded).toBe(true)
  expect(server.server.connectionCount).toBe(1)
  await server.world.clock.advance('12s')
  expect(server.service.refusals).toEqual([])
  await expectNothingLeft(server)
})

test('where nothing happens the server sleeps: until somebody is idle for too long, or for ever', async () => {
  const server = await serverWith()
  const timers = () => server.world.clock.pending().filter((line) => line.includes('server  timer'))
  expect(timers()).toEqual([])
  const peer = await server.greeted()
  await server.world.clock.advance('2s')
  expect(timers()).toEqual([expect.stringMatching(/^in 59[78]\d\d\d ms/)])
  const calls = holding(server.service)
  peer.produce(1, Buffer.alloc(5))
  await server.world.clock.advance('2s')
  expect(timers()).toEqual([])
  calls.release()
  expect(await peer.answeredIds(1)).toEqual([1])
  await server.world.clock.advance('2s')
  expect(timers()).toEqual([expect.stringMatching(/^in 59[78]\d\d\d ms/)])
  // It is awake again: half a frame has less time than idleness.
  peer.send(lengthOf(100))
  await server.world.clock.advance('12s')
  expect(server.service.refusals).toEqual(['limits: sent a frame too slowly'])
  await expectNothingLeft(server)
  expect(timers()).toEqual([])
})

test('a process that stood still judges nobody before it has read what came meanwhile', async () => {
  const server = await serverWith()
  for (let round = 0; round < 10; round++) {
    const peer = await server.greeted()
    const frame = produceFrame(1, Buffer.alloc(1000))
    peer.send(frame.subarray(0, 500))
    await server.world.clock.advance('5s')
    server.world.pause('server')
    peer.send(frame.subarray(500))
    await server.world.clock.advance('1h')
    server.world.resume('server')
    expect(await peer.answeredIds(1)).toEqual([1])
  }
  expect(server.service.refusals).toEqual([])
})

describe('row 16: answers that are never read', () => {
  const size = MIB
  const unread = { requestsInFlightMax: 3, unsentBytesMax: 8 * MIB }

  test('pause the connection at its cap, and close it after 60 s', async () => {
    const server = await serverWith({ limits: unread, service: fetching(size) })
    const peer = await server.greeted()
    peer.socket.pause()
    for (let id = 1; id <= 90; id++) peer.request('fetch', id, FETCH)
    await server.world.clock.advance('50s')
    const served = server.service.calls.length
    expect(served).toBeLessThan(90)
    expect(server.memory.peak).toBeLessThan(8 * MIB + 4 * MIB)
    // The pace at which unsent bytes may still go adds to the minute: 8 MiB take two more.
    await server.world.clock.advance('4m')
    expect(server.service.calls.length).toBe(served)
    expect(server.service.refusals).toEqual(['limits: took no answer in time'])
    await expectNothingLeft(server)
  })

  /** So many peers ask for so much, and read none of it. */
  async function deafened(count: number, rounds: number, memory: Account, service: TestService) {
    const server = await serverWith({ memory, service })
    const good = await server.greeted()
    const deaf = await Promise.all(Array.from({ length: count }, () => server.greeted()))
    for (const peer of deaf) peer.socket.pause()
    for (let round = 0; round < rounds; round++) {
      for (const peer of deaf) peer.request('fetch', round, FETCH)
      await server.world.settled()
    }
    return { server, good }
  }

  test('on many connections that ask again and again never fill the memory', async () => {
    const memory = new Account(32 * MIB)
    const share = ({ memory: { room } }: ServerCall) => Math.min(MIB, room)
    const { server, good } = await deafened(100, 20, memory, fetching(share))
    expect(memory.full).toBe(false)
    good.produce(1, Buffer.alloc(1000))
    await server.world.settled()
    expect(await good.answeredIds(1)).toEqual([1])
    expect(server.world.clock.monotonicMs()).toBe(0)
  })
})

describe('row 15: half frames that hold the memory', () => {
  const limits = { frameBytesMax: 4 * MIB }
  const large = produceFrame(1, Buffer.alloc(2 * MIB))

  /** So many peers have sent so much of a large frame, and nothing follows. */
  async function besieged(count: number, bytes: number, memory: Account) {
    const server = await serverWith({ limits, memory })
    const peers = await Promise.all(Array.from({ length: count }, () => server.greeted()))
    for (const peer of peers) peer.send(large.subarray(0, bytes))
    await server.world.settled()
    return { server, peers }
  }

  test.each([
    [50, 2_000_000, 10_000],
    [50, 200_000, 0],
    [100, 20_000, 0],
  ])(
    '%i peers with %i bytes each keep nobody with a smaller frame waiting for more than %i ms',
    async (count, bytes, boundMs) => {
      const memory = new Account(32 * MIB)
      const { server } = await besieged(count, bytes, memory)
      const beganMs = server.world.clock.monotonicMs()
      const good = await server.greeted()
      for (const size of [100, 5000, 60_000]) {
        good.produce(size, Buffer.alloc(size))
        expect(await good.answeredIds(1)).toEqual([size])
      }
      expect(server.world.clock.monotonicMs() - beganMs).toBeLessThanOrEqual(boundMs)
      expect(memory.peak).toBeLessThanOrEqual(32 * MIB + 2 * large.length)
    },
  )

  test('one with a frame as large as theirs is served at once, and the silent ones give way one by one', async () => {
    const memory = new Account(32 * MIB)
    const { server } = await besieged(50, 100_000, memory)
    const beganMs = server.world.clock.monotonicMs()
    const good = await server.greeted()
    good.send(large)
    expect(await good.answeredIds(1)).toEqual([1])
    expect(server.world.clock.monotonicMs() - beganMs).toBeLessThan(5000)
    await server.world.clock.advance('60s')
    expect(server.service.refusals).toContain(
      'limits: sent a large frame too slowly while memory was short',
    )
  })

  test('half frames go on when those before them are done; nobody sees an error', async () => {
    const memory = new Account(8 * MIB)
    const { server, peers } = await besieged(40, 40_000, memory)
    for (const peer of peers) peer.send(large.subarray(40_000))
    for (const peer of peers) expect(await peer.answeredIds(1)).toEqual([1])
    expect(server.service.refusals).toEqual([])
    expect(memory.peak).toBeLessThanOrEqual(8 * MIB + 3 * large.length)
    expect(memory.bytes).toBeLessThan(MIB)
  })

  test('a large frame that is refused gives way to the next, as one that is answered does', async () => {
    const memory = new Account(32 * MIB)
    const { server, peers } = await besieged(50, 0, memory)
    const refused = Buffer.from(large)
    // Of a version that does not exist.
    refused[6] = 99
    for (const peer of peers) peer.send(refused.subarray(0, 100_000))
    await server.world.settled()
    for (const peer of peers) peer.send(refused.subarray(100_000))
    const beganMs = server.world.clock.monotonicMs()
    const good = await server.greeted()
    good.send(large)
    expect(await good.answeredIds(1)).toEqual([1])
    expect(server.world.clock.monotonicMs() - beganMs).toBeLessThan(5000)
  })

  test('a frame larger than the whole budget is read all the same, two at a time', async () => {
    const memory = new Account(MIB)
    const { server, peers } = await besieged(5, 40_000, memory)
    for (const peer of peers) peer.send(large.subarray(40_000))
    for (const peer of peers) expect(await peer.answeredIds(1)).toEqual([1])
    expect(server.service.refusals).toEqual([])
    // While a buffer grows the part before is charged, too; and there are two of them.
    expect(memory.peak).toBeLessThan(10 * MIB)
  })
})

function fetching(size: number | ((call: ServerCall) => number)) {
  const big = Buffer.alloc(MIB)
  const service = new TestService()
  service.answer = async (call) => {
    if (call.api !== 'fetch') return answerTo(call)
    const records = [big.subarray(0, typeof size === 'number' ? size : size(call))]
    return { sessionId: 0, results: [{ ...FETCHED, records }] }
  }
  return service
}
