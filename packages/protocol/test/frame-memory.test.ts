// Whose the memory of a large frame is, from its first byte to the last answer that lies in it.
import { afterEach, expect, test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import { MinikafkaError } from '../src/errors.ts'
import { FramePool, type ServerCall } from '../src/rpc/index.ts'
import {
  answerTo,
  FETCH,
  FETCHED,
  type Peer,
  startServer,
  type TestServer,
  TOPIC_ID,
  until,
} from './harness.ts'

const MIB = 2 ** 20
const BATCH = Buffer.alloc(100_000, 7)

let server: TestServer
let frames: FramePool

async function connected(): Promise<Peer> {
  frames = new FramePool(100 * MIB, { buggify: () => false })
  server = await startServer({ frames })
  return server.greeted()
}

afterEach(() => server.close())

test('a large frame of a request that its service has done with is used again', async () => {
  const peer = await connected()
  server.service.answer = async (call) => {
    call.done?.()
    return answerTo(call)
  }
  const memory: ArrayBufferLike[] = []
  for (const id of [1, 2]) {
    await peer.produce(id, BATCH).answeredIds(1)
    memory.push(memoryOf(server.service.calls[id - 1]))
  }
  expect(memory[1]).toBe(memory[0])
})

test('a service that says nothing keeps what came, and so does who holds it', async () => {
  const peer = await connected()
  await peer.produce(1, BATCH).answeredIds(1)
  server.service.answer = async (call) => {
    frames.hold(memoryOf(call))
    call.done?.()
    return answerTo(call)
  }
  // What it outgrew while it arrived is idle.
  const before = frames.idleBytes
  expect(before).toBeLessThan(BATCH.length)
  await peer.produce(2, BATCH).answeredIds(1)
  expect(frames.idleBytes).toBe(before)
  frames.letGo(memoryOf(server.service.calls[1]))
  expect(frames.idleBytes).toBeGreaterThanOrEqual(before + BATCH.length)
})

test('a connection that is given up in the midst of a frame reads on into memory that nobody else gets', async () => {
  const peer = await connected()
  const kept: Uint8Array[] = []
  server.service.answer = async (call) => {
    if (call.api !== 'produce') return answerTo(call)
    if (call.request.acks === 0) return { hangUp: new MinikafkaError('UNKNOWN_TOPIC_ID') }
    kept.push(...call.request.appends.map(({ batch }) => batch))
    return answerTo(call)
  }
  const victim = await server.greeted()
  // Each has sent such a frame before: their memory is of the full size from the first bytes on.
  await peer.produce(1, BATCH).answeredIds(1)
  await victim.produce(1, BATCH).answeredIds(1)
  const refused = encodeRequest('produce', 0, 2, produceOf(0, Buffer.alloc(10)))
  const next = Buffer.concat(
    encodeRequest(
      'produce',
      0,
      3,
      produceOf(
        -1,
        BATCH.map(() => 0xee),
      ),
    ),
  )
  peer.send(Buffer.concat([...refused, next.subarray(0, 1000)]))
  await until(() => peer.hasEnded)
  await victim.produce(2, BATCH).answeredIds(1)
  peer.send(next.subarray(1000))
  peer.socket.end()
  await until(() => server.server.connectionCount === 1)
  for (const batch of kept) expect(BATCH.equals(batch)).toBe(true)
})

test('what is lent for an answer is held until the answer has left', async () => {
  const peer = await connected()
  lendingAnswers(16)
  peer.socket.pause()
  peer.request('fetch', 1, FETCH)
  await until(() => server.memory.bytes > 16 * MIB)
  expect(frames.idleBytes).toBe(0)
  peer.socket.resume()
  const answer = await peer.frame()
  await until(() => frames.idleBytes === 16 * MIB)
  expect(answer.filter((byte) => byte === 0xaa)).toHaveLength(16 * MIB)
})

test('what is lent for an answer that never leaves, or is none, is taken back', async () => {
  const peer = await connected()
  lendingAnswers(16)
  peer.socket.pause()
  peer.request('fetch', 1, FETCH)
  await until(() => server.memory.bytes > 16 * MIB)
  peer.socket.destroy()
  await until(() => frames.idleBytes === 16 * MIB)

  const other = await server.greeted()
  server.service.answer = async (call) => {
    lend(call)
    throw new Error('a fault of ours')
  }
  other.request('fetch', 1, FETCH)
  await other.lastError()
  await until(() => frames.idleBytes === 16 * MIB)
})

/** Memory that nobody else holds from then on. */
function lend(call: ServerCall): Buffer {
  const memory = frames.take(MIB).fill(0xaa)
  call.lend?.(memory.buffer)
  frames.letGo(memory.buffer)
  return memory
}

function lendingAnswers(count: number): void {
  server.service.answer = async (call) => {
    const records = Array.from({ length: count }, () => lend(call))
    return { sessionId: 0, results: [{ ...FETCHED, records }] }
  }
}

function produceOf(acks: number, batch: Uint8Array): never {
  const appends = [{ topicId: TOPIC_ID, partition: 0, batch }]
  return { acks, timeoutMs: 1000, appends } as never
}

function memoryOf(call: ServerCall | undefined): ArrayBufferLike {
  if (call?.api !== 'produce') throw new Error('a Produce request was sent')
  const [append] = call.request.appends
  if (append === undefined) throw new Error('with one append')
  return append.batch.buffer
}
