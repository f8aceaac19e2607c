// A client without manners, in a process of its own: `flood.ts KIND PORT TOPIC_ID CONNECTIONS [VALUE]`.
// Says `flooding` when all are connected, then pushes until it is ended. What is cut off connects again.
import { connect, type Socket } from 'node:net'
import { nodeEnv } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'
import { encodeRequest } from '../../packages/protocol/src/codec/index.ts'

const [kind = '', port = '', topicId = '', connections = '', value = ''] = process.argv.slice(2)
const MEBIBYTE = 1024 ** 2
const FRAME_BYTES = 16 * MEBIBYTE
/** Bytes of a flood that are on their way at once, for each connection. */
const QUEUED_BYTES_MAX = 4 * MEBIBYTE
const AGAIN_MS = 200

const hello = encodeRequest('apiVersions', 0, 0, {
  clientName: 'flood',
  clientVersion: '1',
  clientId: kind,
})
const produce = joined(
  encodeRequest('produce', 0, 1, {
    acks: -1,
    timeoutMs: 60_000,
    trace: false,
    appends: [{ topicId, partition: 0, batch: batchOf(MEBIBYTE - 1024) }],
  }),
)
const tiny = encodeRequest('metadata', 0, 1, {
  names: [],
  topicIds: [],
  allowAutoTopicCreation: false,
})

const floods: Readonly<Record<string, (socket: Socket) => void>> = {
  /** 1 MiB batches as fast as they are taken, or VALUE MiB/s of all connections together. */
  produce: (socket) => {
    socket.resume()
    if (value === '') pushForEver(socket, produce)
    else pushAtRate(socket, produce, (Number(value) * MEBIBYTE) / Number(connections))
  },
  /** Thousands of requests in each segment. */
  tiny: (socket) => {
    socket.resume()
    pushForEver(socket, joined(Array.from({ length: 2_000 }, () => tiny).flat()))
  },
  /** A hundred fetches of 16 MiB, whose answers nobody reads. */
  fetch: (socket) => socket.write(joined(Array.from({ length: 100 }, () => fetchOf(0, 1)).flat())),
  /** A hundred long polls from offset VALUE on that each record wakes, and few satisfy. */
  polls: (socket) => {
    socket.resume()
    const poll = fetchOf(Number(value), FRAME_BYTES)
    socket.write(joined(Array.from({ length: 100 }, () => poll).flat()))
  },
  /** Frames of 16 MiB of which the end never comes. */
  cut: (socket) => {
    const head = Buffer.alloc(1.5 * MEBIBYTE)
    head.writeUInt32BE(FRAME_BYTES)
    socket.write(head)
    const timer = setInterval(() => socket.write(head.subarray(0, 1)), 100)
    socket.on('close', () => clearInterval(timer))
  },
}

const flood = floods[kind]
if (flood === undefined) throw new Error(`no flood is called ${kind}`)
await Promise.all(Array.from({ length: Number(connections) }, () => open()))
console.log('flooding')

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    socket.on('close', () => setTimeout(() => void open().then(resolve), AGAIN_MS))
    socket.once('data', () => {
      socket.pause()
      flood?.(socket)
      resolve()
    })
    socket.write(joined(hello))
  })
}

function pushForEver(socket: Socket, bytes: Buffer): void {
  if (socket.destroyed) return
  while (socket.writableLength < QUEUED_BYTES_MAX && !socket.destroyed) socket.write(bytes)
  socket.once('drain', () => pushForEver(socket, bytes))
}

function pushAtRate(socket: Socket, bytes: Buffer, bytesPerSecond: number): void {
  const beganMs = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - beganMs) / 1000) * bytesPerSecond
    for (; sent < due && socket.writableLength < QUEUED_BYTES_MAX; sent += bytes.length)
      socket.write(bytes)
  }, 5)
  socket.on('close', () => clearInterval(timer))
}

function fetchOf(fetchOffset: number, minBytes: number) {
  return encodeRequest('fetch', 0, 1, {
    replicaId: -1,
    maxWaitMs: 50_000,
    minBytes,
    maxBytes: FRAME_BYTES,
    isolation: 0,
    sessionId: 0,
    sessionEpoch: -1,
    brokerEpoch: -1,
    rack: '',
    partitions: [
      {
        topicId,
        partition: 0,
        leaderEpoch: -1,
        fetchOffset,
        lastFetchedEpoch: -1,
        durableOffset: -1,
        logStartOffset: -1,
        suspectOffset: -1,
        maxBytes: FRAME_BYTES,
      },
    ],
  })
}

function batchOf(size: number): Uint8Array {
  const { clock, compress } = nodeEnv()
  const writer = new BatchWriter(Buffer.alloc(size + 1024))
  writer.tryAppend(clock.wallMs(), null, Buffer.alloc(size, 'x'), undefined)
  const noProducer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
  return writer.seal(compress, { compression: 'none', ...noProducer })
}

function joined(buffers: readonly Uint8Array[]): Buffer {
  return Buffer.concat(buffers)
}
