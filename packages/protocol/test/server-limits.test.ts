// Limits of a server that no single bad frame shows: how many, how long, and noise of every kind.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import { anyRequest } from './arbitrary.ts'
import { holding, Peer, startServer, type TestServer, until } from './harness.ts'

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
