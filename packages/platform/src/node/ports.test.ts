// The compliance suites on this process: real clocks, files in a temporary directory, sockets on loopback.
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  clockCompliance,
  diskCompliance,
  httpServerCompliance,
  networkCompliance,
  randomCompliance,
} from '../compliance/index.ts'
import { nodeClock, realTurn } from './clock.ts'
import { NodeDisk } from './disk.ts'
import { nodeHttpServer } from './http-server.ts'
import { nodeNetwork } from './network.ts'
import { nodeRandom } from './random.ts'
import { SyncQueue } from './sync-queue.ts'

/** libuv wakes a timer up to one millisecond early, which then waits for one or two more. */
const WOKE_EARLY_MS = 2

/** Time passes by itself. What was due first may have woken early: it runs before a second wait is over. */
async function advance(ms: number): Promise<void> {
  await passed(ms)
  await passed(WOKE_EARLY_MS)
  await realTurn()
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    nodeClock.timer(ms, resolve)
  })
}

const realTime = { advance, run: <T>(promise: Promise<T>) => promise }
const nothing = async () => {}

clockCompliance('node', () => ({ port: nodeClock, ...realTime, close: nothing }))

randomCompliance('node', () => ({ port: nodeRandom, ...realTime, close: nothing }))

for (const syncsAtOnceMax of [1, 3]) {
  diskCompliance(`node, ${syncsAtOnceMax} syncs at once`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'minikafka-disk-'))
    return {
      port: new NodeDisk(new SyncQueue(syncsAtOnceMax)),
      directory,
      ...realTime,
      close: async () => rmSync(directory, { recursive: true }),
    }
  })
}

networkCompliance('node', () => ({
  port: nodeNetwork,
  host: '127.0.0.1',
  ...realTime,
  failAccept,
  close: nothing,
}))

httpServerCompliance('node', () => ({
  port: nodeHttpServer,
  ask: async ({ host, port }, method, path) => {
    const answer = await fetch(`http://${host}:${port}${path}`, { method })
    const type = answer.headers.get('content-type') ?? ''
    return { status: answer.status, type, body: await answer.text() }
  },
  ...realTime,
  close: nothing,
}))

/** As node:net tells of it; the descriptors of this process cannot be used up for one test. */
function failAccept(port: number): void {
  const servers = getActiveHandles().filter((handle) => handle instanceof Server)
  const server = servers.find((one) => (one.address() as AddressInfo).port === port)
  server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
}

function getActiveHandles(): unknown[] {
  return (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()
}
