// What only this implementation promises. The suite that it shares with its twin runs in ports.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Receiver, Socket } from '../env.ts'
import { realTurn } from './clock.ts'
import { nodeNetwork } from './network.ts'

const HOST = '127.0.0.1'
/** What libuv reads at most where it gives the memory. */
const COPIED_READ_BYTES_MAX = 65_536

/** Takes `size` bytes and tells the largest piece that came at once. */
function largestPiece(socket: Socket, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const memory = new Uint8Array(2 ** 20)
    let left = size
    let largest = 0
    socket.receive({
      target: () => memory,
      received(arrived) {
        left -= arrived
        largest = Math.max(largest, arrived)
        if (left === 0) resolve(largest)
      },
      ended: () => {},
      closed: reject,
    })
  })
}

test('both ends read straight into the memory of their receiver', async () => {
  let accepted!: (socket: Socket) => void
  const server = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const listener = await nodeNetwork.listen({ host: HOST, port: 0 }, (socket) => accepted(socket))
  const client = await nodeNetwork.connect({ ...listener.address, timeoutMs: 10_000 })
  const ends = [client, await server] as const
  const bytes = Buffer.alloc(8 * 2 ** 20, 7)
  for (const end of ends) end.send([bytes])
  // Until the kernels are full: then there is more to read at once than a copying read takes.
  while (ends.some((end) => end.queuedBytes() === 0)) await realTurn()
  const pieces = await Promise.all(ends.map((end) => largestPiece(end, bytes.length)))
  for (const piece of pieces) expect(piece).toBeGreaterThan(COPIED_READ_BYTES_MAX)
  for (const end of ends) end.destroy()
  await listener.close()
})

test('a name with several addresses is tried at each of them', async () => {
  const listener = await nodeNetwork.listen({ host: HOST, port: 0 }, (socket) =>
    socket.send([Buffer.from('hi')]),
  )
  const { port } = listener.address
  const socket = await nodeNetwork.connect({ host: 'localhost', port, timeoutMs: 10_000 })
  expect(await largestPiece(socket, 2)).toBeGreaterThan(0)
  socket.destroy()
  await listener.close()
  const refused = nodeNetwork.connect({ host: 'localhost', port, timeoutMs: 10_000 })
  await expect(refused).rejects.toMatchObject({ name: 'NetworkError', code: 'ECONNREFUSED' })
  await expect(refused).rejects.toThrow(`localhost:${port}`)
})

test('a name that nobody has is an error with the code of the resolver', async () => {
  const connecting = nodeNetwork.connect({ host: 'nobody.invalid', port: 1, timeoutMs: 20_000 })
  await expect(connecting).rejects.toMatchObject({
    name: 'NetworkError',
    code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/),
  })
})

test('an address of another machine is not listened on', async () => {
  const listening = nodeNetwork.listen({ host: '192.0.2.1', port: 0 }, () => {})
  await expect(listening).rejects.toMatchObject({ name: 'NetworkError', code: 'EADDRNOTAVAIL' })
})

test('an IPv4 peer of a listener on :: has its IPv4 address', async () => {
  let remote: string | undefined
  const listener = await nodeNetwork.listen({ host: '::', port: 0 }, (socket) => {
    remote = socket.remote.host
    socket.destroy()
  })
  const { port } = listener.address
  const socket = await nodeNetwork.connect({ host: HOST, port, timeoutMs: 10_000 })
  await new Promise<void>((resolve) => {
    const receiver: Receiver = {
      target: () => new Uint8Array(1),
      received: () => {},
      ended: () => socket.destroy(),
      closed: () => resolve(),
    }
    socket.receive(receiver)
  })
  expect(remote).toBe(HOST)
  await listener.close()
})

test.runIf(process.platform === 'linux')(
  'a host that does not answer is given up after the time-out',
  async () => {
    const silent = await silentListener()
    try {
      // The kernel takes a few for a listener that does not; the one above their number hears nothing.
      const waiting = await Promise.allSettled(
        Array.from({ length: 8 }, () =>
          nodeNetwork.connect({ host: HOST, port: silent.port, timeoutMs: 500 }),
        ),
      )
      const failed = waiting.filter((one) => one.status === 'rejected')
      expect(failed.length).toBeGreaterThan(0)
      for (const { reason } of failed) {
        expect(reason).toMatchObject({ name: 'NetworkError', code: 'ETIMEDOUT' })
      }
      for (const one of waiting) if (one.status === 'fulfilled') one.value.destroy()
    } finally {
      silent.end()
    }
  },
)

/** A process that listens, with the shortest backlog, and is stopped. */
async function silentListener(): Promise<{ port: number; end: () => void }> {
  const script = `
    const server = require('node:net').createServer().listen({ port: 0, host: '${HOST}', backlog: 1 }, () => {
      process.stdout.write(String(server.address().port) + '\\n')
    })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  return { port: Number(line.toString()), end: () => child.kill('SIGKILL') }
}
