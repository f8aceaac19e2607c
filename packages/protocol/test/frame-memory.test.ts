// Whose the memory of a large frame is, from its first byte to the last answer that lies in it.
import { afterEach, expect, test } from 'vitest'
import { FramePool, type ServerCall } from '../src/rpc/index.ts'
import {
  answerTo,
  FETCH,
  FETCHED,
  type Peer,
  startServer,
  type TestServer,
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

test('a frame that never becomes whole gives its memory back', async () => {
  const peer = await connected()
  peer.send([0, 8, 0, 0], Buffer.alloc(200_000))
  await until(() => server.memory.bytes > 200_000)
  const before = frames.idleBytes
  peer.socket.destroy()
  await until(() => server.server.connectionCount === 0)
  expect(frames.idleBytes).toBeGreaterThanOrEqual(before + 200_000)
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

function memoryOf(call: ServerCall | undefined): ArrayBufferLike {
  if (call?.api !== 'produce') throw new Error('a Produce request was sent')
  const [append] = call.request.appends
  if (append === undefined) throw new Error('with one append')
  return append.batch.buffer
}
