// SECURITY's catalogue of bad inputs, the rows that the frame, the codec and the connection answer: real sockets.
// Those that are about time (1, 2, 6, parts of 15 and 16) stand in deadlines.test.ts, on a clock that the test holds.
import { encode } from '@msgpack/msgpack'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import {
  Account,
  answerTo,
  FETCH,
  FETCHED,
  holding,
  lengthOf,
  startServer,
  type TestServer,
  TestService,
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

/** Everything that a connection charged is given back once it is gone. */
async function expectNothingLeft({ server, memory }: TestServer) {
  await until(() => server.connectionCount === 0)
  expect(memory.bytes).toBe(0)
}

function framed(...items: unknown[]): Buffer {
  const frame = encode(items)
  return Buffer.concat([lengthOf(frame.length), frame])
}

const ALL_TOPICS = { names: null, topicIds: null, allowAutoTopicCreation: false }

describe('row 3: a length too short for a request', () => {
  test.each([0, 1, 4, 5])('of %i is INVALID_REQUEST, close', async (size) => {
    const server = await serverWith()
    const peer = await server.greeted()
    peer.send(lengthOf(size), Buffer.alloc(size, 0x90))
    expect(await peer.lastError()).toMatchObject({ name: 'INVALID_REQUEST', correlationId: -1 })
    await expectNothingLeft(server)
  })
})

test('row 4: length 0xFFFFFFFF is FRAME_TOO_LARGE, close, nothing allocated', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  const before = server.memory.peak
  peer.send(lengthOf(0xffff_ffff))
  expect(await peer.lastError()).toMatchObject({ name: 'FRAME_TOO_LARGE', correlationId: -1 })
  expect(server.memory.peak - before).toBeLessThan(1000)
  await expectNothingLeft(server)
})

test('row 5: length = limit + 1 is FRAME_TOO_LARGE {max}, close; the limit itself is read', async () => {
  const server = await serverWith({ limits: { frameBytesMax: 100_000 } })
  const peer = await server.greeted()
  const overhead = Buffer.concat(peerProduce(0)).length - 4
  peer.produce(1, Buffer.alloc(100_000 - overhead))
  expect(await peer.answeredIds(1)).toEqual([1])
  peer.produce(2, Buffer.alloc(100_001 - overhead))
  expect(await peer.lastError()).toMatchObject({
    name: 'FRAME_TOO_LARGE',
    details: { max: 100_000 },
  })
  expect(server.service.calls).toHaveLength(1)
})

function peerProduce(size: number) {
  const appends = [
    { topicId: '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a', partition: 0, batch: Buffer.alloc(size) },
  ]
  return encodeRequest('produce', 0, 1, { acks: -1, timeoutMs: 1000, trace: false, appends })
}

test('row 7: HTTP is answered in HTTP, with a hint', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  peer.send(Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  const answer = (await peer.rest()).toString()
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(answer).toContain('not HTTP')
  expect(server.service.refusals).toEqual(['http: HTTP on a port of the minikafka protocol'])
})

test('row 8: a TLS hello is answered with an alert, and the log learns of it', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  peer.send([0x16, 0x03, 0x01, 0x02, 0x95], Buffer.alloc(600))
  expect([...(await peer.rest())]).toEqual([0x15, 3, 3, 0, 2, 2, 40])
  expect(server.service.refusals).toEqual(['tls: TLS on a plaintext port'])
})

test('a Kafka client is closed without a word, and the log learns of it', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  peer.send(lengthOf(20), [0, 18, 0, 3], Buffer.alloc(16))
  expect(await peer.rest()).toHaveLength(0)
  expect(server.service.refusals).toEqual([expect.stringMatching(/^kafka: /)])
})

test('noise gets one error frame, close', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  peer.send(Buffer.from('hello, is anybody there?'))
  expect(await peer.lastError()).toMatchObject({ name: 'INVALID_REQUEST', correlationId: -1 })
})

describe('rows 10, 11, 35, 36, 66, 68: malformed frames are INVALID_REQUEST, close', () => {
  const produceBody = (partition: unknown, blob: unknown = [0, 1]) => [
    1,
    1,
    [['0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a', partition, blob]],
  ]
  const batch = Buffer.from('batch')
  const raw = (...bytes: (number[] | Buffer)[]) => {
    const all = Buffer.concat(bytes.map((part) => Buffer.from(part)))
    return Buffer.concat([lengthOf(all.length), all])
  }
  const head = [0x95, 3, 0, 7, 0x90]
  test.each([
    ['10: bytes after the array', raw(...[encode([3, 0, 7, [], []])].map(Buffer.from), [1])],
    ['10: a surplus blob', framed(0, 0, 7, [], produceBody(0), batch, batch)],
    ['11: an item longer than the frame', raw(head, [0x93, 0xdb, 0, 0, 1, 0])],
    ['11: a missing blob', framed(0, 0, 7, [], produceBody(0))],
    ['35: a count of 2^31 - 1', raw(head, [0xdd, 0x7f, 255, 255, 255], Buffer.alloc(100))],
    ['36: a depth of 200,000', raw(head, Buffer.alloc(200_000, 0x91), [0x90])],
    [
      '36: the same in an unknown field',
      raw(head, [0x94, 0xc0, 0xc0, 0xc2], Buffer.alloc(200_000, 0x91), [1]),
    ],
    ['66: a float for an integer', framed(0, 0, 7, [], produceBody(1.5), batch)],
    ['66: a map for an array', framed(3, 0, 7, [], { names: null })],
    ['68: a blob sent as a string', framed(0, 0, 7, [], produceBody(0), 'batch')],
    ['68: a blob that is not there', framed(0, 0, 7, [], produceBody(0, [1, 1]), batch)],
  ])('%s', async (_, bytes) => {
    const server = await serverWith()
    const peer = await server.greeted()
    peer.send(bytes)
    expect(await peer.lastError()).toMatchObject({ name: 'INVALID_REQUEST', correlationId: 7 })
    expect(server.service.calls).toHaveLength(0)
    await expectNothingLeft(server)
  })
})

test('row 12: an unknown API is UNSUPPORTED_VERSION with correlation id; the tenth closes', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  for (let id = 1; id <= 9; id++) {
    peer.send(framed(999, 0, id, [], []))
    expect(await peer.error()).toMatchObject({ name: 'UNSUPPORTED_VERSION', correlationId: id })
  }
  peer.produce(100)
  expect(await peer.answeredIds(1)).toEqual([100])
  peer.send(framed(999, 0, 10, [], []))
  expect(await peer.lastError()).toMatchObject({ name: 'UNSUPPORTED_VERSION', correlationId: 10 })
})

test('row 13: an unsupported version is UNSUPPORTED_VERSION {min, max}, and stays open', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  for (let id = 1; id <= 20; id++) {
    peer.send(framed(0, 99, id, [], []))
    expect(await peer.error()).toMatchObject({
      name: 'UNSUPPORTED_VERSION',
      correlationId: id,
      details: { min: 0, max: 1 },
    })
  }
})

test('row 13: ApiVersions of an unknown version is answered in version 0', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  peer.send(framed(18, 99, 4, [], ['from the future', '9', 'me', ['more']]))
  expect(await peer.answeredIds(1)).toEqual([4])
  peer.produce(5)
  expect(await peer.answeredIds(1)).toEqual([5])
})

test('row 14: one correlation id twice in flight is echoed twice', async () => {
  const server = await serverWith()
  const calls = holding(server.service)
  const peer = await server.greeted()
  peer.produce(7).produce(7)
  await until(() => calls.count === 2)
  calls.release()
  expect(await peer.answeredIds(2)).toEqual([7, 7])
})

describe('row 15', () => {
  test('the 101st request is not served until one is done', async () => {
    const server = await serverWith()
    const calls = holding(server.service)
    const peer = await server.greeted()
    for (let id = 1; id <= 150; id++) peer.produce(id)
    await until(() => calls.count === 100)
    // Another connection makes the round: had there been more to serve, it would be by now.
    const other = await server.greeted()
    await other.greet()
    expect(calls.count).toBe(100)
    calls.release(1)
    await until(() => server.service.calls.length === 101)
    await until(() => {
      calls.release()
      return server.service.calls.length === 150
    })
    calls.release()
    const ids = await peer.answeredIds(150)
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
  })

  test('above the memory budget sockets are not read until there is room; nobody sees an error', async () => {
    const memory = new Account(MIB)
    const server = await serverWith({ memory })
    const calls = holding(server.service)
    const peers = await Promise.all(Array.from({ length: 20 }, () => server.greeted()))
    for (const peer of peers) peer.produce(1, Buffer.alloc(MIB))
    await until(() => memory.full)
    const answers = Promise.all(peers.map((peer) => peer.answeredIds(1)))
    await until(() => {
      calls.release()
      return server.service.calls.length === 20
    })
    calls.release()
    expect(await answers).toEqual(peers.map(() => [1]))
    expect(server.service.refusals).toEqual([])
  })

  test('of many connections that send at once few read on when the budget is used up', async () => {
    const memory = new Account(4 * MIB)
    const server = await serverWith({ memory })
    const peers = await Promise.all(Array.from({ length: 200 }, () => server.greeted()))
    for (const peer of peers) peer.produce(1, Buffer.alloc(MIB))
    const ids = await Promise.all(peers.map((peer) => peer.answeredIds(1)))
    expect(ids).toEqual(peers.map(() => [1]))
    expect(memory.peak).toBeLessThan(4 * MIB + 4 * MIB)
  })
})

describe('row 16: answers that are never read', () => {
  const big = Buffer.alloc(MIB)
  const records = { records: [big] }

  function fetching(service: TestService) {
    service.answer = async (call) =>
      call.api === 'fetch'
        ? { sessionId: 0, results: [{ ...FETCHED, ...records }] }
        : answerTo(call)
    return service
  }

  test('that are read late are sent late, all of them', async () => {
    const limits = { requestsInFlightMax: 3, unsentBytesMax: 8 * MIB }
    const server = await serverWith({ limits, service: fetching(new TestService()) })
    const peer = await server.greeted()
    peer.socket.pause()
    for (let id = 1; id <= 50; id++) peer.request('fetch', id, FETCH)
    await until(() => server.memory.bytes > 8 * MIB)
    peer.socket.resume()
    expect(await peer.answeredIds(50)).toHaveLength(50)
  })
})

test('row 17: FIN with requests in flight finishes, answers, closes', async () => {
  const server = await serverWith()
  const calls = holding(server.service)
  const peer = await server.greeted()
  peer.produce(1).produce(2)
  peer.socket.end()
  await until(() => calls.count === 2)
  calls.release()
  expect(await peer.answeredIds(2)).toEqual([1, 2])
  expect(await peer.rest()).toHaveLength(0)
  await expectNothingLeft(server)
})

test('row 17: FIN behind more requests than may be in flight answers them all', async () => {
  const server = await serverWith({ limits: { requestsInFlightMax: 3 } })
  const peer = await server.greeted()
  for (let id = 1; id <= 50; id++) peer.produce(id)
  peer.socket.end()
  expect(await peer.answeredIds(50)).toHaveLength(50)
  expect(await peer.rest()).toHaveLength(0)
})

test('row 18: RST inside a produce frame: nothing is served', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  const frame = Buffer.concat(peerProduce(100_000))
  peer.send(frame.subarray(0, 60_000))
  await until(() => server.memory.peak > 60_000)
  peer.socket.resetAndDestroy()
  await expectNothingLeft(server)
  expect(server.service.calls).toHaveLength(0)
})

test('row 19: RST after the frame, before the answer: served once, its signal aborts', async () => {
  const server = await serverWith()
  const calls = holding(server.service)
  const peer = await server.greeted()
  peer.produce(1)
  await until(() => calls.count === 1)
  const signal = server.service.calls[0]?.signal
  expect(signal?.aborted).toBe(false)
  peer.socket.resetAndDestroy()
  await until(() => server.server.connectionCount === 0)
  expect(signal?.aborted).toBe(true)
  calls.release()
  await until(() => server.memory.bytes === 0)
  expect(server.service.calls).toHaveLength(1)
})

test('row 37: names of the prototype are served as plain strings', async () => {
  const server = await serverWith()
  const peer = await server.connect()
  const names = ['__proto__', 'constructor', 'toString']
  const said = { clientName: '__proto__', clientVersion: 'constructor', clientId: 'toString' }
  peer.request('apiVersions', 0, said)
  peer.request('metadata', 1, { ...ALL_TOPICS, names })
  await peer.answeredIds(2)
  expect(server.service.calls[0]?.request).toMatchObject({ names })
  expect(server.service.calls[0]?.connection).toMatchObject(said)
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('row 59: what a client says of itself is cut to 255 characters, and escaped', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  const megabyte = 'x'.repeat(MIB)
  peer.request('apiVersions', 0, {
    clientName: 'a\nb',
    clientVersion: megabyte,
    clientId: '\u001b[31m',
  })
  peer.produce(1)
  await peer.answeredIds(2)
  expect(server.service.calls[0]?.connection).toMatchObject({
    clientName: 'a\\u000ab',
    clientVersion: 'x'.repeat(255),
    clientId: '\\u001b[31m',
  })
})

describe('row 65', () => {
  test('a first frame that is not ApiVersions is INVALID_REQUEST, close', async () => {
    const server = await serverWith()
    const peer = await server.connect()
    peer.request('metadata', 4, ALL_TOPICS)
    expect(await peer.lastError()).toMatchObject({ name: 'INVALID_REQUEST', correlationId: 4 })
    expect(server.service.calls).toHaveLength(0)
  })

  test('a Kafka frame after a minikafka one is INVALID_REQUEST, close', async () => {
    const server = await serverWith()
    const peer = await server.greeted()
    peer.send(lengthOf(20), [0, 3, 0, 9], Buffer.alloc(16))
    expect(await peer.lastError()).toMatchObject({ name: 'INVALID_REQUEST', correlationId: -1 })
  })
})

test('row 67: a bad value names its field, and the connection stays', async () => {
  const server = await serverWith()
  const peer = await server.greeted()
  peer.send(framed(0, 0, 1, [], [1, 1]))
  expect(await peer.error()).toMatchObject({ name: 'INVALID_REQUEST', path: '/appends' })
  peer.send(framed(0, 0, 2, [], [2 ** 40, 1, []]))
  expect(await peer.error()).toMatchObject({ name: 'INVALID_REQUEST', path: '/acks' })
  peer.produce(3)
  expect(await peer.answeredIds(1)).toEqual([3])
})

test('row 69: of large requests one is served in a turn, however many have arrived', async () => {
  const server = await serverWith()
  let turn = 0
  let isOver = false
  const count = () => {
    turn++
    if (!isOver) setImmediate(count)
  }
  count()
  const turns: number[] = []
  server.service.answer = async (call) => {
    turns.push(turn)
    return answerTo(call)
  }
  const peer = await server.greeted()
  for (let id = 1; id <= 40; id++) peer.produce(id, Buffer.alloc(270_000))
  await peer.answeredIds(40)
  isOver = true
  expect(new Set(turns).size).toBe(40)
})

test('row 69: a megabyte of tiny requests does not keep another connection waiting', async () => {
  const server = await serverWith()
  const flood = await server.greeted()
  const other = await server.greeted()
  const tiny = Buffer.concat(encodeRequest('metadata', 0, 1, ALL_TOPICS))
  const count = Math.ceil(MIB / tiny.length)
  flood.send(Buffer.concat(Array.from({ length: count }, () => tiny)))
  await until(() => server.service.calls.length > 0)
  const before = server.service.calls.length
  other.produce(1)
  await other.answeredIds(1)
  const meanwhile = server.service.calls.length - before
  expect(meanwhile).toBeLessThan(count / 4)
  await until(() => server.service.calls.length === count + 1)
  expect(await flood.answeredIds(count)).toHaveLength(count)
})
