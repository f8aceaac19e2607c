// The client's Connection against a real server, and against what is no server of ours.
import * as net from 'node:net'
import { nodeEnv } from '@minikafka/platform'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeError, encodeResponse } from '../src/codec/index.ts'
import { isMinikafkaError, MinikafkaError } from '../src/errors.ts'
import { farewells } from '../src/rpc/first-bytes.ts'
import { Connection, type ConnectionOptions } from '../src/rpc/index.ts'
import {
  answerTo,
  HELLO,
  holding,
  lengthOf,
  METADATA,
  startServer,
  type TestServer,
  TOPIC_ID,
  until,
} from './harness.ts'

const env = nodeEnv()
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serverWith(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const server = await startServer(options)
  cleanups.push(() => server.close())
  return server
}

async function connect(port: number, options: Partial<ConnectionOptions> = {}) {
  const connection = await Connection.open(env, {
    host: '127.0.0.1',
    port,
    clientName: 'test',
    clientVersion: '1',
    clientId: 'me',
    timeoutMs: 5000,
    ...options,
  })
  cleanups.push(() => connection.close())
  return connection
}

/** Something else that listens: it gets the socket of each client. */
async function listening(handle: (socket: net.Socket) => void): Promise<number> {
  const sockets: net.Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as net.AddressInfo).port
}

/** Greets like a broker, then does what the test wants with each later frame. */
function brokerThat(answer: (socket: net.Socket, frames: number) => void): Promise<number> {
  return listening((socket) => {
    let frames = 0
    socket.on('data', () => {
      if (frames === 0) socket.write(Buffer.concat(encodeResponse('apiVersions', 0, 0, HELLO)))
      else answer(socket, frames)
      frames++
    })
  })
}

async function rejection(promise: Promise<unknown>): Promise<MinikafkaError> {
  try {
    await promise
  } catch (error) {
    if (isMinikafkaError(error)) return error
    throw error
  }
  throw new Error('it did not reject')
}

const ALL_TOPICS = { names: null, topicIds: null, allowAutoTopicCreation: false }
const TIMEOUT = { timeoutMs: 5000 }

function produceOf(batch: Uint8Array, acks = -1) {
  return {
    acks,
    timeoutMs: 1000,
    trace: false,
    appends: [{ topicId: TOPIC_ID, partition: 0, batch }],
  }
}

describe('an open connection', () => {
  test('knows what the broker said of itself, and who was dialled', async () => {
    const { port } = await serverWith()
    const connection = await connect(port)
    expect(connection.hello).toEqual(HELLO)
    expect(connection.address).toEqual({ host: '127.0.0.1', port })
    expect(connection.open).toBe(true)
  })

  test('answers calls, each with its own answer, whatever their order', async () => {
    const server = await serverWith()
    const gates: (() => void)[] = []
    server.service.answer = async (call) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      return { ...METADATA, clusterId: String(call.correlationId) }
    }
    const connection = await connect(server.port)
    const calls = [1, 2, 3].map(() => connection.call('metadata', ALL_TOPICS, TIMEOUT))
    await until(() => gates.length === 3)
    expect(connection.inFlight).toBe(3)
    for (const go of gates.reverse()) go()
    const answers = await Promise.all(calls)
    expect(answers.map(({ clusterId }) => clusterId)).toEqual(['1', '2', '3'])
    expect(connection.inFlight).toBe(0)
  })

  test('passes a batch of a megabyte byte for byte, and returns it when it is written', async () => {
    const server = await serverWith()
    const connection = await connect(server.port)
    const batch = Buffer.alloc(2 ** 20, 'minikafka')
    const written: unknown[] = []
    await connection.call('produce', produceOf(batch), {
      ...TIMEOUT,
      written: (error) => written.push(error),
    })
    expect(written).toEqual([undefined])
    const call = server.service.calls[0]
    if (call?.api !== 'produce') throw new Error('no produce')
    expect(batch.equals(call.request.appends[0]?.batch as Buffer)).toBe(true)
    expect(call.frameBytes).toBeGreaterThan(batch.length)
  })

  test('sends what needs no answer, in order with the rest', async () => {
    const server = await serverWith()
    server.service.answer = async (call) =>
      call.api === 'produce' && call.request.acks === 0 ? undefined : answerTo(call)
    const connection = await connect(server.port)
    const written: unknown[] = []
    connection.post('produce', produceOf(Buffer.from('a'), 0), (error) => written.push(error))
    await connection.call('metadata', ALL_TOPICS, TIMEOUT)
    expect(server.service.calls.map(({ api }) => api)).toEqual(['produce', 'metadata'])
    expect(written).toEqual([undefined])
    expect(connection.inFlight).toBe(0)
  })
})

describe('what the broker refuses without an answer', () => {
  test('ends the connection in peace; what is in flight is answered, nothing later is served', async () => {
    const server = await serverWith()
    const hangUp = new MinikafkaError('STORAGE_FULL')
    let answer = () => {}
    const metadata = new Promise<void>((resolve) => {
      answer = resolve
    })
    server.service.answer = async (call) => {
      if (call.api === 'produce') return { hangUp }
      await metadata
      return answerTo(call)
    }
    const connection = await connect(server.port)
    const closed = new Promise((resolve) => connection.onClose(resolve))
    const asked = connection.call('metadata', ALL_TOPICS, TIMEOUT)
    connection.post('produce', produceOf(Buffer.from('a'), 0))
    await until(() => server.service.calls.length === 2)
    connection.post('produce', produceOf(Buffer.from('b'), 0))
    answer()
    expect(await asked).toEqual(METADATA)
    expect(await closed).toBeUndefined()
    expect(server.service.calls).toHaveLength(2)
    expect(server.service.unexpectedErrors).toEqual([])
  })
})

describe('what the broker refuses', () => {
  test('rejects the call with name, message, path and details; the connection stays', async () => {
    const server = await serverWith()
    server.service.answer = async () => {
      throw new MinikafkaError('INVALID_CONFIG', {
        message: 'no such setting',
        path: '/resources/0',
        details: { key: 'retention.sm' },
      })
    }
    const connection = await connect(server.port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error).toMatchObject({
      name: 'INVALID_CONFIG',
      message: 'no such setting',
      path: '/resources/0',
      details: { key: 'retention.sm' },
    })
    expect(connection.open).toBe(true)
  })

  test('a handler that throws is UNKNOWN_SERVER_ERROR, and costs the connection', async () => {
    const server = await serverWith()
    const bug = new TypeError('a bug')
    server.service.answer = () => {
      throw bug
    }
    const connection = await connect(server.port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error).toMatchObject({ name: 'UNKNOWN_SERVER_ERROR', outcome: 'unknown' })
    expect(server.service.unexpectedErrors).toEqual([bug])
    await until(() => !connection.open)
  })

  test('a response that does not fit its definition is a fault of the handler', async () => {
    const server = await serverWith()
    server.service.answer = async () => ({ ...METADATA, controllerId: 1.5 })
    const connection = await connect(server.port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error.name).toBe('UNKNOWN_SERVER_ERROR')
    expect(server.service.unexpectedErrors).toMatchObject([{ cause: { path: '/controllerId' } }])
  })
})

describe('what never leaves is not-written', () => {
  test('a value that the definition does not allow', async () => {
    const { port } = await serverWith()
    const connection = await connect(port)
    const written: unknown[] = []
    const request = { ...ALL_TOPICS, names: ['x'.repeat(40_000)] }
    const error = await rejection(
      connection.call('metadata', request, { ...TIMEOUT, written: (it) => written.push(it) }),
    )
    expect(error).toMatchObject({
      name: 'INVALID_REQUEST',
      path: '/names/0',
      outcome: 'not-written',
    })
    expect(written).toEqual([error])
  })

  test('a frame above what the broker reads', async () => {
    const server = await serverWith()
    server.service.hello = () => ({ ...HELLO, frameBytesMax: 1000 })
    const connection = await connect(server.port)
    const error = await rejection(
      connection.call('produce', produceOf(Buffer.alloc(1000)), TIMEOUT),
    )
    expect(error).toMatchObject({
      name: 'FRAME_TOO_LARGE',
      details: { max: 1000 },
      outcome: 'not-written',
    })
    await connection.call('metadata', ALL_TOPICS, TIMEOUT)
  })

  test('an API that the broker does not have', async () => {
    const { port } = await serverWith()
    const connection = await connect(port)
    const error = await rejection(connection.call('describeCluster', {}, TIMEOUT))
    expect(error).toMatchObject({ name: 'UNSUPPORTED_VERSION', outcome: 'not-written' })
  })

  test('versions that do not meet', async () => {
    const server = await serverWith()
    server.service.hello = () => ({
      ...HELLO,
      apis: [{ apiKey: 3, minVersion: 5, maxVersion: 6 }],
    })
    const connection = await connect(server.port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error).toMatchObject({ name: 'UNSUPPORTED_VERSION', details: { min: 5, max: 6 } })
    expect(error).toMatchObject({ outcome: 'not-written' })
  })

  test('a call on a closed connection', async () => {
    const { port } = await serverWith()
    const connection = await connect(port)
    connection.close()
    const written: unknown[] = []
    const options = { ...TIMEOUT, written: (error?: Error) => written.push(error) }
    const error = await rejection(connection.call('metadata', ALL_TOPICS, options))
    expect(error).toMatchObject({ name: 'NETWORK_EXCEPTION', outcome: 'not-written' })
    expect(written).toEqual([error])
    // What needs no answer throws, and `written` stays silent.
    const post = () => connection.post('metadata', ALL_TOPICS, options.written)
    expect(post).toThrow(expect.objectContaining({ outcome: 'not-written' }))
    expect(written).toHaveLength(1)
  })
})

describe('a call that is given up', () => {
  test.each(['signal', 'own means'])(
    'by its %s rejects with the reason; its answer is dropped unread, the connection stays',
    async (means) => {
      const server = await serverWith()
      const calls = holding(server.service)
      const connection = await connect(server.port)
      const aborter = new AbortController()
      let abandon = (reason: unknown) => aborter.abort(reason)
      const options =
        means === 'signal'
          ? { signal: aborter.signal }
          : { canAbandon: (own: typeof abandon) => (abandon = own) }
      const call = connection.call('metadata', ALL_TOPICS, { ...TIMEOUT, ...options })
      await until(() => calls.count === 1)
      const reason = new Error('changed my mind')
      abandon(reason)
      await expect(call).rejects.toBe(reason)
      expect(connection.inFlight).toBe(1)
      calls.release()
      await until(() => connection.inFlight === 0)
      expect(connection.open).toBe(true)
    },
  )

  test('before it is made sends nothing', async () => {
    const server = await serverWith()
    const connection = await connect(server.port)
    const reason = new Error('too late')
    const call = connection.call('metadata', ALL_TOPICS, {
      ...TIMEOUT,
      signal: AbortSignal.abort(reason),
    })
    await expect(call).rejects.toBe(reason)
    await connection.call('metadata', ALL_TOPICS, TIMEOUT)
    expect(server.service.calls).toHaveLength(1)
  })

  test('by its time-out closes the connection: late answers die with it', async () => {
    const server = await serverWith()
    holding(server.service)
    const connection = await connect(server.port)
    const losses: unknown[] = []
    connection.onClose((error) => losses.push(error))
    const patient = rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    const hasty = rejection(connection.call('metadata', ALL_TOPICS, { timeoutMs: 30 }))
    expect(await hasty).toMatchObject({ name: 'REQUEST_TIMED_OUT', outcome: 'unknown' })
    expect(await patient).toMatchObject({
      name: 'NETWORK_EXCEPTION',
      outcome: 'unknown',
      cause: { name: 'REQUEST_TIMED_OUT' },
    })
    expect(connection.open).toBe(false)
    expect(losses).toMatchObject([{ name: 'NETWORK_EXCEPTION' }])
  })
})

describe('a connection that is lost', () => {
  test('fails the calls in flight with NETWORK_EXCEPTION, of unknown outcome', async () => {
    const port = await brokerThat((socket) => socket.destroy())
    const connection = await connect(port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error).toMatchObject({
      name: 'NETWORK_EXCEPTION',
      outcome: 'unknown',
      broker: `127.0.0.1:${port}`,
    })
  })

  test('between calls tells who listens, without an error where it ended in peace', async () => {
    const server = await serverWith()
    const connection = await connect(server.port)
    const losses: unknown[] = []
    connection.onClose((error) => losses.push(error))
    const stop = connection.onClose(() => losses.push('stopped'))
    stop()
    await server.server.close({ finishMs: 1000 })
    await until(() => !connection.open)
    expect(losses).toEqual([undefined])
  })

  test('answers what was in flight when the server closes', async () => {
    const server = await serverWith()
    const calls = holding(server.service)
    const connection = await connect(server.port)
    const call = connection.call('metadata', ALL_TOPICS, TIMEOUT)
    await until(() => calls.count === 1)
    const closed = server.server.close({ finishMs: 5000 })
    calls.release()
    expect(await call).toEqual(METADATA)
    await closed
    expect(server.server.connectionCount).toBe(0)
  })

  test('fails what is in flight when the server cannot wait any longer', async () => {
    const server = await serverWith()
    const calls = holding(server.service)
    const connection = await connect(server.port)
    const call = rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    await until(() => calls.count === 1)
    await server.server.close({ finishMs: 10 })
    expect((await call).name).toBe('NETWORK_EXCEPTION')
    calls.release()
    await until(() => server.memory.bytes === 0)
  })
})

describe('what is no broker', () => {
  test('nobody listens', async () => {
    const port = await listening(() => {})
    await cleanups.pop()?.()
    expect(await rejection(connect(port))).toMatchObject({
      name: 'BROKER_UNREACHABLE',
      broker: `127.0.0.1:${port}`,
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('row 9: a TLS port is recognized by its alert, which read as a length is 352 MB', async () => {
    const port = await listening((socket) => socket.write(farewells.tls.answer[0] as Buffer))
    expect(await rejection(connect(port))).toMatchObject({
      name: 'PROTOCOL_VIOLATION',
      message: `127.0.0.1:${port}: this port speaks TLS.`,
    })
  })

  test('an HTTP server is recognized by its answer', async () => {
    const port = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await rejection(connect(port))).toMatchObject({
      name: 'PROTOCOL_VIOLATION',
      message: `127.0.0.1:${port}: this port speaks HTTP.`,
    })
  })

  test('a port that closes without a word', async () => {
    const port = await listening((socket) => socket.destroy())
    expect(await rejection(connect(port))).toMatchObject({ name: 'BROKER_UNREACHABLE' })
  })

  test('a port that says nothing', async () => {
    const port = await listening(() => {})
    expect(await rejection(connect(port, { timeoutMs: 500 }))).toMatchObject({
      name: 'BROKER_UNREACHABLE',
      cause: { name: 'REQUEST_TIMED_OUT' },
    })
  })

  test('a port that says nothing, until the caller has enough', async () => {
    const aborter = new AbortController()
    const port = await listening(() => aborter.abort(new Error('enough')))
    await expect(connect(port, { signal: aborter.signal })).rejects.toThrow('enough')
  })
})

describe('what is not in the protocol', () => {
  const expectViolation = async (port: number) => {
    const connection = await connect(port)
    const error = await rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT))
    expect(error.name).toBe('PROTOCOL_VIOLATION')
    expect(connection.open).toBe(false)
    return error
  }

  test('a length above the cap ends the connection before anything is allocated', async () => {
    const port = await brokerThat((socket) => socket.write(lengthOf(64 * 2 ** 20 + 1)))
    expect((await expectViolation(port)).cause).toMatchObject({ name: 'FRAME_TOO_LARGE' })
  })

  test('noise instead of a frame', async () => {
    await expectViolation(
      await brokerThat((s) => s.write(Buffer.concat([lengthOf(9), Buffer.alloc(9)]))),
    )
  })

  test('the answer to a request that was not sent', async () => {
    const answer = Buffer.concat(encodeResponse('metadata', 0, 77, METADATA))
    await expectViolation(await brokerThat((socket) => socket.write(answer)))
  })

  test('the answer to another API', async () => {
    const answer = Buffer.concat(encodeResponse('deleteTopics', 0, 1, { results: [] }))
    const error = await expectViolation(await brokerThat((socket) => socket.write(answer)))
    expect(error.path).toBe('/clusterId')
  })

  test('an error of the connection fails all calls with it', async () => {
    const answer = Buffer.concat(encodeError(-1, new MinikafkaError('INVALID_REQUEST')))
    const connection = await connect(await brokerThat((socket) => socket.write(answer)))
    const calls = [1, 2].map(() => rejection(connection.call('metadata', ALL_TOPICS, TIMEOUT)))
    expect((await Promise.all(calls)).map(({ name }) => name)).toEqual([
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ])
  })
})
