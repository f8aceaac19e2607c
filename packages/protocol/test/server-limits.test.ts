// Limits of a server that no single bad frame shows: how many, how long, and noise of every kind.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import { MinikafkaError } from '../src/errors.ts'
import { anyRequest } from './arbitrary.ts'
import {
  Account,
  answerTo,
  holding,
  Peer,
  startServer,
  type TestServer,
  TOPIC_ID,
  until,
} from './harness.ts'

const MIB = 2 ** 20

const servers: TestServer[] = []

async function serverWith(options: Parameters<typeof startServer>[0] = {}) {
  const server = await startServer(options)
  servers.push(server)
  return server
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

test('connections beyond the limits are sent away, and those that left make room', async () => {
  const server = await serverWith({ limits: { connectionsMax: 3, connectionsPerAddressMax: 2 } })
  const first = await server.greeted()
  await server.greeted()
  const third = await server.connect()
  expect(await third.rest()).toHaveLength(0)
  expect(server.service.refusals).toEqual(['limits: too many connections from this address'])
  first.socket.end()
  await until(() => server.server.connectionCount === 1)
  await server.greeted()
})

test('a closing server takes nobody', async () => {
  const server = await serverWith()
  await server.server.close({ finishMs: 0 })
  const peer = await server.connect()
  expect(await peer.rest()).toHaveLength(0)
  expect(server.service.refusals).toEqual(['limits: the broker is closing'])
})

test('a service may close a connection: what is in flight is answered first', async () => {
  const server = await serverWith()
  const calls = holding(server.service)
  const peer = await server.greeted()
  peer.produce(1)
  await until(() => calls.count === 1)
  server.service.calls[0]?.connection.close()
  calls.release()
  expect(await peer.answeredIds(1)).toEqual([1])
  expect(await peer.rest()).toHaveLength(0)
})

test('connections that die while they wait for memory, or have it, leave all of it to the next one', async () => {
  const memory = new Account(MIB)
  const server = await serverWith({ memory })
  const calls = holding(server.service)
  const peers = await Promise.all(Array.from({ length: 20 }, () => server.greeted()))
  const frame = Buffer.concat(encodeRequest('produce', 0, 1, produceOf(300_000) as never))
  for (const [index, peer] of peers.entries()) peer.send(frame.subarray(0, index * 20_000))
  await until(() => memory.bytes > MIB / 2)
  for (const peer of peers) peer.socket.resetAndDestroy()
  await until(() => server.server.connectionCount === 0)
  calls.release()
  await until(() => memory.bytes === 0)
  const next = await server.greeted()
  next.produce(7, Buffer.alloc(300_000))
  await until(() => {
    calls.release()
    return server.service.calls.at(-1)?.correlationId === 7
  })
  calls.release()
  expect(await next.answeredIds(1)).toEqual([7])
})

test.each(['answered', 'refused'])(
  'what a call took is given back when it is %s, before its connection is read on, though another one waits there',
  async (how) => {
    const memory = new Account(MIB)
    const server = await serverWith({ memory })
    server.service.answer = async (call) => {
      if (call.api === 'produce') await new Promise(() => undefined)
      call.memory.charge(call.memory.room)
      if (how === 'refused') throw new MinikafkaError('INVALID_REQUEST')
      return answerTo(call)
    }
    const peer = await server.greeted()
    peer.produce(1)
    for (const id of [2, 3, 4]) {
      peer.request('metadata', id, { names: [], topicIds: null, allowAutoTopicCreation: false })
      expect(await peer.answeredIds(1)).toEqual([id])
    }
    peer.socket.resetAndDestroy()
    await until(() => server.server.connectionCount === 0)
  },
)

test('a large frame that its sender does not finish is given up when others wait for memory', async () => {
  const memory = new Account(MIB)
  const server = await serverWith({ memory, limits: { frameMs: 600_000, slowReaderMs: 1000 } })
  const frame = Buffer.concat(encodeRequest('produce', 0, 1, produceOf(400_000) as never))
  const slow = await server.greeted()
  slow.send(frame.subarray(0, 250_000))
  expect(await slow.rest()).toHaveLength(0)
  expect(server.service.refusals).toEqual([
    'limits: sent a large frame too slowly while memory was short',
  ])
  await until(() => memory.bytes === 0)
})

function produceOf(size: number) {
  const appends = [{ topicId: TOPIC_ID, partition: 0, batch: Buffer.alloc(size) }]
  return { acks: -1, timeoutMs: 1000, appends }
}

test('whatever a stream holds, wherever it is cut: it is answered or closed, and nothing is kept', async () => {
  const server = await serverWith({ limits: { frameBytesMax: 100_000 } })
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  const stream = fc.record({
    requests: fc.array(anyRequest, { maxLength: 8 }),
    changes: fc.array(change, { maxLength: 3 }),
    cuts: fc.array(fc.nat(), { maxLength: 5 }),
  })
  server.service.answer = async () => undefined
  await fc.assert(
    fc.asyncProperty(stream, async ({ requests, changes, cuts }) => {
      const peer = await Peer.connect(server.port)
      await peer.greet()
      const frames = requests.flatMap(({ api, request }, id) =>
        encodeRequest(api, 0, id, request as never),
      )
      const bytes = Buffer.concat(frames)
      for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      const ends = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
      let start = 0
      for (const end of [...ends, bytes.length]) {
        peer.send(bytes.subarray(start, end))
        start = end
        await new Promise((resolve) => setImmediate(resolve))
      }
      peer.socket.end()
      await peer.rest()
    }),
    { numRuns: 200 },
  )
  await until(() => server.server.connectionCount === 0)
  expect(server.memory.bytes).toBe(0)
  expect(server.service.unexpectedErrors).toEqual([])
  const peer = await server.greeted()
  peer.socket.end()
})
